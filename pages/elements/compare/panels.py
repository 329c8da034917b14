"""The curves of the combinations of fixes, in a panel each."""

from __future__ import annotations

from urllib.parse import quote

import pandas as pd
import streamlit as st

from core.comparison import Comparison
from core.tasks import Task
from pages.elements import charts, layout
from pages.elements.compare.choices import PAGE
from pages.elements.gallery.thumbnail import FAILED, SUCCEEDED

PANELS, PANEL_WIDTH = 4, 210
"""Panels in a row on a laptop, which are the most that are not folded, and the least width of each
in pixels."""
LONG_NAME, WIDE_PANELS = 75, 2
"""Letters of a name that would take more than three lines above such a panel, and the panels in a
row that has one."""


def draw(comparison: Comparison, target: float, names: pd.Series) -> None:
    """Draw the curves of every combination.

    Args:
        comparison: The runs.
        target: The score at which a run succeeds.
        names: The combinations in words, the most telling first, indexed by their position in
            `comparison.subsets`.
    """
    task = comparison.experiment.task
    epochs = {comparison.histories[index].epochs for index in names.index}

    def drawn(some: pd.Series) -> None:
        parts, titles = [], []
        for index, name in some.items():
            history = comparison.histories[index]
            frame, success = history.curves(), history.successes(target)
            parts.append(frame.assign(combination=name, success=success[frame["run"]]))
            titles.append(f"**{name}**" + f", {history.epochs:,} epochs" * (len(epochs) > 1))
        panels = charts.combinations(pd.concat(parts), target=target, task=task)
        columns = PANELS if some.str.len().max() <= LONG_NAME else WIDE_PANELS
        tiles = layout.tiles(len(panels), columns, PANEL_WIDTH)
        for tile, name, title, panel in zip(tiles, some, titles, panels, strict=True):
            with tile:
                # Takes the room that is left, so that the charts of a row are level.
                with st.container(height="stretch"):
                    st.markdown(f":small[{title}]")
                charts.show(panel, alt=f"{task.score} by epoch of every run: {name}.")

    held_out = [comparison.histories[index].val_score is not None for index in names.index]
    _legend(task, target, all(held_out), any(held_out))
    drawn(names[:PANELS])
    if len(rest := names[PANELS:]):
        label = f"The curves of the other {len(rest)} combinations"
        others = st.expander(label, key=f"{PAGE}-others", on_change="rerun")
        if others.open:
            with others:
                drawn(rest)


def _legend(task: Task, target: float, held_out: bool, partly: bool) -> None:
    """Draw what all panels show: the score, and the lines of runs and of the target."""
    score = charts.name_of("val_score" if held_out else "evaluated_score", task)
    if partly and not held_out:
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
