"""Healthy experiments with faults in them, alone and in pairs."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.diagnosis import target_faults  # noqa: F401 registers its faults
from benchmarks.diagnosis.faults import FAULTS, Fault
from core.diagnosis import Finding, Severity
from core.experiment import Experiment, InvalidExperiment
from core.history import History
from core.streams import generator


@dataclass
class Case:
    """An experiment with some faults in it, and what came of it."""

    faults: tuple[Fault, ...]
    base: Experiment
    experiment: Experiment
    history: History | None = None
    harmed: bool = False
    findings: tuple[Finding, ...] = ()
    static: tuple[Finding, ...] = ()

    def found(self, fault: Fault) -> bool:
        """A code names it; of a fault that harms, as more than cosmetic."""
        serious = self.harmed and not fault.harmless
        return any(
            finding.code in fault.codes
            and (not serious or finding.severity is not Severity.COSMETIC)
            for finding in self.findings
        )


def cases(bases: list[Experiment], pairs: int, seed: int) -> list[Case]:
    rng = generator(seed)
    singles = []
    for base in bases:
        for one in FAULTS:
            changed = _edited(base, (one,))
            if changed is not None and changed != base:
                singles.append(Case((one,), base, changed))
    doubles: list[Case] = []
    while len(doubles) < pairs:
        base = bases[rng.integers(len(bases))]
        chosen = tuple(FAULTS[k] for k in sorted(rng.choice(len(FAULTS), 2, replace=False)))
        changed = _edited(base, chosen)
        alone = [_edited(base, (one,)) for one in chosen]
        # A fault that hides the other is one fault, not a pair; so are labels written anew twice.
        tables = [a is not None and not a.data.source.random for a in alone]
        if all(tables):
            continue
        if changed is not None and all(a not in (None, base, changed) for a in alone):
            doubles.append(Case(chosen, base, changed))
    return singles + doubles


def _edited(base: Experiment, faults: tuple[Fault, ...]) -> Experiment | None:
    try:
        for one in faults:
            if not one.fits(base):
                return None
            base = one.edit(base)
            if base is None:
                return None
    except (InvalidExperiment, AttributeError, TypeError, ValueError):
        return None
    return base
