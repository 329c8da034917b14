"""The figures as a table, and what they are required to be."""

from __future__ import annotations

from core.diagnosis import Severity

FOUND, FOUND_EACH, HEALTHY_LEAST, HELPED = 0.95, 0.80, 60, 0.80
STATIC_SECONDS, HISTORY_SECONDS = 0.050, 0.300


def targets(result: dict) -> dict[str, bool]:
    found = sum(hits for hits, _ in result["codes"].values())
    serious = sum(
        counts.get(severity, 0)
        for counts in result["false_alarms"].values()
        for severity in ("fatal", "fragile")
    )
    return {
        f"found at least {FOUND:.0%}": found >= FOUND * result["injected"],
        f"no code below {FOUND_EACH:.0%}": all(
            hits >= FOUND_EACH * total for hits, total in result["codes"].values()
        ),
        f"no fatal or fragile alarm on {HEALTHY_LEAST} healthy experiments": serious == 0
        and result["healthy"] >= HEALTHY_LEAST,
        f"fixes help for {HELPED:.0%} of fatal and fragile findings": result["helped"][0]
        >= HELPED * result["helped"][1],
        "without training below 50 ms": result["static_seconds"] < STATIC_SECONDS,
        "with 64 runs below 300 ms": result["history_seconds"] < HISTORY_SECONDS,
    }


def show(result: dict) -> None:
    print(f"healthy experiments       {result['healthy']} (of {result['drawn']} drawn)")
    for kind, counts in result["false_alarms"].items():
        text = ", ".join(f"{counts.get(s.value, 0)} {s.value}" for s in Severity)
        print(f"  with findings, {kind:8s}  {text}")
    for line in result["alarm_examples"]:
        print(f"    {line}")
    print(f"\n{'code':28s} found of injected")
    for code, (hits, total) in result["codes"].items():
        print(f"{code:28s} {hits:3d} of {total:3d}")
    total = sum(hits for hits, _ in result["codes"].values())
    print(f"{'all':28s} {total:3d} of {result['injected']:3d}   ({total / result['injected']:.1%})")
    hits, of = result["found_before_training"]
    print(f"{'before any training':28s} {hits:3d} of {of:3d}")
    print(f"{'injected without harm':28s} {result['without_harm']:3d}   (not counted)")
    for line in result["missed"]:
        print(f"    missed {line}")
    print(f"\n{'code':28s} findings with a fix that verifiably helps")
    for code, (hits, of) in result["fixes"].items():
        print(f"{code:28s} {hits:3d} of {of:3d}")
    hits, of = result["helped"]
    alone, _ = result["helped_alone"]
    print(f"{'all':28s} {hits:3d} of {of:3d}   ({hits / max(of, 1):.1%}; alone {alone})")
    for row in result["unhelped"]:
        print(f"    not helped {row['code']} ({row['fault']}, {row['before']} before)")
    print(f"\na diagnosis without training  {result['static_seconds'] * 1e3:.0f} ms")
    print(f"a diagnosis of 64 runs        {result['history_seconds'] * 1e3:.0f} ms\n")
    for target, met in result["targets"].items():
        print(f"{'met    ' if met else 'NOT MET'} {target}")
