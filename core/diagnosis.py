"""Why a training is stuck: findings with evidence, the most severe first.

`diagnose` needs neither TensorFlow nor a training: what the experiment alone shows is computed
from its data, from draws of its initial weights and from a look ahead in NumPy. With a history,
what happened decides: where all runs succeed nothing is worse than cosmetic.

Each rule is a function from `Observations` to a `Finding` or None, registered by its code; they
are in `core.rules`, the thresholds that they share in `core.findings`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import cache, lru_cache, partial

from core import fixes
from core.experiment import (
    Experiment,
    InvalidExperiment,
)
from core.findings import (
    CANNOT_TELL,
    CERTAIN,
    COSMETIC,
    FATAL,
    FRAGILE,
    SLOW,
    Finding,
    Severity,
    accuracies,
)
from core.history import History
from core.observations import Observations
from core.problems import TARGET, Fix
from core.rules import RULES

__all__ = ["RULES", "Finding", "Severity", "diagnose", "from_settings", "verdict"]


def diagnose(
    experiment: Experiment, history: History | None = None, target: float = TARGET
) -> tuple[Finding, ...]:
    """What is wrong, most severe first; () where nothing is worth a word.

    history: of this experiment; None for what the configuration, the data and the initial weights
    show. target: the accuracy that counts as success.
    """
    seen = Observations(experiment, history, target)
    found: list[Finding] = []
    for function in RULES.values():
        result = function(seen)
        if result is not None:
            found.append(result)
    found = _with_fixes_of_causes([_as_it_turned_out(seen, finding) for finding in found])
    effective = cache(partial(_effective, experiment))
    found = [replace(f, fixes=tuple(filter(effective, f.fixes))) for f in found]
    # Symptoms alone explain nothing.
    if seen.is_stuck and all(f.severity is COSMETIC or f.code in SYMPTOMS for f in found):
        found.append(_unexplained(seen))
    return tuple(sorted(found, key=lambda finding: finding.severity.rank))


@lru_cache(maxsize=64)
def from_settings(experiment: Experiment, target: float = TARGET) -> tuple[Finding, ...]:
    """`diagnose` before training, kept: a page asks for it to show it, and to price its fixes."""
    return diagnose(experiment, None, target)


def verdict(
    findings: tuple[Finding, ...], history: History | None = None, target: float = TARGET
) -> str:
    """The findings in one plain sentence; it says so where nothing is wrong."""
    worst = findings[0].severity if findings else COSMETIC
    if worst is not COSMETIC:
        lead = findings[0].title[0].lower() + findings[0].title[1:]
        return {
            FATAL: f"This cannot learn: {lead}.",
            FRAGILE: f"Whether this learns depends on the seed: {lead}.",
            SLOW: f"This is only slow: {lead}.",
        }[worst]
    if history is None:
        return "Nothing wrong found before training."
    seen = Observations(history.experiment, history, target)
    if seen.ceiling < 1 and seen.goal <= seen.scores.mean() <= seen.ceiling + CLOSE:
        return (
            f"Nothing wrong found, and this is as good as it gets: the classes overlap, and no "
            f"classifier can be right in more than about {seen.ceiling:.1%} of the samples "
            f"(here {seen.scores.mean():.1%})."
        )
    return f"Nothing wrong found: {seen.success} succeed."


def _effective(experiment: Experiment, fix: Fix) -> bool:
    """The fix fits this experiment and changes it."""
    try:
        return fix.apply(experiment) != experiment
    except InvalidExperiment:
        return False


def _as_it_turned_out(seen: Observations, finding: Finding) -> Finding:
    """What happened overrules what was expected."""
    if seen.history is None or finding.severity is COSMETIC:
        return finding
    if not seen.is_stuck:
        note = f" All {seen.history.runs} runs succeed all the same."
        return replace(
            finding,
            severity=COSMETIC,
            evidence=finding.evidence + note,
            confidence=CERTAIN,
            settle=None,
        )
    if finding.severity is FATAL and seen.success.successes:
        return replace(finding, severity=FRAGILE)
    return finding


SYMPTOMS = frozenset(
    {
        "constant-prediction",
        "accuracy-frozen",
        "depends-on-the-seed",
        "oscillation",
        "non-finite-loss",
        "exploding-gradient",
        "loss-below-zero",
    }
)
"""What is seen in a history whatever the cause: it goes away with the cause."""
CLOSE = 0.02
"""A mean accuracy this far above an estimated ceiling shows that the estimate is too low."""
RATES = frozenset({"depends-on-the-seed", "non-finite-loss"})
"""Symptoms that are as bad as they look."""


def _with_fixes_of_causes(found: list[Finding]) -> list[Finding]:
    """Symptoms take over the first fix of each cause, and are no worse than the worst of them."""
    causes = [f for f in found if f.code not in SYMPTOMS and f.severity is not COSMETIC]
    causes.sort(key=lambda finding: finding.severity.rank)
    firsts = [finding.fixes[0] for finding in causes if finding.fixes]
    worst = causes[0].severity if causes else FATAL
    return [
        replace(
            finding,
            fixes=_distinct((*firsts, *finding.fixes)),
            severity=finding.severity
            if finding.code in RATES
            else max(finding.severity, worst, key=lambda severity: severity.rank),
        )
        if finding.code in SYMPTOMS
        else finding
        for finding in found
    ]


def _distinct(some: Iterable[Fix]) -> tuple[Fix, ...]:
    return tuple({fix.key: fix for fix in reversed(tuple(some))}.values())[::-1]


def _unexplained(seen: Observations) -> Finding:
    return Finding(
        "unexplained",
        FRAGILE if seen.success.successes else FATAL,
        "Stuck, and no rule says why",
        f"{seen.success} succeed; {accuracies(seen)}.",
        "None of the known causes fits what was measured. It may be the data: the inputs may not "
        "tell the classes apart.",
        (fixes.STANDARDISE, fixes.WIDEN, fixes.rate(10 * seen.rate), fixes.rate(seen.rate / 10)),
        CANNOT_TELL,
        "Train with each suggested fix over the same seeds, and look at whether a network can "
        "learn 16 of the rows by heart.",
    )
