"""Whether the fixes of the findings help, over the same seeds."""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from benchmarks.diagnosis.cases import Case
from benchmarks.diagnosis.runs import passed, trained
from core.diagnosis import Severity
from core.experiment import Experiment, InvalidExperiment
from core.fixes import Fix
from core.rates import paired_gain

FIXES_EACH = 4
VERIFIED_RUNS = 64
"""Runs that a fix is verified over: where 14 of 16 runs succeed as it is, 16 cannot show a gain."""


def verify(chosen: list[Case]) -> list[dict]:
    """Train each fatal or fragile finding's fixes; a row a finding: code, fault, alone, helped."""
    plans = []
    for case in chosen:
        serious = [f for f in case.findings if f.severity in (Severity.FATAL, Severity.FRAGILE)]
        by_key: dict[str, Fix] = {}
        for finding in serious:
            for fix in finding.fixes[:FIXES_EACH]:
                by_key.setdefault(fix.key, fix)
        plans.append((case, serious, by_key))
    sets, experiments = [], []
    for case, serious, by_key in plans:
        firsts = tuple(dict.fromkeys(f.fixes[0].key for f in serious if f.fixes))
        combinations = {(key,) for key in by_key}
        combinations |= {
            tuple(sorted({a, b})) for n, a in enumerate(firsts) for b in firsts[n + 1 :]
        }
        for keys in sorted(combinations):
            changed = _fixed(case.experiment, [by_key[key] for key in keys])
            if changed is not None:
                sets.append((case, keys))
                experiments.append(changed)
    outcomes: dict[int, dict[tuple, np.ndarray]] = defaultdict(dict)
    unchanged = [case.experiment for case in chosen]
    histories = trained(unchanged + experiments, "fixes", VERIFIED_RUNS)
    befores = [passed(history) for history in histories[: len(unchanged)]]
    histories = histories[len(unchanged) :]
    for (case, keys), history in zip(sets, histories, strict=True):
        outcomes[id(case)][keys] = passed(history)
    rows = []
    for (case, serious, _), before in zip(plans, befores, strict=True):
        after = outcomes[id(case)]
        for finding in serious:
            keys = {fix.key for fix in finding.fixes[:FIXES_EACH]}
            alone = any(
                paired_gain(before, after[(key,)])[1] > 0 for key in keys if (key,) in after
            )
            joined = any(
                len(pair) == 2
                and keys & set(pair)
                and paired_gain(before, runs)[1] > 0
                # The other one alone must not do as much.
                and all(runs.mean() > after.get((key,), before).mean() for key in set(pair) - keys)
                for pair, runs in after.items()
            )
            rows.append(
                {
                    "code": finding.code,
                    "fault": " and ".join(one.name for one in case.faults),
                    "before": f"{before.sum()} of {len(before)} runs",
                    "alone": alone,
                    "helped": alone or joined,
                }
            )
    return rows


def _fixed(experiment: Experiment, some: list[Fix]) -> Experiment | None:
    for order in (some, some[::-1]):
        try:
            changed = experiment
            for fix in order:
                changed = fix.apply(changed)
            return None if changed == experiment else changed
        except InvalidExperiment:
            continue
    return None
