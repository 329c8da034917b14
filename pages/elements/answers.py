"""What the page that checks the answers consists of."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

import numpy as np
import pandas as pd
import streamlit as st

from core import download
from core.claims import CLAIMS, Claim
from core.claims.claim import FAILS, FEW, HOLDS, MOST, RULE, SOMETIMES, UNTESTABLE
from core.claims.criteria import EPOCH
from core.claims.record import Check, Found, Record, Tested, Trained, load
from core.findings import Severity
from core.problems import PROBLEMS, TARGET
from core.statistics import Rate
from pages.elements import charts, controls, jobs, link, state
from pages.elements.findings import BADGES
from pages.elements.page import path_of
from pages.elements.settings import Choice, Whole

PLACE = "claims"
RUNS = ("64", "128", "256", "512")
BADGE = {
    HOLDS: (":material/check_circle:", "green"),
    SOMETIMES: (":material/casino:", "orange"),
    FAILS: (":material/cancel:", "red"),
    UNTESTABLE: (":material/help:", "gray"),
}
SHOWN_FINDINGS = 3
DEFAULTS = {"claim": "two-blob-labels-are-the-cause", "runs": "64", "seed": 1}
"""What is chosen first; the seed is not the record's, so that a test is a new one."""
KINDS = {"claim": Choice(tuple(CLAIMS)), "runs": Choice(RUNS), "seed": Whole(0, 999_999)}


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
    for name, value in values.items():
        said = st.session_state.get(f"{PLACE}.{name}", value)
        st.session_state[f"{PLACE}.{name}"] = said if link.allows(KINDS[name], said) else value
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
            ("all", *PROBLEMS),
            format_func=lambda key: "Both" if key == "all" else PROBLEMS[key].title,
            default="all",
            required=True,
            key=f"{PLACE}.problem",
            help="Whose claims are listed.",
        )
        words = st.pills(
            "Verdict",
            tuple(BADGE),
            selection_mode="multi",
            format_func=str.capitalize,
            key=f"{PLACE}.words",
            help="Only the claims with one of these verdicts; none chosen lists all.",
        )
    return [
        key
        for key in CLAIMS
        if (problem not in PROBLEMS or key.startswith(problem))
        and (not words or word_of(key) in words)
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


# --- one claim ----------------------------------------------------------------------------------


def details(key: str, tested: Tested | None, *, live: bool) -> None:
    """A claim, what was reported and measured, and why."""
    claim = CLAIMS[key]
    word = UNTESTABLE if tested is None else tested.verdict.word
    icon, color = BADGE[word]
    st.header(claim.text)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(word.capitalize(), icon=icon, color=color)
        st.caption(f"{claim.source}. Reported: {claim.reported}.")
    if tested is None:
        st.markdown(claim.note, width=760)
        return
    st.markdown(f"**Asked of every run:** {claim.criterion.text}", width=760)
    _figures(claim, tested, live=live)
    st.markdown(claim.note, width=760)
    if claim.version:
        st.caption(f":material/history: {claim.version}")
    if live:
        _curves(claim, tested)
    else:
        _recorded_curves(key)
    _experiments(claim, tested)
    _diagnosis(tested)


def _figures(claim: Claim, tested: Tested, *, live: bool) -> None:
    verdict, quantity = tested.verdict, claim.criterion.quantity
    low, high = verdict.range
    with st.container(horizontal=True):
        st.metric(
            "Runs that meet it",
            f"{verdict.rate.successes} of {verdict.runs}",
            help="Each with its own data and first weights.",
            border=True,
        )
        st.metric(
            "95 % interval",
            f"{verdict.rate.low:.0%} to {verdict.rate.high:.0%}",
            help="Wilson's interval of the share of runs that meet it.",
            border=True,
        )
        st.metric(
            f"Median {quantity.name[0].lower()}{quantity.name[1:]}",
            quantity.text(verdict.median),
            help="Half of the runs lie at or below it.",
            border=True,
        )
    frame = pd.DataFrame(
        {
            "label": ["Runs that meet it"],
            "rate": [verdict.rate.value],
            "low": [verdict.rate.low],
            "high": [verdict.rate.high],
            "successes": [verdict.rate.successes],
            "runs": [verdict.runs],
        }
    )
    st.altair_chart(
        charts.rate(frame, "Share of the runs"),
        alt=f"Runs that meet the criterion, with the 95 % interval: {verdict.rate}.",
    )
    words = "Measured just now" if live else f"Recorded on {recorded().date}"
    plain = ""
    if tested.confirmed:
        plain = f" Plain model.fit, run by run: {tested.confirmed} meet it."
    spread = f"{quantity.name} from {quantity.text(low)} to {quantity.text(high)}."
    st.caption(f"{words}, seed {verdict.seed}. {spread}{plain}")


@st.cache_data(show_spinner=False, max_entries=len(CLAIMS))
def _recorded_curves(key: str) -> None:
    """Drawn once, then shown to all: charts are most of what a page change costs."""
    _curves(CLAIMS[key], recorded().tested[key])


def _curves(claim: Claim, tested: Tested) -> None:
    """The arms side by side, and how what was measured is spread."""
    pictures: list[tuple[str, Callable[[], object], str]] = []
    for arm, trained in zip(claim.arms, tested.arms, strict=False):
        title = f"**{arm.label}**: {trained.rate} reach {TARGET:.0%}"
        about = f"Accuracy by epoch of {len(trained.accuracy)} runs, {arm.label}."
        pictures.append((title, lambda trained=trained: curves(trained), about))
    verdict, quantity = tested.verdict, claim.criterion.quantity
    pictures.append(
        (
            f"**{quantity.name}** of {verdict.runs} runs",
            lambda: distribution(claim, tested),
            f"How the runs' {quantity.name.lower()} is spread.",
        )
    )
    for start in range(0, len(pictures), 2):
        row = pictures[start : start + 2]
        for column, (title, chart, about) in zip(st.columns(2), row, strict=False):
            with column, st.container(border=True):
                st.markdown(title)
                st.altair_chart(chart(), alt=about)


def curves(trained: Trained, height: int = 240):
    """An arm's runs over the epochs."""
    return charts.curves(
        trained.frame(),
        "accuracy",
        np.array(trained.success),
        epochs=trained.epochs[-1],
        target=TARGET,
        height=height,
    )


def distribution(claim: Claim, tested: Tested, height: int = 240):
    """How what was measured of a claim is spread over the runs."""
    quantity = claim.criterion.quantity
    return charts.measured(
        tested.verdict.values,
        tested.verdict.met,
        quantity.name,
        share=quantity is not EPOCH,
        height=height,
    )


def _experiments(claim: Claim, tested: Tested) -> None:
    """The experiments in a line each, and the way to the last one's page."""
    for arm, trained in zip(claim.arms, tested.arms, strict=False):
        drawn = f" {len(trained.accuracy)} of {trained.runs} runs drawn."
        st.caption(f"**{arm.label}.** {controls.describe(arm.experiment)}{drawn}")
    problem = next(key for key in PROBLEMS if claim.key.startswith(key))
    pressed = st.button(
        "Open on its page",
        key=f"{PLACE}-open",
        icon=":material/open_in_new:",
        help=f"Sets the page of the {PROBLEMS[problem].title.lower()} to the last of them.",
    )
    if pressed and state.open_with(problem, claim.arms[-1].experiment):
        st.switch_page(path_of(PROBLEMS[problem].title))
    elif pressed:
        st.toast("This goes beyond what the controls can set.", icon=":material/info:")


def _diagnosis(tested: Tested) -> None:
    """Why the runs of the last arm are stuck, where some are."""
    if not tested.findings or tested.arms[-1].learned == tested.arms[-1].runs:
        return
    st.markdown(f"**Why some runs are stuck.** {tested.conclusion}", width=760)
    first, others = tested.findings[:SHOWN_FINDINGS], tested.findings[SHOWN_FINDINGS:]
    for found in first:
        _finding(found)
    if others:
        with st.expander(f"{len(others)} more findings"):
            for found in others:
                _finding(found)


def _finding(found: Found) -> None:
    label, icon, color = BADGES[Severity(found.severity)]
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.badge(label, icon=icon, color=color)
            st.markdown(f"**{found.title}**")
        st.markdown(found.evidence)
        st.caption(found.cause)


# --- testing it again ---------------------------------------------------------------------------


def try_again(claim: Claim) -> None:
    """Test the chosen claim live, with other seeds than the record's."""
    running = jobs.busy(PLACE)
    with st.container(border=True):
        st.markdown("**Test again now**")
        with st.container(horizontal=True, vertical_alignment="bottom"):
            runs = st.segmented_control(
                "Runs",
                RUNS,
                key=f"{PLACE}.runs",
                required=True,
                help="More runs make the interval narrower; with few, little can be settled.",
            )
            seed = st.number_input(
                "Seed",
                0,
                999_999,
                key=f"{PLACE}.seed",
                width=140,
                help=f"The record has seed {recorded().seed}; another one gives other data and "
                "other first weights.",
            )
            request = Check(claim.key, int(runs), seed)
            start = st.button(
                "Test",
                key=f"{PLACE}-start",
                type="primary",
                icon=":material/play_arrow:",
                disabled=running or not jobs.affordable(request),
                help="Trains every run of this claim's experiments.",
            )
            if start:
                jobs.start(PLACE, f"{runs} runs of a claim", request)
                st.rerun()
            st.button(
                "Stop",
                key=f"{PLACE}-stop",
                icon=":material/stop:",
                disabled=not running,
                on_click=jobs.stop,
                args=(PLACE,),
                help="End the test; nothing of it is kept.",
            )
        ticket = jobs.latest(PLACE)
        if ticket is None:
            return
        if not ticket.job.ended:
            jobs.watch(PLACE, _testing)
        elif ticket.job.result is None:
            jobs.nothing_came(ticket.job, "test")


def live_result(key: str) -> Tested | None:
    """What the last live test of this very claim gave."""
    ticket = jobs.latest(PLACE)
    if ticket is None or ticket.request.claim != key or not ticket.job.ended:
        return None
    return ticket.job.result


def _testing(ticket: jobs.Ticket) -> None:
    events = ticket.job.events
    share = events[-1].share if events else 0.0
    doing = f"{events[-1].finished} of {events[-1].of} networks trained" if events else "Compiling"
    jobs.progress(ticket.job, share, doing)
