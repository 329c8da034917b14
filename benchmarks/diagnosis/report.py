"""The figures of some seeds as a table, and what they are required to be."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, fields

from benchmarks.diagnosis.cases import Case
from core.rates import Rate

FOUND, FOUND_EACH, CASES = 0.95, 0.85, 10
"""Of the faults that harm, and of each code with at least so many cases."""
REPAIRED, UNMASKED, PRECISE = 0.92, 0.90, 0.85
ENOUGH = 0.9
"""Of the runs, with which a masked fault counts as solved."""


@dataclass
class Figures:
    """What was counted; figures of several seeds add up.

    Args:
        drawn: Experiments, for the healthy ones among them.
        healthy: Healthy experiments, by kind.
        tasks: The same by task; "imbalanced" for classes of which one is rare.
        alarmed: Those of them with a finding above cosmetic, "before" and "after" training.
        alarms: These findings in words.
        found, cases: Faults by their first code that were named, and that were put in, alone.
        together, together_found: Of those that were put in with others.
        harmless: Faults that did no harm, and are not counted.
        right, causes: Findings above cosmetic of the repaired ones that claim a right cause, and
            all that claim one.
        failing, repaired: Failing experiments, alone, that repair was tried on, and mended.
        masked, unmasked: Of those with several faults.
        missed, wrong, broken: In words: faults, findings, and experiments.
    """

    drawn: int = 0
    healthy: Counter[str] = field(default_factory=Counter)
    tasks: Counter[str] = field(default_factory=Counter)
    alarmed: Counter[str] = field(default_factory=Counter)
    alarms: list[str] = field(default_factory=list)
    found: Counter[str] = field(default_factory=Counter)
    cases: Counter[str] = field(default_factory=Counter)
    together_found: int = 0
    together: int = 0
    harmless: int = 0
    right: int = 0
    causes: int = 0
    failing: int = 0
    repaired: int = 0
    masked: int = 0
    unmasked: int = 0
    missed: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    def __iadd__(self, other: Figures) -> Figures:
        for each in fields(self):
            setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))
        return self

    def add_singles(self, cases: list[Case]) -> None:
        for case in cases:
            (fault,) = case.faults
            if not case.harmed and not fault.harmless:
                self.harmless += 1
                continue
            self.cases[fault.codes[0]] += 1
            if case.found(fault):
                self.found[fault.codes[0]] += 1
            else:
                self.missed.append(f"{case.name}: {_said(case)}")
            self._add_causes(case)
            repair = case.judged.repair
            if repair is not None:
                self.failing += 1
                self.repaired += repair.smallest is not None
                if repair.smallest is None:
                    self.broken.append(f"{case.name} ({repair.before}): {_said(case)}")

    def add_masked(self, cases: list[Case]) -> None:
        for case in cases:
            if not case.harmed:
                self.harmless += 1
                continue
            self._add_causes(case)
            self.together += len(case.faults)
            self.together_found += sum(map(case.found, case.faults))
            repair = case.judged.repair
            if repair is not None:
                smallest = repair.smallest
                mended = smallest is not None and smallest.rate.value >= ENOUGH
                self.masked += 1
                self.unmasked += mended
                if not mended:
                    best = "nothing helps" if smallest is None else f"{smallest.rate} at best"
                    self.broken.append(f"{case.name} ({best}): {_said(case)}")

    def _add_causes(self, case: Case) -> None:
        # Whether a finding of something else is right shows only where its fixes are tried.
        if case.judged.repair is None:
            return
        for finding in case.causes():
            self.causes += 1
            self.right += case.is_right(finding)
            if not case.is_right(finding):
                self.wrong.append(f"{finding.severity.value} {finding.code} for {case.name}")


def _said(case: Case) -> str:
    return ", ".join(f"{f.severity.value} {f.code}" for f in case.judged.findings)


def show(name: str, figures: Figures) -> None:
    """Print the figures of the seeds that are called so."""
    print(f"== {name} seeds")
    healthy = sum(figures.healthy.values())
    kinds = ", ".join(f"{count} {kind}" for kind, count in figures.healthy.items())
    print(f"healthy experiments: {healthy} ({kinds}), of {figures.drawn} drawn")
    print(f"    {', '.join(f'{count} {task}' for task, count in figures.tasks.items())}")
    for when in ("before", "after") if healthy else ():
        _line(f"alarmed {when} training", figures.alarmed[when], healthy, 0, most=True)
    _list(figures.alarms)
    found, cases = sum(figures.found.values()), sum(figures.cases.values())
    _line("faults found, alone", found, cases, FOUND)
    for code, count in sorted(figures.cases.items()):
        goal = FOUND_EACH if count >= CASES else None
        _line(f"  {code}", figures.found[code], count, goal)
    _list(figures.missed)
    _line("faults found, with others", figures.together_found, figures.together, None)
    print(f"put in without harm (not counted): {figures.harmless}")
    _line("findings above cosmetic right", figures.right, figures.causes, PRECISE)
    _list(f"{count} x {text}" for text, count in Counter(figures.wrong).most_common())
    _line("failing with a verified fix", figures.repaired, figures.failing, REPAIRED)
    _line("several faults solved", figures.unmasked, figures.masked, UNMASKED)
    _list(figures.broken)


def _line(what: str, count: int, of: int, goal: float | None, most: bool = False) -> None:
    if not of:
        return
    share, met = count / of, ""
    if goal is not None:
        good = share <= goal if most else share >= goal
        met = f"  {'met' if good else 'NOT MET'} ({'at most' if most else 'at least'} {goal:.0%})"
    print(f"{what:34s} {share:6.1%}  {Rate(count, of)}{met}".replace(" runs", ""))


def _list(lines) -> None:
    for line in lines:
        print(f"    {line}")
