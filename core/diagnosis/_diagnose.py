"""Why a training is stuck: findings with evidence, the most severe first.

`diagnose` needs neither TensorFlow nor a training: what the experiment alone shows is computed
from its data, from draws of its initial weights and from a look ahead in NumPy. With a history,
what happened decides: where all runs succeed, or all but one in 16, nothing is worse than cosmetic
but what makes success mean nothing. A finding whose
severity differs from the one before training says why.

The rules are in `core.diagnosis.rules`, the thresholds that they share in
`core.diagnosis.thresholds`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from functools import cache, lru_cache, partial

import numpy as np

from core import fixes
from core.baselines import Baselines
from core.diagnosis.findings import (
    CANNOT_TELL,
    CERTAIN,
    COSMETIC,
    FATAL,
    FRAGILE,
    LIKELY,
    SLOW,
    Finding,
    Severity,
    number,
    runs_that_fail,
    scores_of_failed,
)
from core.diagnosis.observations import FinalState, Observations, final_state
from core.diagnosis.rules import RULES, Rule, is_cause, rule_of
from core.experiment import Experiment, InvalidExperiment
from core.fixes import Fix
from core.history import LAST_PART, TARGET, History
from core.rates import percent

LONGER = 4
"""Times as many epochs, with which 83% of the runs that are still improving get there
(`core.history.History.outcomes`)."""
CLOSE = 0.02
"""A mean accuracy this far above an estimated ceiling shows that the estimate is too low."""


def diagnose(
    experiment: Experiment,
    history: History | None = None,
    target: float = TARGET,
    *,
    baselines: Baselines | None = None,
) -> tuple[Finding, ...]:
    """What is wrong, most severe first.

    Args:
        experiment: What is diagnosed.
        history: Of this experiment; None for what the configuration, the data and the initial
            weights show.
        target: The accuracy that counts as success.
        baselines: What other models reach on the same rows (`core.baselines`), where that was
            measured: the best of them says what can be asked of the network.

    Returns:
        The findings; () where nothing is worth a word.
    """
    obs = Observations(experiment, history, target, baselines)
    found = [finding for rule in RULES.values() if (finding := rule.finding(obs)) is not None]
    codes = {finding.code for finding in found}
    found = [finding for finding in found if codes.isdisjoint(rule_of(finding).unless)]
    findings = found
    if obs.end is not None:
        findings = _after(obs, obs.end, found, from_settings(experiment, target))
    findings = _with_fixes_of_causes(findings)
    effective = cache(partial(_effective, obs))

    def with_effective_fixes(finding: Finding) -> Finding:
        return replace(finding, fixes=_distinct(filter(effective, finding.fixes)))

    findings = [with_effective_fixes(finding) for finding in findings]
    # Symptoms alone explain nothing.
    if obs.failing is not None and not any(is_cause(finding) for finding in findings):
        findings.append(with_effective_fixes(_unexplained(obs, findings)))
    return tuple(sorted(findings, key=lambda finding: finding.severity.rank))


def _after(
    obs: Observations, end: FinalState, found: list[Finding], expected: tuple[Finding, ...]
) -> list[Finding]:
    """The findings in the light of what happened."""
    before = {finding.code: finding for finding in expected}
    findings = [_revised(end, finding, before.get(finding.code)) for finding in found]
    explained = end.sound or any(is_cause(finding) for finding in findings)
    more_helps = obs.goal.learnable and obs.rate_dies is None and not obs.stopped_early
    if not explained and end.improving and more_helps:
        findings.append(_still_improving(obs, end))
        explained = True
    if explained:
        return [
            replace(finding, confidence=CERTAIN, settle=None) if finding.is_open else finding
            for finding in findings
        ]
    # Where nothing else explains it, what may do harm stays open.
    return [raw if raw.is_open else revised for raw, revised in zip(found, findings, strict=True)]


def from_settings(experiment: Experiment, target: float = TARGET) -> tuple[Finding, ...]:
    """`diagnose` before training, kept: a page asks for it to show it, and to price its fixes."""
    return _from_settings(experiment, target, tuple(RULES.values()))


@lru_cache(maxsize=64)
def _from_settings(
    experiment: Experiment, target: float, rules: tuple[Rule, ...]
) -> tuple[Finding, ...]:
    """rules: those that are registered now; with others the findings are others."""
    return diagnose(experiment, None, target)


def verdict(
    findings: tuple[Finding, ...],
    history: History | None = None,
    target: float = TARGET,
    *,
    baselines: Baselines | None = None,
) -> str:
    """What is wrong and its main cause, in a sentence or two; or that nothing is wrong.

    With a history, its runs decide what is wrong, and the findings why.

    Args:
        findings: Of `diagnose`, with the same history, target and baselines.
        history: Of the experiment; None before any training.
        target: The accuracy that counts as success.
        baselines: As for `diagnose`.
    """
    worst = findings[0].severity if findings else COSMETIC
    if history is None:
        return _expected(findings, worst)
    end = final_state(history, target, baselines)
    goal = end.goal
    if findings and rule_of(main := main_cause(findings)).always:
        return (
            f"Nothing can be learnt, because {main.because}: that {end.rate} {goal.passes} says "
            "nothing."
        )
    if worst is not COSMETIC:
        moving = f" Most of the runs that {goal.fails} are still improving when training ends."
        if end.failed.sum() == 1:
            moving = f" The run that {_of_one(goal.fails)} is still improving when training ends."
        if end.rate.successes:
            why = _because(findings, "mainly because")
            return f"Depends on the seed, {why}.{moving if worst is SLOW else ''}"
        why = _because(findings, "because")
        return f"Slow rather than stuck, {why}.{moving}" if worst is SLOW else f"Stuck {why}."
    if best := limit(end):
        return f"Nothing wrong found, and {best}."
    rest = f"; {scores_of_failed(end)}" if end.failed.any() else ""
    return f"Nothing wrong found: {end.rate} {goal.passes}{rest}.{doubt(end)}"


def limit(end: FinalState) -> str:
    """What keeps a model from a better score, in a clause; "" where these runs are not at it."""
    goal, mean, ceiling = end.goal, float(np.mean(end.scores)), end.goal.rows.ceiling
    if goal.is_estimated:
        others = goal.rows.baselines
        if others is None or goal.score == goal.target:
            return ""
        best = others.best
        if mean < best.score - 2 * best.error or _outdone(end):
            return ""
        task = others.task
        return (
            f"this is as good as these data get, as far as {len(others.models)} other models show: "
            f"{best.name} has {task.named(round(best.score, 3))}, these runs "
            f"{task.written(round(mean, 3))} on average"
        )
    limited = goal.noisy if goal.regression else ceiling < 1
    if not limited or not goal.score <= mean <= ceiling + CLOSE:
        return ""
    if goal.regression:
        return (
            "this is as good as it gets: the targets are noisy, and no model can exceed an R² of "
            f"about {ceiling:.2f} (here {mean:.2f})"
        )
    return (
        "this is as good as it gets: the classes overlap, and no classifier can be right in more "
        f"than about {percent(ceiling)} of the samples (here {percent(mean)})"
    )


def doubt(end: FinalState) -> str:
    """What cannot be told: of so few rows, or of a target that no model is known to reach."""
    goal, task = end.goal, end.history.experiment.task
    if end.close:
        return (
            f" On {end.history.experiment.data.held_out_rows:,} held-out rows "
            f"{goal.name} is known to within {task.difference(2 * goal.error)} (95% confidence), "
            "so these runs may be as good as that."
        )
    if others := _outdone(end):
        best = others.best
        return (
            f" Their mean {task.score_name} of {task.stated(float(np.mean(end.scores)))} is on the "
            f"rows that they are trained on, while {best.name} has {task.stated(best.score)} on "
            "rows that it has not seen: whether these runs do better there, only held-out rows can "
            "tell."
        )
    if not goal.is_estimated or goal.score == goal.target or goal.rows.baselines is not None:
        return ""
    return (
        f" Whether {task.stated(goal.target)} can be reached on these data cannot be told without "
        "other models."
    )


def _outdone(end: FinalState) -> Baselines | None:
    """The other models, if the runs do better on the rows that they are trained on than these do
    on new ones: they may have memorised them."""
    others = end.goal.rows.baselines
    if not end.goal.is_estimated or others is None or end.history.experiment.data.held_out_rows:
        return None
    better = np.mean(end.scores) > others.best.score + 2 * others.best.error
    return others if better else None


def _expected(findings: tuple[Finding, ...], worst: Severity) -> str:
    """The verdict before training."""
    if worst is COSMETIC:
        return "Nothing wrong found before training."
    sure = main_cause(findings).confidence == CERTAIN
    why = _because(findings, "because" if sure else "probably because")
    if worst is FATAL:
        return f"Stuck {why}." if sure else f"Stuck, {why}."
    return f"{'Slow rather than stuck' if worst is SLOW else 'Depends on the seed'}, {why}."


def main_cause(findings: tuple[Finding, ...]) -> Finding:
    """The most severe cause; a symptom only where no cause is known.

    Of those that are equally severe, it is one that brings others about rather than what follows.
    """
    worst = list(filter(is_cause, findings))
    worst = [finding for finding in worst if finding.severity is worst[0].severity]
    if not worst:
        return findings[0]
    main, behind = worst[0], worst[1:]
    while roots := [finding for finding in behind if finding.code in rule_of(main).follows]:
        main = roots[0]
        behind.remove(main)
    return main


def _because(findings: tuple[Finding, ...], link: str) -> str:
    cause = main_cause(findings).because
    return f"{link} {cause}" if cause else "for an unknown reason"


def _effective(obs: Observations, fix: Fix) -> bool:
    """The fix fits this experiment and changes it."""
    if fix == fixes.STANDARDISE and obs.rows.standardised:
        return False
    try:
        return fix.apply(obs.experiment) != obs.experiment
    except InvalidExperiment:
        return False


def _revised(end: FinalState, finding: Finding, before: Finding | None) -> Finding:
    """What happened overrules what was expected, and is said where it differs.

    Args:
        end: Of the training.
        finding: With its history.
        before: The same finding before training, if there was one.
    """
    rule = rule_of(finding)
    if rule.always:
        return finding
    feared = before is not None and (before.is_open or before.severity is not COSMETIC)
    if end.sound and not (rule.by_run and rule.symptom and end.failed.any()):
        if finding.severity is COSMETIC and not feared:
            return finding
        note = "" if end.close else f" {_passed(end)} all the same."
        if finding.evidence.startswith(str(end.rate)):
            note = ""
        return replace(
            finding,
            severity=COSMETIC,
            evidence=finding.evidence + note,
            confidence=CERTAIN,
            settle=None,
        )
    if finding.severity is FATAL and end.passed.any():
        finding = replace(finding, severity=FRAGILE)
    elif finding.severity is FRAGILE and not end.passed.any() and not rule.by_run:
        finding = replace(finding, severity=FATAL)
    if before is None or (finding.severity is before.severity and not before.is_open):
        return finding
    return replace(finding, evidence=f"{finding.evidence} {_turn(end, finding, before)}")


def _turn(end: FinalState, now: Finding, before: Finding) -> str:
    """Why a finding's severity is another one than before training, where some runs fail."""
    failed, runs = int(end.failed.sum()), end.history.runs
    if now.severity is FRAGILE and before.severity is FATAL:
        return f"{_passed(end)} all the same."
    fails = end.goal.fails
    fail = _of(failed, runs, fails)
    if now.severity is COSMETIC:
        return f"{fail}, but mainly for other reasons."
    how = "still improving when training ends" if now.severity is SLOW else "stuck rather than slow"
    return f"{fail}, and {'most of them are' if failed > 1 else 'is'} {how}."


