"""The curves of several trainings, in a panel each: of combinations of fixes, or of a visitor."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from urllib.parse import quote

import pandas as pd
import streamlit as st

from core.comparison import Comparison
from core.history import History
from pages.elements import charts, layout
from pages.elements.compare.choices import PAGE
from pages.elements.gallery.thumbnail import FAILED, SUCCEEDED

PANELS, PANEL_WIDTH = 4, 210
"""Panels in a row on a laptop, which are the most that are not folded, and the least width of each
in pixels."""
LONG_NAME, WIDE_PANELS = 75, 2
"""Letters of a name that would take more than three lines above such a panel, and the panels in a
row that has one."""


def compared(comparison: Comparison, target: float, names: pd.Series) -> None:
    """Draw the curves of every combination.

    Args:
        comparison: The runs.
        target: The score at which a run succeeds.
        names: The combinations in words, the most telling first, indexed by their position in
            `comparison.subsets`.
    """
    histories = {name: comparison.histories[index] for index, name in names.items()}
    legend(histories.values(), target)
    tiles(histories, target, list(names[:PANELS]))
    if rest := list(names[PANELS:]):
        label = f"The curves of the other {len(rest)} combinations"
        others = st.expander(label, key=f"{PAGE}-others", on_change="rerun")
        if others.open:
            with others:
                tiles(histories, target, rest)


def tiles(
    histories: Mapping[str, History], target: float, some: Sequence[str], most: int = PANELS
) -> None:
    """Draw the curves of some trainings: the name of each, its successes and its runs.

    Args:
        histories: All trainings of the page by name, which have the same score.
        target: The score at which a run succeeds.
        some: The names of those to be drawn.
        most: How many stand in a row.
    """
    epochs = {history.epochs for history in histories.values()}
    parts, titles = [], []
    for name in some:
        history = histories[name]
        frame, success = history.curves(), history.successes(target)
        parts.append(frame.assign(combination=name, success=success[frame["run"]]))
        titles.append(f"**{name}**" + f", {history.epochs:,} epochs" * (len(epochs) > 1))
    task = histories[some[0]].experiment.task
    panels = charts.combinations(pd.concat(parts), target=target, task=task)
    columns = most if max(map(len, some)) <= LONG_NAME else WIDE_PANELS
    cells = layout.tiles(len(panels), columns, PANEL_WIDTH)
    for cell, name, title, panel in zip(cells, some, titles, panels, strict=True):
        with cell:
            # Takes the room that is left, so that the charts of a row are level.
            with st.container(height="stretch"):
                st.markdown(f":small[{title}]")
            charts.show(panel, alt=f"{task.score} by epoch of every run: {name}.")


def legend(histories: Collection[History], target: float) -> None:
    """Draw what all panels show: the score, and the lines of runs and of the target."""
    task = next(iter(histories)).experiment.task
    held_out = [history.val_score is not None for history in histories]
    score = charts.name_of("val_score" if all(held_out) else "evaluated_score", task)
    if any(held_out) and not all(held_out):
        score += ", on held-out rows where there are some"
    # Each in an element of its own, so that no line of text ends between a sign and its meaning.
    with st.container(horizontal=True):
        for words in (
            f"{score}, a line a run:",
            f"{_line('Blue line', SUCCEEDED)} succeeded",
            f"{_line('Orange dashes', FAILED, '4 2')} failed",
            f"{_line('Grey dots', charts.GREY, '3 3')} the target, {task.written(target)}",
        ):
            st.markdown(f":small[{words}]", width="content")


def _line(words: str, color: str, dashes: str = "") -> str:
    """A piece of a line of the panels as an image with this alternative text."""
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" width="26" height="12" viewBox="0 0 26 12">'
        f'<path d="M1 7h24" stroke="{color}" stroke-width="2" stroke-dasharray="{dashes}"/></svg>'
    )
    return f"![{words}](data:image/svg+xml;utf8,{quote(svg)})"
