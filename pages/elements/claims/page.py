"""The parts of the page that checks the answers, except the details of a claim."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from functools import cache
from urllib.parse import quote

import streamlit as st

from core import files
from core.claims import CLAIMS, Claim
from core.claims.claim import (
    FAILS,
    FEW,
    HOLDS,
    MOST,
    OURS,
    RULE,
    SOMETIMES,
    UNTESTABLE,
    UNTESTED,
)
from core.claims.record import Record, load
from core.fields import Choice, Int, MultiChoice
from core.problems import PROBLEMS
from core.rates import Rate
from pages.elements import browser, charts, query_params
from pages.elements.download import download
from pages.elements.settings import as_text

PAGE = "claims"
"""The prefix of the keys of this page's widgets, and the slot of its job."""
RUNS = ("64", "128", "256", "512")
BADGE = {
    HOLDS: (":material/check_circle:", "green"),
    SOMETIMES: (":material/casino:", "orange"),
    FAILS: (":material/cancel:", "red"),
    UNTESTABLE: (":material/help:", "gray"),
    UNTESTED: (":material/pending:", "gray"),
}
WORDS = {word.replace(" ", "-"): word for word in (HOLDS, SOMETIMES, FAILS, UNTESTABLE)}
"""The verdicts of recorded claims by their text in a link."""
ALL = "all"
VERDICTS = "verdicts"
DEFAULTS = {
    "question": ALL,
    VERDICTS: [],
    "claim": "two-blob-labels-are-the-cause",
    "runs": "64",
    "seed": 1,
}
"""The default settings; the seed differs from the record's, so that a live test is a new one."""
LIST = f"{PAGE}-list"
LIST_HEIGHT = 520
CLAIM = f"{PAGE}.claim"
"""The session's key of the chosen claim."""
SHOWN = f"{PAGE}-shown"
"""The key of the container with the chosen claim."""


def kinds() -> dict[str, query_params.Kind]:
    """The kinds of this page's settings, by name."""
    return {
        "question": Choice((ALL, *PROBLEMS)),
        VERDICTS: MultiChoice(WORDS),
        "claim": Choice(tuple(CLAIMS)),
        "runs": Choice(RUNS),
        "seed": Int(0, 999_999),
    }


@st.cache_resource(show_spinner=False)
def recorded() -> Record:
    """The recorded evidence, which does not change while the server runs."""
    return load()


def enter() -> list[str]:
    """Put the settings into the session, from the URL or the last visit.

    Returns:
        A message for each value that was refused.
    """
    refused: list[str] = []
    anew = query_params.followed_history()
    values = DEFAULTS if anew else st.session_state.get(f"kept.{PAGE}", DEFAULTS)
    if anew or CLAIM not in st.session_state:
        # A new visit, perhaps through another page's link to a claim.
        link, refused = query_params.read()
        link = query_params.without_chart(link)
        if link.get("claim", DEFAULTS["claim"]) not in CLAIMS:
            refused.append(_unknown(link.pop("claim")))
        values = values | query_params.checked(link, kinds(), refused)
        if "claim" in link and values["claim"] not in listed(values["question"], values[VERDICTS]):
            values |= {"question": ALL, VERDICTS: []}
        if "claim" in link:
            browser.bring_into_view(SHOWN)
    query_params.hold(PAGE, values, kinds(), anew=anew)
    return refused


def _unknown(key: str) -> str:
    """The message for an unknown claim in a link, with the most similar key if there is one."""
    matches = difflib.get_close_matches(key, CLAIMS, n=1, cutoff=0.8)
    hint = f" Did you mean `{matches[0]}`?" if matches else ""
    return f"Unknown claim `{query_params.quoted(key)}` in the link: choose one below.{hint}"


def leave() -> None:
    """Keep the settings for the next visit, and write them into the URL."""
    st.session_state[f"kept.{PAGE}"] = {
        name: st.session_state[f"{PAGE}.{name}"] for name in DEFAULTS
    }
    query_params.write(parameters())


def parameters() -> dict[str, str]:
    """The parameters of this page's URL: those that differ from the defaults."""
    values = {name: st.session_state[f"{PAGE}.{name}"] for name in DEFAULTS}
    return {name: as_text(v) for name, v in values.items() if v != DEFAULTS[name]}


def summary() -> None:
    """Draw the number of claims with each verdict, for the posts' claims and for our own."""
    for whose, counts in (
        ("claims from the posts", recorded().counts(ours=False)),
        ("claims of our own", recorded().counts(ours=True)),
    ):
        badges = " ".join(_badge(word, count) for word, count in counts.items() if count)
        st.markdown(f"**{sum(counts.values())} {whose}** {badges}")


