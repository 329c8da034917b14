"""How a server draws for many: once for all who have the same training, and a few at a time.

A run is decided by its experiment and seed, so two people who train the same see the same.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import wraps

import streamlit as st

from core.history import History

KEPT = 40
"""Of each kind of picture, for the whole server: some MB, of which the newest are looked at."""
AT_ONCE = 2
"""For the whole server. Python draws one at a time anyway: of many that share it each comes late,
and together they hold more memory."""


def _identity(history: History) -> tuple:
    """What tells one training from another, without reading its arrays."""
    return history.experiment.digest, history.runs, history.seed, history.epochs


_keys = {History: _identity}
once = st.cache_data(show_spinner=False, max_entries=KEPT, hash_funcs=_keys)
"""For functions that draw, and hold no widget; a browser gets the same messages again."""
concluded = st.cache_resource(show_spinner=False, max_entries=KEPT, hash_funcs=_keys)
"""For functions that return what nobody changes."""
_turns = threading.BoundedSemaphore(AT_ONCE)


def in_turn(draw: Callable[..., None]) -> Callable[..., None]:
    """For functions that take long to draw and do not call one another: AT_ONCE of them draw."""

    @wraps(draw)
    def waiting(*arguments: object) -> None:
        with _turns:
            draw(*arguments)

    return waiting
