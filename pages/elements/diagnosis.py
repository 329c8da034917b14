"""The findings of an experiment, for every part of a page that draws them."""

from __future__ import annotations

from core.diagnosis import Finding, diagnose, from_settings
from core.experiment import Experiment
from core.history import History
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
    return diagnose(history.experiment, history, target)
