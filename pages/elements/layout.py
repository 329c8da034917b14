"""Layouts that Streamlit has from 1.67 on, and substitutes for the versions on Python 3.10."""

from __future__ import annotations

from collections.abc import Iterator

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

TEXT = 760
"""The most pixels in a line of text."""


def slide_title(text: str) -> None:
    """Draw the title of a page that shows a chart alone; an embedded page begins at the edge."""
    st.space("small")
    st.header(text, anchor=False)


def tiles(many: int, columns: int, width: int) -> Iterator[DeltaGenerator]:
    """Bordered containers of equal height, side by side.

    Args:
        many: Number of containers.
        columns: The most in a row.
        width: The least width of each in pixels. Streamlit before 1.67 ignores it, and stacks the
            containers on a phone only.
    """
    if hasattr(st, "grid"):
        grid = st.grid(columns, min_column_width=width, border=True)
        yield from (grid.cell() for _ in range(many))
        return
    for start in range(0, many, columns):
        row = st.columns(columns)
        for column in row[: many - start]:
            yield column.container(border=True, height="stretch")
