"""The overview of the gallery: a card for every case."""

from __future__ import annotations

import difflib

import streamlit as st

from core.gallery import CASES
from pages.elements import query_params
from pages.elements.gallery.recorded import PATH, recorded
from pages.elements.gallery.thumbnail import thumbnail
from pages.elements.layout import TEXT, tiles

CASE = "case"
"""The parameter of the address that opens a case."""
CARD = 270
"""The least width of a card in pixels."""


def asked() -> tuple[str | None, list[str]]:
    """The key of the case in the address, None for the overview, and messages about the rest."""
    link, refused = query_params.read()
    link = query_params.without_chart(link)
    key = link.pop(CASE, None)
    refused += [query_params.unknown(name) for name in link]
    if key is not None and key not in CASES:
        refused.append(_unknown(key))
        key = None
    return key, refused


def _unknown(key: str) -> str:
    """The message for an unknown case in a link, with the most similar one if there is one."""
    matches = difflib.get_close_matches(key, CASES, n=1, cutoff=0.6)
    hint = f" Did you mean `{matches[0]}`?" if matches else ""
    return f"Unknown case `{query_params.quoted(key)}` in the link: choose one below.{hint}"


def draw() -> None:
    """Draw the introduction and the cards."""
    st.markdown(
        f"{len(CASES)} short cases for a class or for yourself. Each shows one reason why training "
        "gets nowhere, or seems to, over hundreds of runs, and a change that is verified on the "
        "same seeds. In the pictures a line is a run, as asked at the left and with the change at "
        "the right: blue where it succeeds, orange where it fails.",
        width=TEXT,
    )
    for tile, key in zip(tiles(len(CASES), 3, CARD), CASES, strict=True):
        with tile:
            _card(key)


def _card(key: str) -> None:
    case, kept = CASES[key], recorded().recorded[key]
    before, after = kept.before.rate, kept.after.rate
    st.markdown(f"![Curves as asked and with the change]({_picture(key)})")
    st.page_link(
        PATH, label=f"**{case.title}**", icon=":material/arrow_forward:", query_params={CASE: key}
    )
    st.markdown(case.line)
    # Two lines, since most are too long for one.
    st.caption(f"{before} →  \n{after}")


@st.cache_data(show_spinner=False)
def _picture(key: str) -> str:
    kept = recorded().recorded[key]
    return thumbnail(kept.before, kept.after, CASES[key].experiment.task)
