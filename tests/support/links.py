"""An address and a session in the place of Streamlit's."""

import contextlib
from unittest import mock

import streamlit

# The same examples every time: what is found once should be found by whoever runs it next.
ALWAYS_THE_SAME = {"derandomize": True, "deadline": None, "database": None}


class Query(dict):
    """In the place of `st.query_params`, which keeps `embed` to itself."""

    to_dict = dict.copy

    def from_dict(self, given: dict) -> None:
        self.clear()
        self.update(given)


class Session(dict):
    """In the place of `st.session_state`."""

    to_dict = dict.copy


@contextlib.contextmanager
def visit(parameters: dict, session: dict):
    """A script run with this address and this session; yields the address as it is left."""
    held = Session(session)
    query = Query((name, text) for name, text in parameters.items() if name != "embed")
    with (
        mock.patch.object(streamlit, "query_params", query),
        mock.patch.object(streamlit, "session_state", held),
    ):
        yield query
    session.clear()
    session.update(held)
