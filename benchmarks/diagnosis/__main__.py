"""How many faults the diagnosis finds, how often it alarms for nothing, and whether its fixes help.

    python -m benchmarks.diagnosis [--json] [--quick] [--seed N]

Healthy experiments of many shapes are drawn and trained over 16 runs. Into some of them every
fault is put alone, and many in pairs; each is trained as well, and counts where it harms. The
fixes that the findings suggest are then trained over the same seeds.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import defaultdict

import numpy as np

from benchmarks.diagnosis.cases import cases
from benchmarks.diagnosis.faults import needs_bend
from benchmarks.diagnosis.healthy import gather_healthy
from benchmarks.diagnosis.report import show, targets
from benchmarks.diagnosis.runs import passed, say, trained
from benchmarks.diagnosis.verification import verify
from core.diagnosis import Severity, diagnose
from core.experiment import Blobs, Experiment
from core.problems import PROBLEMS
from core.rates import paired_gain

HEALTHY, HEALTHY_QUICK = 72, 8
"""Healthy experiments that are drawn; those that do not succeed in every run are replaced."""
BASES, BASES_QUICK = 12, 1
PAIRS, PAIRS_QUICK = 30, 4
VERIFIED, VERIFIED_QUICK = 40, 5
"""Faulty experiments whose suggested fixes are trained."""
SHOWN_RUNS = 64
"""Runs of the history that a diagnosis is timed with."""


def measure_seconds(experiments: list[Experiment]) -> tuple[float, float]:
    """Seconds of a diagnosis without and with a history of 64 runs: the slowest experiment's."""
    from core.training import train

    without, with_history = [], []
    for experiment in experiments:
        history = train(experiment, SHOWN_RUNS)
        for seconds, arguments in ((without, (experiment,)), (with_history, (experiment, history))):
            each = []
            for _ in range(5):
                started = time.perf_counter()
                diagnose(*arguments)
                each.append(time.perf_counter() - started)
            seconds.append(float(np.median(each)))
    return max(without), max(with_history)


def run(quick: bool, seed: int) -> dict:
    count = HEALTHY_QUICK if quick else HEALTHY
    experiments, histories, drawn = gather_healthy(count, seed)
    alarms = {"history": defaultdict(int), "static": defaultdict(int)}
    examples = []
    for experiment, history in zip(experiments, histories, strict=True):
        for kind, findings in (
            ("history", diagnose(experiment, history)),
            ("static", diagnose(experiment)),
        ):
            for severity in {finding.severity for finding in findings}:
                alarms[kind][severity.value] += 1
            for finding in findings:
                if finding.severity in (Severity.FATAL, Severity.FRAGILE) or (
                    finding.severity is Severity.SLOW
                ):
                    examples.append((kind, finding, experiment))
    # Bases that are unlike each other: every kind of loss, and clouds that need a bend.
    bases = _spread(experiments, BASES_QUICK if quick else BASES)
    chosen = cases(bases, PAIRS_QUICK if quick else PAIRS, seed + 1)
    outcomes = trained([case.experiment for case in chosen], "faults")
    healthy_runs = {id(base): passed(histories[experiments.index(base)]) for base in bases}
    by_code: dict[str, list[bool]] = defaultdict(list)
    by_fault: dict[str, list[bool]] = defaultdict(list)
    static_found: list[bool] = []
    harmless = 0
    missed = []
    for case, history in zip(chosen, outcomes, strict=True):
        case.history = history
        case.findings, case.static = diagnose(case.experiment, history), diagnose(case.experiment)
        after = passed(history)
        case.harmed = paired_gain(healthy_runs[id(case.base)], after)[2] < 0
        for one in case.faults:
            if not case.harmed and not one.harmless:
                harmless += 1
                continue
            hit = case.found(one)
            by_code[one.codes[0]].append(hit)
            by_fault[one.name].append(hit)
            static_found.append(any(f.code in one.codes for f in case.static))
            if not hit:
                missed.append((one.name, case))
    serious = [
        case
        for case in chosen
        if any(f.severity in (Severity.FATAL, Severity.FRAGILE) for f in case.findings)
    ]
    limit = VERIFIED_QUICK if quick else VERIFIED
    picked = [
        serious[k] for k in np.linspace(0, len(serious) - 1, min(limit, len(serious))).astype(int)
    ]
    verified = verify(picked)
    timed = [problem.experiment for problem in PROBLEMS.values()] + bases[:3]
    static_seconds, history_seconds = measure_seconds(timed)
    result = {
        "healthy": count,
        "drawn": drawn,
        "false_alarms": {kind: dict(counts) for kind, counts in alarms.items()},
        "alarm_examples": [
            f"{kind} {f.severity.value} {f.code}: {f.evidence}" for kind, f, _ in examples
        ],
        "injected": sum(map(len, by_code.values())),
        "without_harm": harmless,
        "codes": {code: [sum(hits), len(hits)] for code, hits in sorted(by_code.items())},
        "faults": {name: [sum(hits), len(hits)] for name, hits in by_fault.items()},
        "found_before_training": [sum(static_found), len(static_found)],
        "fixes": {
            code: [
                sum(r["helped"] for r in verified if r["code"] == code),
                sum(r["code"] == code for r in verified),
            ]
            for code in sorted({r["code"] for r in verified})
        },
        "helped": [sum(r["helped"] for r in verified), len(verified)],
        "helped_alone": [sum(r["alone"] for r in verified), len(verified)],
        "static_seconds": static_seconds,
        "history_seconds": history_seconds,
    }
    result["targets"] = targets(result)
    result["missed"] = [
        f"{name} (in {', '.join(one.name for one in case.faults)}): "
        + ", ".join(f"{f.severity.value} {f.code}" for f in case.findings)
        for name, case in missed
    ]
    result["unhelped"] = [r for r in verified if not r["helped"]]
    return result


def _spread(experiments: list[Experiment], count: int) -> list[Experiment]:
    groups: dict[tuple, list[Experiment]] = defaultdict(list)
    for experiment in experiments:
        clouds = isinstance(experiment.data.source, Blobs)
        bend = clouds and experiment.data.source.classes == 2 and needs_bend(experiment)
        groups[experiment.task.name, clouds, experiment.training.loss, bend].append(experiment)
    picked: list[Experiment] = []
    while len(picked) < count:
        for members in sorted(groups.items(), key=lambda item: str(item[0])):
            if members[1] and len(picked) < count:
                picked.append(members[1].pop(0))
    return picked


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--quick", action="store_true", help="fewer experiments, some minutes")
    parser.add_argument("--seed", type=int, default=0, help="other healthy experiments and pairs")
    arguments = parser.parse_args()
    started = time.perf_counter()
    result = run(arguments.quick, arguments.seed)
    say(f"{time.perf_counter() - started:.0f} s")
    if arguments.json:
        print(json.dumps(result, indent=1))
    else:
        show(result)


if __name__ == "__main__":
    main()
