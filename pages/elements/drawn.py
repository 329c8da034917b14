"""What is made once of a training and then shown to everybody who has the same one.

A run is decided by its experiment and seed, so two people who train the same see the same.
"""

from __future__ import annotations

import streamlit as st

from core.history import History

KEPT = 24
"""Of each kind of picture, for the whole server: some MB, of which the newest are looked at."""


def _identity(history: History) -> tuple:
    """What tells one training from another, without reading its arrays."""
    return history.experiment.to_json(), history.runs, history.seed, history.epochs


_keys = {History: _identity}
once = st.cache_data(show_spinner=False, max_entries=KEPT, hash_funcs=_keys)
"""For functions that draw, and hold no widget; a browser gets the same messages again."""
concluded = st.cache_resource(show_spinner=False, max_entries=KEPT, hash_funcs=_keys)
"""For functions that return what nobody changes."""
