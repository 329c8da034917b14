"""The button that downloads a file."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st


def download(
    label: str,
    content: str | Callable[[], str],
    name: str,
    mime: str,
    help: str,
    disabled: bool = False,
) -> None:
    """Draw it; `content` is text, or a function that is called on a click."""
    st.download_button(
        label,
        content,
        file_name=name,
        mime=mime,
        icon=":material/download:",
        on_click="ignore",
        disabled=disabled,
        help=help,
    )
