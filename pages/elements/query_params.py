"""The settings of a page in its address: a link opens the page with them, wherever it is opened.

What a link says is a stranger's input: each value is checked by its kind, and refused by name.
Streamlit keeps `embed` and `embed_options` in the address by itself, unseen by what is in here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol
from urllib.parse import urlencode

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from core.draft import Draft
from core.fields import MultiChoice
from pages.elements.settings import as_text, table

FORMAT = 2
"""Of links; a change after which an older Plateau would misread one raises it."""
VERSION = "v"
PAGE = "page"
"""The session's key of the page that is drawn."""
MOST_NOTICES = 8
"""A made-up link could be wrong in hundreds of places."""


class Kind(Protocol):
    """What a parameter may be. `parse` raises a KeyError, ValueError or OverflowError."""

    expected: str

    def parse(self, text: str) -> object: ...


def arrive(page: str) -> bool:
    """Note which page is drawn; whether it was another one before."""
    before = st.session_state.get(PAGE)
    st.session_state[PAGE] = page
    return before != page


def parameters_of(page: str) -> dict[str, str]:
    """Those with which this session left a page: a link with them makes one step of its visit."""
    return st.session_state.get(_left(page), {})


def _left(page: str | None) -> str:
    return f"left.{page}"


def read() -> tuple[dict[str, str], list[str]]:
    """The parameters of the address, and a notice if their format is not ours."""
    given = st.query_params.to_dict()
    version, notices = given.pop(VERSION, str(FORMAT)), []
    if not (version.isascii() and version.isdigit()) or int(version[:9]) < 1:
        notices.append(refusal(VERSION, version, f"a whole number from 1 to {FORMAT}"))
    elif int(version[:9]) > FORMAT:
        notices.append(
            "This link is from a newer version of Plateau; what this one knows of it is used."
        )
    return given, notices


def followed_history() -> bool:
    """The browser's Back or Forward leads to this address, which then is what the visitor wants.

    Streamlit tells so from 1.67 on; before, such a press changes nothing.
    """
    return bool(getattr(get_script_run_ctx(suppress_warning=True), "is_history_navigation", False))


def write(parameters: Mapping[str, str]) -> None:
    """Put the parameters into the address, if they are not what it says already."""
    wanted = _versioned(parameters)
    st.session_state[_left(st.session_state.get(PAGE))] = wanted
    if st.query_params.to_dict() != wanted:
        st.query_params.from_dict(wanted)


def checked(
    given: Mapping[str, str], kinds: Mapping[str, Kind], refused: list[str]
) -> dict[str, object]:
    """The values of the parameters that are known and right; the others are refused by name.

    Of a list of keys the known ones are its value.
    """
    values = {}
    for name, text in given.items():
        kind = kinds.get(name)
        if kind is None:
            refused.append(f"`{quoted(name)}` in the link is no setting of this page.")
        elif isinstance(kind, MultiChoice):
            values[name] = _checked_keys(name, text, kind, refused)
        else:
            try:
                values[name] = kind.parse(text)
            except (KeyError, ValueError, OverflowError):
                refused.append(refusal(name, text, kind.expected))
    return values


def applied(draft: Draft, given: Mapping[str, str], refused: list[str]) -> Draft:
    """The draft with the settings that are known and right; the others are refused by name."""
    left = dict(given)
    while name := next((name for name in table(draft) if name in left), None):
        text, control = left.pop(name), table(draft)[name]
        try:
            draft = control.write(draft, control.setting.kind.parse(text))
        except (KeyError, ValueError, OverflowError):
            refused.append(refusal(name, text, control.setting.kind.expected))
    refused += [f"`{quoted(name)}` in the link is no setting of this page." for name in left]
    return draft


def _checked_keys(name: str, text: str, kind: MultiChoice, refused: list[str]) -> list[str]:
    """Those keys of a dotted list that are known; each of the others is refused by name."""
    keys = [key for key in dict.fromkeys(text.split(".")) if key]
    refused += [refusal(name, key, kind.expected) for key in keys if key not in kind.entries]
    return [key for key in keys if key in kind.entries]


def hold(
    page: str, values: Mapping[str, object], kinds: Mapping[str, Kind], *, anew: bool = False
) -> None:
    """Put a page's values into the session, but for those of which it holds one that is allowed.

    Setting a value to itself keeps it where its widget is not drawn this time. anew: whatever the
    session holds.
    """
    for name, value in values.items():
        said = value if anew else st.session_state.get(f"{page}.{name}", value)
        st.session_state[f"{page}.{name}"] = said if allows(kinds[name], said) else value


def allows(kind: Kind, value: object) -> bool:
    """Whether a control of this kind can have this value: a browser may send any other."""
    try:
        return kind.parse(as_text(value)) == value
    except (KeyError, TypeError, ValueError, OverflowError):
        return False


def refusal(name: str, text: str, expected: str) -> str:
    return f"`{quoted(name)}` is `{quoted(text)}` in the link; it should be {expected}."


def notices(refused: Iterable[str]) -> None:
    """What was refused, for the reader."""
    refused = list(refused)
    for text in refused[:MOST_NOTICES]:
        st.warning(text, icon=":material/link_off:")
    if len(refused) > MOST_NOTICES:
        more = len(refused) - MOST_NOTICES
        st.warning(f"{more} more were not understood.", icon=":material/link_off:")


def popover(parameters: Mapping[str, str]) -> None:
    """The whole link, to copy."""
    wanted = _versioned(parameters)
    address = (st.context.url or "") + (f"?{urlencode(wanted)}" if wanted else "")
    with st.popover("Link", icon=":material/link:"):
        st.caption("Opens this page with these settings, in any browser.")
        st.code(address, language=None, wrap_lines=True)


def _versioned(parameters: Mapping[str, str]) -> dict[str, str]:
    """With the format, where there is anything to be read in it."""
    return {VERSION: str(FORMAT), **parameters} if parameters else {}


def quoted(text: str) -> str:
    """Short, and without what Markdown would read as formatting inside backticks."""
    return "".join(c for c in text[:40] if c.isprintable() and c != "`")