def _passed(end: FinalState) -> str:
    """How many runs pass: "All 4 runs succeed"."""
    return _of(end.rate.successes, end.history.runs, end.goal.passes)


def _of(count: int, runs: int, doing: str) -> str:
    if runs == 1:
        return f"The only run {_of_one(doing) if count else f'does not {doing}'}"
    who = f"All {runs}" if count == runs else f"{count} of {runs}"
    return f"{who} runs {_of_one(doing) if count == 1 else doing}"


def _of_one(doing: str) -> str:
    """What one run does: "reaches an R² of 0.80" of "reach an R² of 0.80"."""
    verb, *rest = doing.split(" ", 1)
    return " ".join([verb + ("es" if verb.endswith("ch") else "s"), *rest])


def _with_fixes_of_causes(findings: list[Finding]) -> list[Finding]:
    """Symptoms take over the first fix of each cause, and are no worse than the worst of them."""
    causes = sorted(filter(is_cause, findings), key=lambda finding: finding.severity.rank)
    firsts = [finding.fixes[0] for finding in causes if finding.fixes]
    worst = causes[0].severity if causes else FATAL

    def adapted(finding: Finding) -> Finding:
        if not rule_of(finding).symptom:
            return finding
        severity = finding.severity
        if not rule_of(finding).keeps_severity:
            severity = max(severity, worst, key=lambda severity: severity.rank)
        return replace(finding, fixes=_distinct((*firsts, *finding.fixes)), severity=severity)

    return [adapted(finding) for finding in findings]


