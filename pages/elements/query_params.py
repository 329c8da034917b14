"""The settings of a page in its URL, so that a link opens the page with them.

A link is untrusted input: each value is checked by its kind, and a message names each one that is
refused. Streamlit handles `embed` and `embed_options` itself; they are not visible here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol
from urllib.parse import urlencode

import numpy as np
import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from core.draft import Draft
from core.fields import MultiChoice
from pages.elements.settings import VIEWS, as_text, changed_by

FORMAT = 2
"""The version of the link format, raised by a change that older versions would misread."""
VERSION = "v"
RESULTS = "results"
"""The parameter that asks for the results of the settings; its value has no meaning."""
_WANTED = "results wanted"
SHOW = "show"
"""The parameter that asks for one chart alone."""
PAGE = "page"
"""The session's key of the current page."""
MOST_NOTICES = 8
"""The most messages shown; a made-up link can have hundreds of errors."""


class Kind(Protocol):
    """The values of a parameter; see `core.fields.Kind`."""

    expected: str

    def parse(self, text: str) -> object: ...


def arrive(page: str) -> bool:
    """Store the current page; whether it differs from the previous one."""
    before = st.session_state.get(PAGE)
    st.session_state[PAGE] = page
    return before != page


def parameters_of(page: str) -> dict[str, str]:
    """The parameters that a page's URL had last in this session.

    A link with them makes a visit of the page one entry in the browser's history.
    """
    return st.session_state.get(_left(page), {})


def _left(page: str | None) -> str:
    return f"left.{page}"


def asks_for_one_chart() -> bool:
    """Whether the link asks for one chart alone, which needs no navigation."""
    return st.query_params.get(SHOW) in VIEWS[SHOW].kind.options[1:]


def without_chart(parameters: Mapping[str, str]) -> dict[str, str]:
    """The parameters of a page whose only chart for a slide is the one it draws then."""
    asked = asks_for_one_chart()
    return {name: text for name, text in parameters.items() if name != SHOW or not asked}


def wants_results() -> bool:
    """Whether the link that was read last asks for results as well; true once."""
    return st.session_state.pop(_WANTED, False)


def read() -> tuple[dict[str, str], list[str]]:
    """The parameters of the URL, and a message if their format is unknown."""
    parameters = st.query_params.to_dict()
    st.session_state[_WANTED] = parameters.pop(RESULTS, None) is not None
    version, notices = parameters.pop(VERSION, str(FORMAT)), []
    if version == "1" and parameters.get("optimizer") == "rmsprop":
        parameters.pop("momentum", None)  # it was written, but had no effect
    if not (version.isascii() and version.isdigit()) or int(version[:9]) < 1:
        notices.append(refusal(VERSION, version, f"a whole number from 1 to {FORMAT}"))
    elif int(version[:9]) > FORMAT:
        notices.append(
            "This link is from a newer version of Plateau; only settings that this version knows "
            "are used."
        )
    return parameters, notices


def followed_history() -> bool:
    """Whether the browser's Back or Forward led to this URL, which then takes precedence.

    Always false in Streamlit before 1.67.
    """
    return bool(getattr(get_script_run_ctx(suppress_warning=True), "is_history_navigation", False))


def write(parameters: Mapping[str, str]) -> None:
    """Write the parameters into the URL, if it differs."""
    versioned = _versioned(parameters)
    st.session_state[_left(st.session_state.get(PAGE))] = versioned
    if st.query_params.to_dict() != versioned:
        st.query_params.from_dict(versioned)


def checked(
    parameters: Mapping[str, str], kinds: Mapping[str, Kind], refused: list[str]
) -> dict[str, object]:
    """The values of the parameters that are valid.

    Args:
        parameters: Texts by name.
        kinds: Of the parameters that the page has, by name.
        refused: Messages; one is added for each parameter that is not valid.

    Returns:
        The values by name; the value of a list of keys is the keys that are known.
    """
    values = {}
    for name, text in parameters.items():
        kind = kinds.get(name)
        if kind is None:
            refused.append(unknown(name))
        elif isinstance(kind, MultiChoice):
            values[name] = _checked_keys(name, text, kind, refused)
        else:
            try:
                values[name] = kind.parse(text)
            except (KeyError, ValueError, OverflowError):
                refused.append(refusal(name, text, kind.expected))
    return values


