"""Healthy experiments with faults in them: alone, and two or three that may hide each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.diagnosis import target_faults, unusual_faults  # noqa: F401 register theirs
from benchmarks.diagnosis.bases import Base
from benchmarks.diagnosis.faults import FAULTS, Fault
from benchmarks.diagnosis.runs import Judged
from core.diagnosis import RULES, Finding, Severity
from core.experiment import Experiment, InvalidExperiment
from core.streams import generator

TOGETHER = 2
"""Bases of a family that get the same faults, or are repaired: the second one takes little time."""


@dataclass
class Case:
    """An experiment with some faults in it, and what came of it."""

    faults: tuple[Fault, ...]
    base: Base
    experiment: Experiment
    judged: Judged | None = None
    harmed: bool = False

    def found(self, fault: Fault) -> bool:
        """A code names it; of a fault that harms, as more than cosmetic."""
        serious = self.harmed and not fault.harmless
        return any(
            finding.code in fault.codes
            and (not serious or finding.severity is not Severity.COSMETIC)
            for finding in self.judged.findings
        )

    def causes(self) -> list[Finding]:
        """The findings above cosmetic that claim a cause."""
        return [
            finding
            for finding in self.judged.findings
            if finding.severity is not Severity.COSMETIC
            and finding.code in RULES
            and not RULES[finding.code].symptom
        ]

    def is_right(self, finding: Finding) -> bool:
        """It names a fault that is there, or one of its fixes verifiably helps."""
        if any(finding.code in fault.codes for fault in self.faults):
            return True
        repair = self.judged.repair
        if repair is None:
            return False
        keys = {fix.key for fix in finding.fixes}
        helping = [set(trial.fixes) for trial in repair.trials if trial.helps]
        return any(keys & some and len(some) == 1 for some in helping) or bool(
            repair.smallest is not None and keys & set(repair.smallest.fixes)
        )

    @property
    def name(self) -> str:
        return " + ".join(fault.name for fault in self.faults)


def singles(bases: Sequence[Base], each: int, most: int, seed: int) -> list[Case]:
    """Every fault in at most `each` bases, of families drawn at random; at most so many of them.

    A fault that is worth a word and stops no run is put into one.
    """
    rng = generator(seed, 1)
    families, found = _first_of_each_kind(_families(bases, rng)), []
    for place, fault in enumerate(FAULTS):
        # Not always the same one of those that fit.
        fitting = [some for family in families if (some := _cases(family, (fault,)))]
        first = place % max(min(len(fitting), 3), 1)
        some = [case for family in fitting[first:] + fitting[:first] for case in family]
        found += some[: 1 if fault.harmless else each]
    picked = rng.permutation(len(found))[:most]
    return [found[place] for place in sorted(picked)]


def masked(bases: Sequence[Base], most: int, seed: int) -> list[Case]:
    """Two faults or, every third time, three, each of which stops runs when it is alone.

    The same ones are put into TOGETHER bases of a family.
    """
    rng = generator(seed, 2)
    harmful = [fault for fault in FAULTS if not fault.harmless and not fault.spoilt]
    families, found = _first_of_each_kind(_families(bases, rng))[:8], []
    for _ in range(100 * most):
        count = 3 if len(found) // TOGETHER % 3 == 2 else 2
        faults = tuple(
            harmful[place] for place in sorted(rng.choice(len(harmful), count, replace=False))
        )
        found += _cases(families[rng.integers(len(families))], faults)[:TOGETHER]
        if len(found) >= most:
            break
    return found[:most]


def _families(bases: Sequence[Base], rng: np.random.Generator) -> list[list[Base]]:
    """The bases by their families, in random order."""
    numbers = rng.permutation(sorted({base.family for base in bases}))
    return [[base for base in bases if base.family == number] for number in numbers]


def _first_of_each_kind(families: list[list[Base]]) -> list[list[Base]]:
    """The families, one of each kind of data before the others.

    Most faults are then put into the same few families, whose programs they share.
    """
    kinds, first, others = set(), [], []
    for family in families:
        source = family[0].experiment.data.source
        kind = type(source), source.outputs, source.label_columns, min(source.classes, 3)
        (others if kind in kinds else first).append(family)
        kinds.add(kind)
    return first + others


def _cases(bases: Sequence[Base], faults: tuple[Fault, ...]) -> list[Case]:
    cases = (_case(base, faults) for base in bases)
    return [case for case in cases if case is not None]


def _case(base: Base, faults: tuple[Fault, ...]) -> Case | None:
    """The base with these faults; None where one does not fit, or undoes another."""
    original = base.experiment
    alone = [edited(original, (fault,)) for fault in faults]
    changed = edited(original, faults)
    if changed is None or any(each in (None, original) for each in alone):
        return None
    if len(faults) > 1:
        tables = [original.data.source != each.data.source for each in alone]
        # Labels that are written anew twice are one fault, as is what the next one undoes.
        without = [
            edited(original, tuple(other for other in faults if other is not fault))
            for fault in faults
        ]
        if changed in alone or changed in without or np.sum(tables) > 1:
            return None
    return Case(faults, base, changed)


def edited(experiment: Experiment, faults: tuple[Fault, ...]) -> Experiment | None:
    """The experiment with these faults, one after the other; None where one does not fit."""
    try:
        for one in faults:
            if not one.fits(experiment):
                return None
            experiment = one.edit(experiment)
            if experiment is None:
                return None
    except (InvalidExperiment, AttributeError, TypeError, ValueError, IndexError):
        return None
    return experiment