def _distinct(some: Iterable[Fix]) -> tuple[Fix, ...]:
    """Each key once, in the order in which they occur last."""
    return tuple({fix.key: fix for fix in reversed(tuple(some))}.values())[::-1]


def _still_improving(obs: Observations, end: FinalState) -> Finding:
    """Too few updates, as the last third of the curves shows it."""
    epochs, failed = end.history.epochs, end.failed
    loss, score = (curve[:, failed] for curve in end.history.judged)
    start = math.ceil(epochs * (1 - LAST_PART)) - 1
    longer = min(LONGER * obs.training.epochs, 10_000)
    what, stated = obs.experiment.task.score_name, obs.experiment.task.stated
    return Finding(
        SLOW,
        "Too few updates",
        f"In the last third of {epochs:,} epochs the median loss of the "
        f"{runs_that_fail(failed)} still goes from {number(float(np.nanmedian(loss[start])))} to "
        f"{number(float(np.nanmedian(loss[-1])))}, and their {what} from "
        f"{stated(np.nanmedian(score[start]))} to {stated(np.nanmedian(score[-1]))}.",
        "The network is still improving when training ends. It needs more epochs, more updates "
        "per epoch or a higher learning rate.",
        (fixes.epochs(longer), fixes.rate(min(10 * obs.rate, 0.1))),
        LIKELY,
        "Train for longer on the same seeds.",
        because=f"{obs.training.epochs:,} epochs are too few",
        code="too-few-updates",
    )


def _unexplained(obs: Observations, findings: list[Finding]) -> Finding:
    end = obs.end
    assert end is not None
    suspects = [finding for finding in findings if finding.is_open and finding.fixes]
    named = "".join(f" It may be: {_listed(suspects)}." if suspects else "")
    return Finding(
        FRAGILE if end.passed.any() else FATAL,
        "Stuck for an unknown reason",
        f"{end.rate} {obs.goal.passes}; {scores_of_failed(end)}.{named}",
        "None of the known causes fits the measurements. The inputs may say little about the "
        f"{'targets' if obs.goal.regression else 'classes'}.",
        _distinct(
            (
                fixes.STANDARDISE,
                fixes.WIDEN,
                *fixes.other_rates(obs.experiment),
                *(finding.fixes[0] for finding in suspects),
            )
        ),
        CANNOT_TELL,
        "Train with each suggested fix on the same seeds, and see whether a network can memorise "
        "16 of the rows.",
        code="unexplained",
    )


def _listed(findings: list[Finding]) -> str:
    titles = [finding.title[0].lower() + finding.title[1:] for finding in findings]
    return titles[0] if len(titles) == 1 else f"{', '.join(titles[:-1])} or {titles[-1]}"
