"""What a fix is, and which fixes exclude each other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations

from core.experiment import Experiment, InvalidExperiment

Edit = Callable[[Experiment], Experiment]
"""A function of a module, or a `partial` of one, so that it can be pickled."""


@dataclass(frozen=True)
class Fix:
    """A named edit of an experiment.

    Args:
        key: Stable name, in kebab case.
        title: Two or three words.
        why: One sentence.
        source: Who proposed it: "asker", "answer", "comment" or "ours".
        edit: From the experiment to the changed one.
    """

    key: str
    title: str
    why: str
    source: str
    edit: Edit

    def apply(self, experiment: Experiment) -> Experiment:
        """The changed experiment.

        Raises:
            InvalidExperiment: The edit does not fit this experiment.
        """
        return self.edit(experiment)


def apply_all(fixes: Iterable[Fix], experiment: Experiment) -> Experiment:
    """The experiment after every fix, in the given order.

    Raises:
        InvalidExperiment: An edit does not fit what the fixes before it give.
    """
    for fix in fixes:
        experiment = fix.apply(experiment)
    return experiment


def excluded(fixes: Mapping[str, Fix], experiment: Experiment) -> dict[str, tuple[str, ...]]:
    """For each fix the fixes that it excludes on this experiment.

    Two fixes exclude each other where each changes the experiment and applying both, in either
    order, gives what the later one gives alone: it replaces the earlier one.

    Args:
        fixes: By key.
        experiment: What they are applied to.

    Returns:
        For each key the keys of the fixes that it excludes, in the order of `fixes`.
    """
    alone = {key: fix.apply(experiment) for key, fix in fixes.items()}
    acting = [key for key in fixes if alone[key] != experiment]

    def replaces(later: str, earlier: str) -> bool:
        try:
            return fixes[later].apply(alone[earlier]) == alone[later]
        except InvalidExperiment:
            return False

    pairs = {
        frozenset((one, other))
        for one, other in combinations(acting, 2)
        if replaces(one, other) and replaces(other, one)
    }
    return {key: tuple(other for other in fixes if {key, other} in pairs) for key in fixes}


def ours(key: str, title: str, why: str, edit: Edit) -> Fix:
    """A fix that nobody proposed but Plateau."""
    return Fix(key, title, why, "ours", edit)
