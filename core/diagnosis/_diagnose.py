"""Why a training is stuck: findings with evidence, the most severe first.

`diagnose` needs neither TensorFlow nor a training: what the experiment alone shows is computed
from its data, from draws of its initial weights and from a look ahead in NumPy. With a history,
what happened decides: where all runs succeed nothing is worse than cosmetic. A finding whose
severity differs from the one before training says why.

Each rule is a function from `Observations` to a `Finding` or None, registered by its code; they
are in `core.diagnosis.rules`, the thresholds that they share in `core.diagnosis.findings`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import cache, lru_cache, partial

from core import fixes
from core.diagnosis.findings import (
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
from core.diagnosis.observations import Observations
from core.diagnosis.rules import RULES
from core.experiment import (
    Experiment,
    InvalidExperiment,
)
from core.fixes import Fix
from core.history import TARGET, History

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
    if history is not None:
        before = {finding.code: finding for finding in from_settings(experiment, target)}
        found = [_as_it_turned_out(seen, finding, before.get(finding.code)) for finding in found]
    found = _with_fixes_of_causes(found)
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
    """What is wrong and its main cause, in a sentence or two; or that nothing is wrong.

    With a history, its runs decide what is wrong, and the findings why.
    """
    worst = findings[0].severity if findings else COSMETIC
    if history is None:
        return _expected(findings, worst)
    seen = Observations(history.experiment, history, target)
    if worst is not COSMETIC:
        moving = f" Most of the runs that {seen.fails} are still improving when training ends."
        if seen.passing.successes:
            why = _because(findings, "mainly because")
            return f"Depends on the seed, {why}.{moving if worst is SLOW else ''}"
        why = _because(findings, "because")
        return f"Slow rather than stuck, {why}.{moving}" if worst is SLOW else f"Stuck {why}."
    if seen.ceiling < 1 and seen.goal <= seen.scores.mean() <= seen.ceiling + CLOSE:
        return (
            f"Nothing wrong found, and this is as good as it gets: the classes overlap, and no "
            f"classifier can be right in more than about {seen.ceiling:.1%} of the samples "
            f"(here {seen.scores.mean():.1%})."
        )
    return f"Nothing wrong found: {seen.passing} {seen.passes}."


def _expected(findings: tuple[Finding, ...], worst: Severity) -> str:
    """The verdict before training."""
    if worst is COSMETIC:
        return "Nothing wrong found before training."
    sure = _main(findings).confidence == CERTAIN
    why = _because(findings, "because" if sure else "probably because")
    if worst is FATAL:
        return f"Stuck {why}." if sure else f"Stuck, {why}."
    return f"{'Slow rather than stuck' if worst is SLOW else 'Depends on the seed'}, {why}."


def _main(findings: tuple[Finding, ...]) -> Finding:
    """The most severe cause; a symptom only where no cause is known."""
    causes = (f for f in findings if f.code not in SYMPTOMS and f.severity is not COSMETIC)
    return next(causes, findings[0])


def _because(findings: tuple[Finding, ...], link: str) -> str:
    cause = _main(findings).because
    return f"{link} {cause}" if cause else "for an unknown reason"


def _effective(experiment: Experiment, fix: Fix) -> bool:
    """The fix fits this experiment and changes it."""
    try:
        return fix.apply(experiment) != experiment
    except InvalidExperiment:
        return False


def _as_it_turned_out(seen: Observations, finding: Finding, before: Finding | None) -> Finding:
    """What happened overrules what was expected, and is said where it differs.

    before: the same finding before training, if there was one.
    """
    feared = before is not None and (before.is_open or before.severity is not COSMETIC)
    if not seen.is_stuck:
        if finding.severity is COSMETIC and not feared:
            return finding
        note = f" All {seen.history.runs} runs {seen.passes} all the same."
        return replace(
            finding,
            severity=COSMETIC,
            evidence=finding.evidence + note,
            confidence=CERTAIN,
            settle=None,
        )
    if finding.severity is FATAL and seen.passing.successes:
        finding = replace(finding, severity=FRAGILE)
    elif finding.severity is FRAGILE and not seen.passing.successes and finding.code not in BY_RUN:
        finding = replace(finding, severity=FATAL)
    if before is None or (finding.severity is before.severity and not before.is_open):
        return finding
    return replace(finding, evidence=f"{finding.evidence} {_turn(seen, finding, before)}")


def _turn(seen: Observations, now: Finding, before: Finding) -> str:
    """Why a finding's severity is another one than before training, where some runs fail."""
    failed, runs = int(seen.stuck.sum()), seen.history.runs
    if now.severity is FRAGILE and before.severity is FATAL:
        return f"{_of(runs - failed, runs, seen.passes)} all the same."
    fail = _of(failed, runs, seen.fails) if failed < runs else f"All {runs} runs {seen.fails}"
    if now.severity is COSMETIC:
        return f"{fail}, but mainly for other reasons."
    how = "still improving when training ends" if now.severity is SLOW else "stuck rather than slow"
    return f"{fail}, and most of them are {how}."


def _of(count: int, runs: int, doing: str) -> str:
    verb, *rest = doing.split(" ", 1)
    if count == 1:
        verb += "es" if verb.endswith("ch") else "s"
    return " ".join([f"{count} of {runs} runs {verb}", *rest])


BY_RUN = frozenset({"dead-units"})
"""Causes that are counted by run, so that they may depend on the seed where all runs fail."""


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
"""Symptoms that are as severe as they look."""


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
        FRAGILE if seen.passing.successes else FATAL,
        "Stuck for an unknown reason",
        f"{seen.passing} {seen.passes}; {accuracies(seen)}.",
        "None of the known causes fits the measurements. The inputs may not tell the classes "
        "apart.",
        (fixes.STANDARDISE, fixes.WIDEN, fixes.rate(10 * seen.rate), fixes.rate(seen.rate / 10)),
        CANNOT_TELL,
        "Train with each suggested fix on the same seeds, and see whether a network can memorise "
        "16 of the rows.",
    )
