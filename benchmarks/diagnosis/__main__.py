"""How many faults the diagnosis finds, how often it alarms for nothing, and whether repair mends.

    python -m benchmarks.diagnosis [--seeds 0 3] [--only healthy single masked seconds]
        [--small] [--keep FOLDER]

Each seed draws healthy experiments of many shapes, 2 to 500 units wide, of 1 to 800 inputs, and
trains them over 16 runs. Into them it puts every fault alone, and two or three that may hide each
other; those that harm count, and the failing ones are repaired. The rules were tuned on seed 0, and
what they missed of seeds 1, 2 and 4 was mended later; the others are reported apart.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np

from benchmarks.diagnosis.bases import Base, bases
from benchmarks.diagnosis.cases import TOGETHER, Case, masked, singles
from benchmarks.diagnosis.report import Figures, show
from benchmarks.diagnosis.runs import KEPT, judged, passed, say, trained
from benchmarks.diagnosis.seconds import measured_seconds
from core.diagnosis import Severity
from core.rates import paired_gain

PARTS = ("healthy", "single", "masked", "seconds")
TUNED = (0, 1, 2, 4)
"""Seeds that the rules were tuned on, or mended by."""
SIZES = {
    False: {"healthy": 52, "each": 4, "single": 400, "masked": 12, "repaired": 8},
    True: {"healthy": 10, "each": 1, "single": 24, "masked": 4, "repaired": 2},
}
"""Of one seed, by whether it is small: healthy ones, cases of each fault and of all, cases of
several faults, and kinds of failing ones with one fault that are repaired, two of each."""


def run(seed: int, parts: list[str], small: bool) -> Figures:
    """The figures of one seed."""
    size, figures = SIZES[small], Figures()
    healthy, figures.drawn = bases(size["healthy"], seed)
    say(f"seed {seed}: {len(healthy)} healthy of {figures.drawn} drawn")
    if "healthy" in parts:
        _alarms(healthy, figures)
    if "single" in parts:
        cases = singles(healthy, size["each"], size["single"], seed)
        _judge(cases, size["repaired"])
        figures.add_singles(cases)
    if "masked" in parts:
        cases = masked(healthy, size["masked"], seed)
        _judge(cases, len(cases))
        figures.add_masked(cases)
    return figures


def _alarms(healthy: list[Base], figures: Figures) -> None:
    experiments = [base.experiment for base in healthy]
    histories = [base.history for base in healthy]
    results = judged(experiments, histories, [False] * len(healthy))
    for base, result in zip(healthy, results, strict=True):
        figures.healthy[base.kind] += 1
        imbalanced = any(finding.code == "class-imbalance" for finding in result.static)
        figures.tasks["imbalanced" if imbalanced else base.experiment.task.label] += 1
        for when, findings in (("after", result.findings), ("before", result.static)):
            alarms = [f for f in findings if f.severity is not Severity.COSMETIC]
            figures.alarmed[when] += bool(alarms)
            figures.alarms += [
                f"{when} training, {base.kind}: {f.severity.value} {f.code}: {f.evidence}"
                for f in alarms
            ]


def _judge(cases: list[Case], repaired: int) -> None:
    """Train, diagnose, and repair of so many kinds of those that fail, evenly spread."""
    histories = trained([case.experiment for case in cases], "faults")
    for case, history in zip(cases, histories, strict=True):
        gain = paired_gain(passed(case.base.history), passed(history))
        case.harmed = gain[2] < 0
    failing: dict[tuple, list[int]] = {}
    for place, case in enumerate(cases):
        if case.harmed and not any(fault.spoilt for fault in case.faults):
            failing.setdefault((case.faults, case.base.family), []).append(place)
    alike = list(failing.values())
    evenly = np.linspace(0, len(alike) - 1, min(repaired, len(alike))).astype(int)
    chosen = {place for each in evenly for place in alike[each][:TOGETHER]}
    results = judged(
        [case.experiment for case in cases],
        histories,
        [place in chosen for place in range(len(cases))],
    )
    for case, result in zip(cases, results, strict=True):
        case.judged = result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4, 5])
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="parts of it")
    parser.add_argument("--small", action="store_true", help="fewer of each, some minutes a seed")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--keep", type=Path, help="a folder, to go on from where it was stopped")
    arguments = parser.parse_args()
    KEPT.extend([arguments.keep] if arguments.keep else [])
    started = time.perf_counter()
    found = {"tuned": Figures(), "untouched": Figures()}
    cases = set(arguments.only) - {"seconds"}
    for seed in arguments.seeds if cases else ():
        found["tuned" if seed in TUNED else "untouched"] += run(
            seed, arguments.only, arguments.small
        )
    seconds = measured_seconds() if "seconds" in arguments.only else None
    say(f"{time.perf_counter() - started:.0f} s")
    if arguments.json:
        print(json.dumps({name: vars(figures) for name, figures in found.items()}, indent=1))
        return
    for name, figures in found.items():
        if figures.drawn:
            show(name, figures)
    if seconds is not None:
        print(f"a diagnosis without training  {seconds[0] * 1e3:.0f} ms at most (to be 50)")
        print(f"a diagnosis of 64 runs        {seconds[1] * 1e3:.0f} ms at most (to be 300)")


if __name__ == "__main__":
    main()
