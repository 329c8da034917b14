"""The findings in a few sentences that connect them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from core.baselines import Baselines
from core.diagnosis._diagnose import doubt, limit, main_cause
from core.diagnosis.findings import (
    COSMETIC,
    FATAL,
    FRAGILE,
    SLOW,
    Finding,
    counted,
    scores_of_failed,
)
from core.diagnosis.harmless import without_harm
from core.diagnosis.observations import FinalState, final_state
from core.diagnosis.rules import RULES, is_cause, rule_of
from core.history import TARGET, History

if TYPE_CHECKING:
    from core.diagnosis.trials import Repair

OUTLOOK = {
    FATAL: "the network cannot learn as it is",
    FRAGILE: "some runs learn and others do not",
    SLOW: "the runs are too slow to get there in time",
}
"""What the severity of the worst finding means before a training."""
SHORT = 60
"""Characters of a sentence of evidence below which the next one is told as well."""
NAMES = ("Keras", "Adam", "Google")
"""Words that keep their capital within a sentence."""


def summary(
    findings: tuple[Finding, ...],
    history: History | None = None,
    target: float = TARGET,
    repair: Repair | None = None,
    *,
    baselines: Baselines | None = None,
) -> tuple[str, ...]:
    """What happens, because of what, what follows from it, and what to do first.

    Args:
        findings: Of `diagnose`, with the same history and target.
        history: Of the experiment; None before any training.
        target: The score that counts as success.
        repair: The outcome of trying the fixes of these findings, if they were tried; what it
            shows to do no harm is no cause.
        baselines: As for `diagnose`.

    Returns:
        Up to five sentences, each with a figure: three or more where something is wrong.
    """
    end = None if history is None else final_state(history, target, baselines)
    if repair is not None:
        findings = without_harm(findings, repair)
    serious = [finding for finding in findings if finding.severity is not COSMETIC]
    if not serious:
        sound = _sound(findings, end)
        verified = repair is not None and repair.smallest is not None
        return (*sound, _first_step([], repair)) if verified else sound
    main = main_cause(findings)
    happens = _expected(findings, serious) if end is None else _happened(end)
    first = _first_step([main, *serious], repair)
    between = _consequences(main, serious, str(end.rate if end else None))
    return (happens, _cause(main), *between[:2], first)


def _expected(findings: tuple[Finding, ...], serious: list[Finding]) -> str:
    likely = "" if main_cause(findings).confidence == "certain" else "probably "
    which = f"{len(serious)} of {len(findings)} findings" if len(findings) > 1 else "the 1 finding"
    return (
        f"Before any training, {which} {'does' if len(serious) == 1 else 'do'} harm: "
        f"{likely}{OUTLOOK[serious[0].severity]}."
    )


def _happened(end: FinalState) -> str:
    goal, task = end.goal, end.history.experiment.task
    text = f"{end.rate} {goal.passes}"
    if end.failed.any():
        held_out = " of the held-out rows" * bool(end.history.experiment.data.held_out_rows)
        text += f"; {scores_of_failed(end)}, where always predicting {task.constant}{held_out} has "
        text += task.stated(goal.rows.drawn_baseline(task))
    return f"{text}."


def _sound(findings: tuple[Finding, ...], end: FinalState | None) -> tuple[str, ...]:
    """What is said where nothing does harm."""
    if end is None:
        said = [f"None of {len(RULES)} checks finds anything that does harm before training."]
    else:
        said = [_happened(end)]
        until = end.history.epochs_until(end.goal.score)[end.passed]
        if np.isfinite(until).any():
            said.append(
                f"Half of those that {end.goal.passes} are there after epoch "
                f"{np.nanmedian(until):,.0f} of {end.history.experiment.training.epochs:,}."
            )
        if best := limit(end):
            said.append(f"{best[0].upper()}{best[1:]}.")
        elif unknown := doubt(end):
            said.append(unknown.strip())
    still_open = [finding for finding in findings if finding.is_open]
    if still_open:
        said.append(
            f"Whether “{still_open[0].title}” does harm shows only in training: "
            f"{_figure(still_open[0])}."
        )
    elif findings:
        said.append(
            f"{counted(len(findings), 'note')} on what does no harm here; the first is "
            f"“{findings[0].title}”: {_figure(findings[0])}."
        )
    return tuple(said)


def _cause(main: Finding) -> str:
    if rule_of(main).symptom or not main.because:
        known = sum(not rule.symptom for rule in RULES.values())
        how = f"; {_begun(main.settle)}" if main.settle else "."
        return f"None of {known} known causes fits the measurements{how}"
    doubt = "" if main.confidence == "certain" else "probably "
    return f"The main cause is {doubt}that {main.because}: {_figure(main)}."


def _consequences(main: Finding, serious: list[Finding], told: str) -> list[str]:
    """What brings the main cause about or follows from it, what is seen of it, and what is left.

    Args:
        main: The main cause.
        serious: The findings that do harm, the most severe first.
        told: How the evidence begins of a finding that says what has been said.
    """
    others = [finding for finding in serious if finding is not main and finding.because]
    causes = [finding for finding in others if is_cause(finding)]
    behind = [f for f in causes if f.code in rule_of(main).follows]
    after = [f for f in causes if main.code in rule_of(f).follows]
    seen = [f for f in others if rule_of(f).symptom and not f.evidence.startswith(told)]
    apart = [f for f in causes if f not in behind and f not in after]
    text = []
    if behind:
        text.append(f"That in turn is because {behind[0].because}: {_figure(behind[0])}.")
    elif after:
        text.append(f"As a result, {after[0].because}: {_figure(after[0])}.")
    if seen:
        text.append(f"It shows in the runs: {_figure(seen[0])}.")
    text += [f"Apart from that, {each.because}: {_figure(each)}." for each in apart]
    return text


def _first_step(serious: list[Finding], repair: Repair | None) -> str:
    if repair is not None and repair.smallest is not None:
        best = repair.smallest
        what = " + ".join(f"“{title}”" for title in best.titles)
        return (
            f"Do this first: {what}; {best.rate} {repair.passes} with it, {repair.before} without "
            "it, on the same seeds."
        )
    if repair is not None and repair.trials:
        return (
            f"None of {counted(len(repair.trials), 'tested change')} does clearly better than the "
            f"{repair.before} that {repair.passes} as it is."
        )
    titles = {fix.key: fix.title for finding in serious for fix in finding.fixes}
    if not titles:
        return (
            f"No setting mends that: {counted(len(set(serious)), 'finding')} without a fix, as "
            "the data must change."
        )
    first = next(iter(titles.values()))
    if len(titles) == 1:
        return f"Try “{first}” first: it is the 1 fix that is suggested, and not tested yet."
    return f"Try “{first}” first, of {len(titles)} suggested fixes; none is tested yet."


def _figure(finding: Finding) -> str:
    """The first sentence of the evidence that has a figure, to follow a colon."""
    sentences = re.split(r"(?<=\.) (?=[A-Z0-9])", finding.evidence)
    figures = [s.rstrip(".") for s in sentences if re.search(r"\d", s)] or sentences[:1]
    chosen = figures[0]
    if len(chosen) < SHORT and len(figures) > 1:
        chosen += f"; {_begun(figures[1])}"
    return _begun(chosen)


def _begun(sentence: str) -> str:
    """The sentence after a colon or semicolon: its first letter small, unless it is a name's."""
    word = sentence.split(" ", 1)[0]
    if (word[1:] and not word[1:].islower()) or word.startswith(NAMES):
        return sentence
    return sentence[0].lower() + sentence[1:]
