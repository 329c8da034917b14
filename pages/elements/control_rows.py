"""The controls of a problem's settings in rows of two."""

from __future__ import annotations

from collections.abc import Iterable

import streamlit as st

from core.fields import Setting
from pages.elements import state, widgets
from pages.elements.settings import View

Named = tuple[str, Setting | View]
"""The name of a control, and its setting."""


def draw(problem: str, settings: Iterable[Named]) -> None:
    """Draw controls in their order."""
    rows: list[list[Named]] = []
    for name, setting in settings:
        # The bounds of a class stand side by side.
        if not rows or len(rows[-1]) == 2 or name.startswith("low"):
            rows.append([])
        rows[-1].append((name, setting))
    for row in rows:
        # A toggle has no label above it; this puts it beside its neighbour's field.
        columns = st.columns(2, vertical_alignment="bottom")
        for column, (name, setting) in zip(columns, row, strict=False):
            with column:
                widgets.draw(setting, **state.control(problem, name))


def draw_more(problem: str, settings: Iterable[Named], key: str) -> None:
    """Draw controls in an expander, if there are any, once it is open."""
    settings = tuple(settings)
    if not settings:
        return
    more = st.expander("More settings", key=key, on_change="rerun")
    if more.open:
        with more:
            draw(problem, settings)
