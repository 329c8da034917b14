"""Any experiment as a problem: its fixes are what its findings suggest, and what often helps."""

from __future__ import annotations

from collections.abc import Iterator

from core import fixes
from core.diagnosis import from_settings
from core.experiment import Experiment, InvalidExperiment
from core.fixes import Fix
from core.problems import Problem

COMPARED = 4
"""The most fixes that are compared by default."""
MORE_EPOCHS, MOST_EPOCHS = 10, 2_000


def problem_of(experiment: Experiment, key: str, title: str) -> Problem:
    """An experiment as a problem, without variants.

    Its fixes are those that its findings suggest, and then those of the catalogue; each changes the
    experiment.

    Args:
        experiment: The baseline.
        key: Of the problem.
        title: Of the problem.
    """
    found = [fix for finding in from_settings(experiment) for fix in finding.fixes]
    by_key: dict[str, Fix] = {}
    for fix in (*found, *_catalogue(experiment)):
        if fix.key not in by_key and _changes(fix, experiment):
            by_key[fix.key] = fix
    compared = tuple(dict.fromkeys(fix.key for fix in found))[:COMPARED]
    return Problem(key, title, experiment, {}, by_key, compared or tuple(by_key)[:COMPARED])


def _changes(fix: Fix, experiment: Experiment) -> bool:
    try:
        return fix.apply(experiment) != experiment
    except InvalidExperiment:
        return False


def _catalogue(experiment: Experiment) -> Iterator[Fix]:
    """What is often tried, whatever the findings are."""
    data, training = experiment.data, experiment.training
    yield fixes.fitting_output(experiment)
    yield fixes.STANDARDISE
    if data.continuous:
        yield fixes.STANDARDISE_TARGETS
    if data.shuffling == "rows":
        yield fixes.PERMUTE
    yield fixes.RESHUFFLE
    yield fixes.KEEP_VARIANCE
    yield fixes.RECTIFY
    yield fixes.WIDEN
    yield fixes.ADD_HIDDEN
    yield fixes.NO_DROPOUT
    yield fixes.ADAM
    yield fixes.rate(fixes.default_rate(experiment))
    yield fixes.epochs(min(MORE_EPOCHS * training.epochs, max(MOST_EPOCHS, training.epochs)))
    yield fixes.HOLD_OUT
