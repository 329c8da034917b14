"""The findings of an experiment in every part of a page that draws them."""

from __future__ import annotations

from core.diagnosis import Finding, Severity, diagnose, from_settings
from core.diagnosis.summary import summary
from core.diagnosis.trials import Repair
from core.experiment import Experiment
from core.history import History
from pages.elements import baselines, state
from pages.elements.rendering import concluded


def findings_for(
    experiment: Experiment, history: History | None, target: float
) -> tuple[Finding, ...]:
    """The findings of the settings, or of a training if there is one; those are cached."""
    if history is None:
        return from_settings(experiment, target)
    return _after_training(history, target)


@concluded
def _after_training(history: History, target: float) -> tuple[Finding, ...]:
    others = baselines.deciding(history.experiment)
    return diagnose(history.experiment, history, target, baselines=others)


def told(
    problem: str, experiment: Experiment, history: History | None, repair: Repair | None
) -> tuple[str, ...]:
    """The findings in a few sentences; see `core.diagnosis.summary`."""
    target = state.target(problem)
    if history is not None and repair is None:
        return _told_after_training(history, target)
    others = None if history is None else baselines.deciding(experiment)
    found = findings_for(experiment, history, target)
    return summary(found, history, target, repair, baselines=others)


@concluded
def _told_after_training(history: History, target: float) -> tuple[str, ...]:
    others = baselines.deciding(history.experiment)
    return summary(_after_training(history, target), history, target, baselines=others)


def harmful(findings: tuple[Finding, ...]) -> list[Finding]:
    """The findings that do harm, the most severe first."""
    return [finding for finding in findings if finding.severity is not Severity.COSMETIC]
