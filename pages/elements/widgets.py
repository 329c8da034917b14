"""The widget of a setting, chosen by its kind."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.fields import (
    PERCENT,
    Bool,
    Choice,
    Float,
    Int,
    MultiChoice,
    Numbers,
    Numerical,
    Optional,
    Setting,
)
from pages.elements.settings import ClassName, Control, View, as_text


def draw(setting: Setting | View, label: str | None = None, **options: Any) -> None:
    """Draw the widget of a setting.

    Args:
        setting: Its kind, label and help.
        label: To replace the setting's.
        **options: Key, callback and its arguments, as from `state.control`.
    """
    kind = setting.kind
    common: dict[str, Any] = {
        "label": label or setting.label,
        "help": setting.help or None,
        **options,
    }
    if isinstance(kind, ClassName):
        st.selectbox(options=kind.options, format_func=kind.label, **common)
    elif isinstance(kind, Choice):
        st.selectbox(options=kind.options, format_func=_words, **common)
    elif isinstance(kind, MultiChoice):
        st.multiselect(options=kind.options, format_func=_words, **common)
    elif isinstance(kind, Bool):
        st.toggle(**common)
    elif isinstance(kind, Int):
        st.number_input(min_value=kind.low, max_value=kind.high, step=kind.step, **common)
    elif isinstance(kind, Float) and kind.format == PERCENT:
        low, high = float(kind.low), float(kind.high)
        st.slider(min_value=low, max_value=high, step=kind.step, format=PERCENT, **common)
    elif isinstance(kind, Float):
        st.number_input(
            min_value=float(kind.low),
            max_value=float(kind.high),
            step=float(kind.step),
            format=kind.format,
            **common,
        )
    else:
        st.text_input(**common)


def shown(control: Control, value: Any) -> Any:
    """A value as its widget has it: numbers in a list or an array, and none, are text."""
    kind = control.setting.kind
    if isinstance(kind, Numbers):
        return ", ".join(f"{number:g}" for number in value)
    if isinstance(kind, MultiChoice):
        return list(value)
    return as_text(value) if isinstance(kind, (Numerical, Optional)) else value


def typed(control: Control, sent: Any) -> Any:
    """The value that a widget sends.

    Raises:
        ValueError: If the text is none.
    """
    kind = control.setting.kind
    if isinstance(kind, Numbers):
        return tuple(float(number) for number in str(sent).split(",") if number.strip())
    if isinstance(kind, MultiChoice):
        return tuple(sent)
    return kind.parse(str(sent)) if isinstance(kind, (Numerical, Optional)) else sent


def _words(option: str) -> str:
    return option.replace("_", " ")
