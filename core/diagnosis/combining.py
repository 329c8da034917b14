"""Fixes together: what each of them sets, and that no two set the same thing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

from core.experiment import Experiment, InvalidExperiment
from core.fixes import Fix

Setting = tuple[str | int, ...]
"""The path of a setting in an experiment, such as ("training", "optimizer", "learning_rate")."""
LAYERS: Setting = ("model", "layers")
"""Where layers are added or removed, which leaves the settings of the others as they are."""


def changed_settings(before: Any, after: Any, path: Setting = ()) -> set[Setting]:
    """The settings in which two experiments, or parts of one, differ.

    A part of another class, such as another optimizer, is one setting as a whole.
    """
    if before == after:
        return set()
    if type(before) is type(after) and is_dataclass(before):
        return {
            changed
            for each in fields(before)
            for changed in changed_settings(
                getattr(before, each.name), getattr(after, each.name), (*path, each.name)
            )
        }
    if path == LAYERS and [type(layer) for layer in before] == [type(layer) for layer in after]:
        return {
            changed
            for place, (old, new) in enumerate(zip(before, after, strict=True))
            for changed in changed_settings(old, new, (*path, place))
        }
    return {path}


def combined(experiment: Experiment, fixes: Iterable[Fix]) -> Experiment | None:
    """The experiment with all the fixes, in this order.

    Returns:
        None where one does not fit or changes nothing, or sets anew what another one has set: a
        combination never holds two values of one setting.
    """
    changed, settled = experiment, set[Setting]()
    for fix in fixes:
        try:
            after = fix.apply(changed)
        except InvalidExperiment:
            return None
        settings = changed_settings(changed, after)
        if not settings or _overrides(settings, settled):
            return None
        changed = after
        settled |= settings
    return changed


def excludes(experiment: Experiment, fix: Fix, other: Fix) -> bool:
    """Whether the fix sets anew what the other one sets."""
    try:
        begun = other.apply(experiment)
        after = fix.apply(begun)
    except InvalidExperiment:
        return False
    return _overrides(changed_settings(begun, after), changed_settings(experiment, begun))


def with_fix(experiment: Experiment, chosen: Sequence[Fix], fix: Fix) -> list[Fix] | None:
    """The chosen fixes and one more, which takes the place of those that it excludes.

    Returns:
        None where they do not fit together.
    """
    together = [each for each in chosen if not excludes(experiment, fix, each)] + [fix]
    return None if combined(experiment, together) is None else together


def as_many_as_fit(experiment: Experiment, chosen: Sequence[Fix], more: Iterable[Fix]) -> list[Fix]:
    """The chosen fixes and, one after the other, each of the others that fits to those so far."""
    together = list(chosen)
    for fix in more:
        if combined(experiment, [*together, fix]) is not None:
            together.append(fix)
    return together


def _overrides(settings: set[Setting], settled: set[Setting]) -> bool:
    """Whether one of the settings is settled, or a part that holds a settled one is replaced."""
    return any(
        setting != LAYERS and done[: len(setting)] == setting
        for setting in settings
        for done in settled
    )
