"""Parts of a page that are drawn once for a training and then shown again as they were."""

from __future__ import annotations

import streamlit as st

from core.history import History


def _identity(history: History) -> tuple:
    """What tells one training of a session from another, without reading its arrays."""
    return (
        history.experiment.to_json(),
        history.runs,
        history.seed,
        history.epochs,
        history.seconds,
    )


once = st.cache_data(
    show_spinner=False, scope="session", max_entries=2, hash_funcs={History: _identity}
)
"""For functions that draw, and hold no widget; a browser gets the same messages again."""