def choose(question: str, verdicts: Sequence[str]) -> str | None:
    """Draw the list of claims.

    Args:
        question: A key of a problem, or ALL.
        verdicts: Keys of WORDS; all verdicts if empty.

    Returns:
        The key of the selected claim; None if no claim matches.
    """
    shown = listed(question, verdicts)
    if not shown:
        names = " or ".join(WORDS[name] for name in verdicts)
        st.info(
            f'No claim about the {PROBLEMS[question].title.lower()} has the verdict "{names}". '
            "Choose another verdict, or both questions.",
            icon=":material/filter_alt_off:",
        )
        return None
    if st.session_state[CLAIM] not in shown:
        st.session_state[CLAIM] = shown[0]
    with st.container(height=LIST_HEIGHT, key=LIST):
        key = st.radio(
            "Claim",
            shown,
            format_func=_row,
            # A caption, even a blank one, adds space between all rows.
            captions=[*[""] * (len(shown) - 1), "&nbsp;"],
            key=CLAIM,
            label_visibility="collapsed",
            width="stretch",
        )
    browser.reveal_choice(LIST, shown.index(key), len(shown), SHOWN)
    st.caption(f"{RULE} The dashed lines in the pictures are at {FEW:.0%} and {MOST:.0%}.")
    return key


def listed(question: str, verdicts: Sequence[str]) -> tuple[str, ...]:
    """The keys of the claims that match; the arguments are those of `choose`."""
    words = [WORDS[name] for name in verdicts]
    return tuple(
        key
        for key, claim in CLAIMS.items()
        if question in (ALL, claim.problem) and (not words or recorded().word(key) in words)
    )


def downloads() -> None:
    """Draw the buttons that download the record, and the link to this page."""
    with st.container(horizontal=True):
        for form, mime, content in (
            ("CSV", "text/csv", lambda: recorded().frame().to_csv(index=False)),
            ("JSON", "application/json", lambda: files.claims_json(recorded())),
        ):
            download(
                f"Claims as {form}",
                content,
                name=f"plateau_claims.{form.lower()}",
                mime=mime,
                help="Every claim with what was reported, what was measured, and the verdict.",
            )
        query_params.popover(
            parameters(), chart=("curves", "the curves of this claim, as recorded")
        )


def filters() -> tuple[str, list[str]]:
    """Draw the filters of the list.

    Returns:
        The question and the verdicts, as for `choose`.
    """
    with st.container(horizontal=True):
        question = st.segmented_control(
            "Question",
            (ALL, *PROBLEMS),
            format_func=lambda key: "Both" if key == ALL else PROBLEMS[key].title,
            required=True,
            key=f"{PAGE}.question",
            help="Lists the claims about this question.",
        )
        verdicts = st.pills(
            "Verdict",
            tuple(WORDS),
            selection_mode="multi",
            format_func=lambda name: WORDS[name].capitalize(),
            key=f"{PAGE}.{VERDICTS}",
            help="Lists the claims with one of these verdicts; with none chosen, all claims.",
        )
    return question, verdicts


@cache
def _row(key: str) -> str:
    """A claim's row in the list: verdict, text, measured rate, source and reported result.

    The same text for all sessions, each of which keeps the options of its controls.
    """
    claim, tested = CLAIMS[key], recorded().tested.get(key)
    measured = ""
    if tested is not None:
        rate = tested.verdict.rate
        measured = f"![Interval]({_bar(rate)}) {rate}. "
    badge, details = _badge(recorded().word(key)), f"{measured}{attribution(claim)}"
    return f"{badge} {claim.text}  \n:small[:gray[{details}]]"


def _badge(word: str, count: int | str = "") -> str:
    icon, color = BADGE[word]
    return f":{color}-badge[{icon} {word.capitalize()} {count}]"


def attribution(claim: Claim) -> str:
    """The source of a claim and the result that it reports."""
    if claim.source == OURS:
        return "Ours."
    return f"{claim.source.markdown}. Reported: {claim.reported}."


def _bar(rate: Rate) -> str:
    """The interval as an SVG data URL: a bar from low to high with a dot at the rate."""
    low, high, point = (6 + 88 * share for share in (rate.low, rate.high, rate.value))
    marks = "".join(
        f'<line x1="{6 + 88 * at}" y1="3" x2="{6 + 88 * at}" y2="17" stroke="{charts.GREY}" '
        'stroke-dasharray="2 2"/>'
        for at in (FEW, MOST)
    )
    picture = (
        '<svg xmlns="http://www.w3.org/2000/svg" width="100" height="20" viewBox="0 0 100 20">'
        f'<line x1="6" y1="10" x2="94" y2="10" stroke="{charts.GREY}" opacity="0.5"/>{marks}'
        f'<line x1="{low:.1f}" y1="10" x2="{max(high, low + 1):.1f}" y2="10" stroke="#2f8fce" '
        f'stroke-width="6" opacity="0.55"/><circle cx="{point:.1f}" cy="10" r="4" fill="#2f8fce"/>'
        "</svg>"
    )
    return "data:image/svg+xml;utf8," + quote(picture)
