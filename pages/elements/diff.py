"""A difference between two texts, with what was removed and what was added on coloured ground.

Streamlit's code block writes both in colours with too little contrast on its light background.
"""

from __future__ import annotations

import html

import streamlit as st

_BLOCK = (
    "margin: 0; padding: 1rem; border-radius: 0.6rem; background: rgba(127, 140, 155, 0.1); "
    "font: 0.875rem/1.5 'Source Code Pro', monospace; white-space: pre-wrap; "
    "overflow-wrap: anywhere"
)
# A line that is too long goes on below its first character, not below its sign.
_LINE = "display: block; padding: 0 0.4ch 0 1.4ch; text-indent: -1ch; text-decoration: none"
_GROUND = {"+": "rgba(0, 158, 115, 0.2)", "-": "rgba(213, 94, 0, 0.2)"}
"""By sign, transparent: the text keeps the theme's colour, light or dark."""
_TAGS = {"+": "ins", "-": "del"}


def draw(difference: str) -> None:
    """Draw lines that begin with "+", "-" or a space; any text is shown as it is."""
    st.html(f'<pre style="{_BLOCK}">{"".join(map(_line, difference.splitlines()))}</pre>')


def _line(line: str) -> str:
    sign, style = line[:1], _LINE
    if line.startswith(("+++", "---", "@@")):
        sign, style = "", f"{_LINE}; font-weight: 600"
    if sign in _GROUND:
        style += f"; background: {_GROUND[sign]}"
    tag = _TAGS.get(sign, "span")
    return f'<{tag} style="{style}">{html.escape(line or " ", quote=False)}</{tag}>'
