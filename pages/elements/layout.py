"""Arrangements that Streamlit has from 1.67 on, for the versions that Python 3.10 can have."""

from __future__ import annotations

from collections.abc import Iterator

import streamlit as st
from streamlit.delta_generator import DeltaGenerator


def tiles(many: int, columns: int, width: int) -> Iterator[DeltaGenerator]:
    """So many bordered containers of equal height, at most `columns` in a row.

    width: pixels that each needs; Streamlit before 1.67 puts one below the other on a phone alone.
    """
    if hasattr(st, "grid"):
        grid = st.grid(columns, min_column_width=width, border=True)
        yield from (grid.cell() for _ in range(many))
        return
    for start in range(0, many, columns):
        row = st.columns(columns)
        for column in row[: many - start]:
            yield column.container(border=True, height="stretch")
