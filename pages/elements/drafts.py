"""What a page computes of its draft again and again while it is drawn, kept."""

from __future__ import annotations

import contextlib
from functools import lru_cache

from core.draft import Draft
from core.experiment import Experiment, InvalidExperiment
from core.fixes import Fix, excluded
from pages.elements import settings
from pages.elements.settings import Control, table

MOST_DRAWN = 16


@lru_cache(maxsize=MOST_DRAWN)
def read(text: str) -> Draft:
    """The draft in a JSON text."""
    return Draft.from_json(text)


@lru_cache(maxsize=MOST_DRAWN)
def controls(text: str) -> dict[str, Control]:
    """The table of the draft in a JSON text."""
    return table(read(text))


@lru_cache(maxsize=MOST_DRAWN)
def experiment(text: str) -> Experiment:
    """The experiment in a JSON text, kept with its digest, by which results are cached.

    Raises:
        InvalidExperiment: If its parts do not fit each other.
    """
    return read(text).experiment()


@lru_cache(maxsize=MOST_DRAWN)
def applied(fixes: tuple[Fix, ...], form: Experiment) -> Draft:
    """The draft of a form of the question after the fixes."""
    for fix in fixes:
        # What the fixes before it give can be an experiment that it does not fit.
        with contextlib.suppress(InvalidExperiment):
            form = fix.apply(form)
    return Draft.of(form)


@lru_cache(maxsize=32)
def exclusions(fixes: tuple[Fix, ...], form: Experiment) -> dict[str, tuple[str, ...]]:
    """`core.fixes.excluded` for the fixes of a problem."""
    return excluded({fix.key: fix for fix in fixes}, form)


differences = lru_cache(maxsize=MOST_DRAWN)(settings.differences)
"""A page asks for them in its summary, its link and its URL."""
