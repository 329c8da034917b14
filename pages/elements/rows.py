"""Which rows a problem's page can have: its question's, and those that any source draws."""

from __future__ import annotations

from dataclasses import replace

from core.draft import Draft
from core.experiment import Data, Experiment
from core.problems import PROBLEMS
from pages.elements import own


def with_own(asked: Data, before: Draft, after: Draft) -> Draft:
    """The draft with the rows and labels of the question, `asked`, where their source is back."""
    now, then = type(after.data.source), type(before.data.source)
    if now is then or now is not type(asked.source):
        return after
    data = replace(after.data, source=asked.source, label_values=asked.label_values)
    return after._replace(data=data)


def is_of(problem: str, shown: Experiment) -> bool:
    """Whether an experiment has the source of a problem's question."""
    return type(shown.data.source) is type(own.problem(problem).experiment.data.source)


def can_be_set(problem: str, draft: Draft, shown: Experiment) -> bool:
    """Whether the page of a problem, which has this draft, can be set to an experiment.

    It can if it has the source already, or if no page has a question about that source.
    """
    kind = type(shown.data.source)
    others = {type(other.experiment.data.source) for other in PROBLEMS.values()}
    return (
        is_of(problem, shown)
        or kind is type(draft.data.source)
        or (kind.random and kind not in others)
    )
