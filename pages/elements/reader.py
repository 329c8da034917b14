"""The server's process that reads scripts and uploaded files."""

from __future__ import annotations

import streamlit as st

from core.jobs.reading import Reader


@st.cache_resource(show_spinner=False)
def reader() -> Reader:
    """The only one; the first call starts it in the background."""
    return Reader()
