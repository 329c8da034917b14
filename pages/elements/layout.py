"""Arrangements that Streamlit has from 1.67 on, for the versions that Python 3.10 can have."""

from __future__ import annotations

from collections.abc import Iterator

import streamlit as st
from streamlit.delta_generator import DeltaGenerator


def tiles(many: int, columns: int) -> Iterator[DeltaGenerator]:
    """So many bordered containers, `columns` in a row, all of a row as high as its highest."""
    for start in range(0, many, columns):
        row = st.columns(columns)
        for column in row[: many - start]:
            yield column.container(border=True, height="stretch")
