"""What the page that checks the answers consists of."""

from __future__ import annotations

from urllib.parse import quote

import pandas as pd
import streamlit as st

from core import download
from core.claims import CLAIMS, Claim
from core.claims.claim import FAILS, FEW, HOLDS, MOST, RULE, SOMETIMES, UNTESTABLE
from core.claims.record import Record, load
from core.problems import PROBLEMS
from core.statistics import Rate
from pages.elements import charts, link
from pages.elements.settings import Choice, Keys, Whole

PLACE = "claims"
RUNS = ("64", "128", "256", "512")
BADGE = {
    HOLDS: (":material/check_circle:", "green"),
    SOMETIMES: (":material/casino:", "orange"),
    FAILS: (":material/cancel:", "red"),
    UNTESTABLE: (":material/help:", "gray"),
}
WORDS = {word.replace(" ", "-"): word for word in BADGE}
"""The verdicts by what a link calls them."""
ALL = "all"
VERDICTS = "verdicts"
DEFAULTS = {
    "question": ALL,
    VERDICTS: [],
    "claim": "two-blob-labels-are-the-cause",
    "runs": "64",
    "seed": 1,
}
"""What is chosen first; the seed is not the record's, so that a test is a new one."""
KINDS = {
    "question": Choice((ALL, *PROBLEMS)),
    VERDICTS: Keys(tuple(WORDS)),
    "claim": Choice(tuple(CLAIMS)),
    "runs": Choice(RUNS),
    "seed": Whole(0, 999_999),
}


@st.cache_resource(show_spinner=False)
def recorded() -> Record:
    """The recorded evidence; it does not change while the server runs."""
    return load()


def enter() -> list[str]:
    """Put what is chosen into the session, from the URL or the last visit; what was refused."""
    refused: list[str] = []
    values = st.session_state.get(f"kept.{PLACE}", DEFAULTS)
    if f"{PLACE}.claim" not in st.session_state:
        # One who has just come, perhaps through another page's link to a claim.
        given, refused = link.read()
        values = values | link.checked(given, KINDS, refused)
    link.hold(PLACE, values, KINDS)
    return refused


def leave() -> None:
    """Keep what is chosen for the next visit, and write the URL where it changed."""
    st.session_state[f"kept.{PLACE}"] = {
        name: st.session_state[f"{PLACE}.{name}"] for name in DEFAULTS
    }
    link.write(parameters())


def parameters() -> dict[str, str]:
    """What the URL says of this page: no more than what differs from where it begins."""
    values = {name: st.session_state[f"{PLACE}.{name}"] for name in DEFAULTS}
    return {name: link.as_text(v) for name, v in values.items() if v != DEFAULTS[name]}


def word_of(key: str) -> str:
    tested = recorded().tested.get(key)
    return UNTESTABLE if tested is None else tested.verdict.word


def summary() -> None:
    """How many claims hold, and by which rule."""
    words = [word_of(key) for key in CLAIMS]
    with st.container(horizontal=True):
        for word in BADGE:
            st.metric(word.capitalize(), words.count(word), border=True)
    st.caption(RULE)


def table() -> None:
    """The claims with what was reported and measured; choosing a row chooses the claim."""
    shown = _filtered()
    if not shown:
        st.info("No claim has this verdict.", icon=":material/filter_alt_off:")
        return
    frame = pd.DataFrame([_row(CLAIMS[key]) for key in shown])
    st.dataframe(
        frame,
        key=f"{PLACE}.table",
        hide_index=True,
        on_select=lambda: _choose_row(shown),
        selection_mode="single-row",
        height=420,
        column_config={
            "claim": st.column_config.TextColumn("Claim", width="large"),
            "verdict": st.column_config.TextColumn("Verdict", width=140),
            "interval": st.column_config.ImageColumn(
                "Runs that meet it",
                width=140,
                help="Share of the runs and its 95 % interval, from 0 to 100 %; the marks are at "
                f"{FEW:.0%} and {MOST:.0%}.",
            ),
            "measured": st.column_config.TextColumn("Measured", width="medium"),
            "reported": st.column_config.TextColumn("Reported", width="medium"),
            "who": st.column_config.TextColumn("Who", width="medium"),
        },
        alt="Every claim with its verdict, the share of runs that meet it, and who made it.",
    )


def downloads() -> None:
    """The whole record as files."""
    with st.container(horizontal=True):
        for form, mime, content in (
            ("CSV", "text/csv", lambda: recorded().frame().to_csv(index=False)),
            ("JSON", "application/json", lambda: download.claims_json(recorded())),
        ):
            st.download_button(
                f"Claims as {form}",
                content,
                file_name=f"plateau_claims.{form.lower()}",
                mime=mime,
                icon=":material/download:",
                on_click="ignore",
                help="Every claim with what was reported, what was measured, and the verdict.",
            )
        link.popover(parameters())


def _filtered() -> list[str]:
    with st.container(horizontal=True):
        problem = st.segmented_control(
            "Question",
            KINDS["question"].options,
            format_func=lambda key: "Both" if key == ALL else PROBLEMS[key].title,
            required=True,
            key=f"{PLACE}.question",
            help="Whose claims are listed.",
        )
        names = st.pills(
            "Verdict",
            tuple(WORDS),
            selection_mode="multi",
            format_func=lambda name: WORDS[name].capitalize(),
            key=f"{PLACE}.{VERDICTS}",
            help="Only the claims with one of these verdicts; none chosen lists all.",
        )
    return [
        key
        for key in CLAIMS
        if (problem not in PROBLEMS or key.startswith(problem))
        and (not names or word_of(key) in [WORDS[name] for name in names])
    ]


def _choose_row(shown: list[str]) -> None:
    rows = st.session_state[f"{PLACE}.table"].selection.rows
    if rows and rows[0] in range(len(shown)):
        st.session_state[f"{PLACE}.claim"] = shown[rows[0]]


def _row(claim: Claim) -> dict[str, object]:
    tested = recorded().tested.get(claim.key)
    row = {"claim": claim.text, "verdict": word_of(claim.key).capitalize()}
    if tested is None:
        row |= {"interval": None, "measured": "\N{EM DASH}"}
    else:
        rate = tested.verdict.rate
        row |= {"interval": _bar(rate), "measured": str(rate)}
    return row | {"reported": claim.reported, "who": str(claim.source)}


def _bar(rate: Rate) -> str:
    """The interval as a picture: a bar from low to high with a dot at the rate."""
    low, high, point = (4 + 92 * share for share in (rate.low, rate.high, rate.value))
    marks = "".join(
        f'<line x1="{4 + 92 * at}" y1="3" x2="{4 + 92 * at}" y2="17" stroke="{charts.GREY}" '
        'stroke-dasharray="2 2"/>'
        for at in (FEW, MOST)
    )
    picture = (
        '<svg xmlns="http://www.w3.org/2000/svg" width="100" height="20" viewBox="0 0 100 20">'
        f'<line x1="4" y1="10" x2="96" y2="10" stroke="{charts.GREY}" opacity="0.5"/>{marks}'
        f'<line x1="{low:.1f}" y1="10" x2="{max(high, low + 1):.1f}" y2="10" stroke="#2f8fce" '
        f'stroke-width="6" opacity="0.55"/><circle cx="{point:.1f}" cy="10" r="4" fill="#2f8fce"/>'
        "</svg>"
    )
    return "data:image/svg+xml;utf8," + quote(picture)