def applied(draft: Draft, parameters: Mapping[str, str], refused: list[str]) -> Draft:
    """The draft with the settings that are valid.

    Args:
        draft: To be changed.
        parameters: Texts by name.
        refused: Messages; one is added for each parameter that is not valid.
    """
    draft, left_out = changed_by(draft, parameters, lambda c, text: c.setting.kind.parse(text))
    for name, control in left_out.items():
        if control is None:
            refused.append(unknown(name))
        else:
            refused.append(refusal(name, parameters[name], control.setting.kind.expected))
    return draft


def _checked_keys(name: str, text: str, kind: MultiChoice, refused: list[str]) -> list[str]:
    """The keys of a dotted list that are known; a message is added for each of the others."""
    keys = [key for key in dict.fromkeys(text.split(".")) if key]
    refused += [refusal(name, key, kind.expected) for key in keys if key not in kind.entries]
    return [key for key in keys if key in kind.entries]


def hold(
    page: str, values: Mapping[str, object], kinds: Mapping[str, Kind], *, anew: bool = False
) -> None:
    """Put a page's values into the session.

    A value that the session has already is kept if it is allowed. It is set again, since Streamlit
    otherwise drops it when its widget is not drawn.

    Args:
        page: The prefix of the session's keys.
        values: By name.
        kinds: By name.
        anew: Whether values that the session has already are replaced.
    """
    for name, value in values.items():
        current = value if anew else st.session_state.get(f"{page}.{name}", value)
        st.session_state[f"{page}.{name}"] = current if allows(kinds[name], current) else value


def allows(kind: Kind, value: object) -> bool:
    """Whether a control of this kind can have this value; a browser may send any value."""
    try:
        return bool(np.all(kind.parse(as_text(value)) == value))
    except (KeyError, TypeError, ValueError, OverflowError):
        return False


def unknown(name: str) -> str:
    """The message for a parameter that the page does not have."""
    return f"`{quoted(name)}` in the link is not a setting of this page."


def refusal(name: str, text: str, expected: str) -> str:
    """The message for a value that is not allowed."""
    return f"`{quoted(name)}` is `{quoted(text)}` in the link; it should be {expected}."


def notices(refused: Iterable[str]) -> None:
    """Draw the messages about refused values."""
    refused = list(refused)
    for text in refused[:MOST_NOTICES]:
        st.warning(text, icon=":material/link_off:")
    if len(refused) > MOST_NOTICES:
        more = len(refused) - MOST_NOTICES
        st.warning(f"{more} more were not understood.", icon=":material/link_off:")


def popover(
    parameters: Mapping[str, str],
    *,
    results: bool = False,
    chart: tuple[str, str] | None = None,
) -> None:
    """Draw the popover with the link to copy.

    Args:
        parameters: Of the link.
        results: Whether a second link opens the results as well, and a third one chart of several.
        chart: The value of SHOW for the only chart that the page shows alone, and what it is.
    """
    with st.popover("Link", icon=":material/link:"):
        st.caption("Opens this page with these settings, in any browser.")
        st.code(address(parameters), language=None, wrap_lines=True)
        if results:
            st.caption("Opens it with the results, which are trained again if need be.")
            st.code(address({**parameters, RESULTS: "yes"}), language=None, wrap_lines=True)
            st.caption(
                "Shows one chart alone, for a slide or a course page: `show` is one of "
                f"{', '.join(VIEWS['show'].kind.options[1:])}."
            )
            _code_alone(parameters, "network")
        elif chart is not None:
            show, words = chart
            st.caption(f"For a slide or a course page, shows nothing but {words}.")
            _code_alone(parameters, show)


def _code_alone(parameters: Mapping[str, str], show: str) -> None:
    alone = {**parameters, "embed": "true", SHOW: show}
    st.code(address(alone), language=None, wrap_lines=True)


def way_back(parameters: Mapping[str, str]) -> None:
    """Draw the link from one chart alone to its page."""
    st.markdown(f"[Open the whole page]({address(parameters)})")


def address(parameters: Mapping[str, str]) -> str:
    """The address of this page with these parameters."""
    versioned = _versioned(parameters)
    return (st.context.url or "") + (f"?{urlencode(versioned)}" if versioned else "")


def _versioned(parameters: Mapping[str, str]) -> dict[str, str]:
    """The parameters with the version of the format, if there are any."""
    return {VERSION: str(FORMAT), **parameters} if parameters else {}


def quoted(text: str) -> str:
    """A text shortened and stripped of characters that would end a Markdown code span."""
    return "".join(c for c in text[:40] if c.isprintable() and c != "`")
