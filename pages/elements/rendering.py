"""Drawing for many sessions: each training once for all of them, and a few pages at a time.

A run is determined by its experiment and seed, so the same training looks the same to everyone.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import wraps

import streamlit as st

from core.history import History

KEPT = 40
"""Cached results of each function, for the whole server; they take a few MB."""
AT_ONCE = 2
"""Functions that draw at the same time, for the whole server. Python runs one thread at a time
anyway: more of them would all finish later and hold more memory."""


def _identity(history: History) -> tuple:
    """A key that identifies a training without hashing its arrays."""
    return history.experiment.digest, history.runs, history.first, history.seed, history.epochs


_keys = {History: _identity}
once = st.cache_data(show_spinner=False, max_entries=KEPT, hash_funcs=_keys)
"""A decorator for functions that draw without widgets; Streamlit replays the cached messages."""
concluded = st.cache_resource(show_spinner=False, max_entries=KEPT, hash_funcs=_keys)
"""A decorator for functions whose result is never modified."""
_turns = threading.BoundedSemaphore(AT_ONCE)


def in_turn(draw: Callable[..., None]) -> Callable[..., None]:
    """A decorator that lets at most AT_ONCE calls draw at a time.

    It is for functions that take long and do not call one another.
    """

    @wraps(draw)
    def waiting(*arguments: object) -> None:
        with _turns:
            draw(*arguments)

    return waiting
