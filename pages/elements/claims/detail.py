"""One claim on the page that checks the answers: the evidence, the diagnosis and a live test."""

from __future__ import annotations

import numpy as np
import streamlit as st

from core.claims import CLAIMS, Claim, Verdict
from core.claims.claim import KEPT
from core.claims.criteria import DIFFERENCE, EPOCH
from core.claims.record import Tested
from core.fixes import Fix
from core.history import TARGET
from core.jobs.requests import CheckClaim
from core.problems import PROBLEMS
from core.recorded import Trained
from pages.elements import (
    charts,
    controls,
    export,
    figures,
    findings,
    jobs,
    own,
    query_params,
    state,
)
from pages.elements.claims.page import BADGE, PAGE, RUNS, attribution, recorded
from pages.elements.layout import TEXT, slide_title, tiles
from pages.elements.page import path_of

SHOWN_FINDINGS = 3
PANEL = 320
"""The least width, in pixels, of charts that stand side by side."""
MOST_BESIDE, SLIDE_PANEL = 3, 180
"""Charts that stand side by side on a slide with room for their distribution, and the least width
of each in pixels."""


def draw(key: str) -> None:
    """Draw a claim with its evidence, a live test, its experiments and the diagnosis."""
    claim = CLAIMS[key]
    live = _live_result(key)
    tested = live or recorded().tested.get(key)
    word = recorded().word(key) if tested is None else tested.verdict.word
    icon, color = BADGE[word]
    st.header(claim.text)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(word.capitalize(), icon=icon, color=color)
        # Not a caption, in which a link is too faint to read.
        st.markdown(f":small[:gray[{attribution(claim)}]]")
    if claim.criterion is not None:
        st.markdown(f"**Criterion:** {claim.criterion.text}", width=TEXT)
    if tested is not None:
        _figures(claim, tested, live=live is not None)
    st.markdown(claim.note, width=TEXT)
    if claim.criterion is not None:
        _try_again(claim)
    if tested is None:
        return
    if claim.version:
        st.caption(f":material/history: {claim.version}")
    if live is not None:
        _curves(claim, tested)
    else:
        _recorded_curves(key)
    _experiments(claim, tested)
    _diagnosis(tested)
    if tested.arms:
        last = claim.arms[-1]
        step = Fix(claim.key, last.label, claim.text, claim.source.who, lambda _: last.experiment)
        asked = PROBLEMS[claim.problem].experiment
        export.code(
            asked, last.experiment, (step,), tested.verdict.seed, own.unchanged(claim.problem)
        )


def _figures(claim: Claim, tested: Tested, *, live: bool) -> None:
    verdict, quantity = tested.verdict, claim.criterion.quantity
    between = quantity.between(*verdict.range)
    with st.container(horizontal=True):
        st.metric(
            "Runs that meet it",
            verdict.rate.count,
            f"95% interval {verdict.rate.interval}",
            delta_color="off",
            delta_arrow="off",
            help="Each run has its own data and initial weights. The interval is Wilson's, of the "
            "share of runs that meet the criterion.",
            border=True,
        )
        st.metric(
            f"Median {quantity.name[0].lower()}{quantity.name[1:]}",
            quantity.text(verdict.median),
            f"All runs: {between}" if between else "In all runs",
            delta_color="off",
            delta_arrow="off",
            help="Half of the runs are at or below it.",
            border=True,
        )
    words = "Measured just now" if live else f"Recorded on {recorded().date}"
    plain = ""
    if tested.confirmed:
        plain = f" Plain model.fit, run by run: {tested.confirmed} meet it."
    st.caption(f"{words}, seed {verdict.seed}.{plain}")


def alone(key: str) -> None:
    """Draw a claim with its recorded curves, for a slide."""
    slide_title(CLAIMS[key].text)
    if recorded().tested.get(key) is not None:
        _recorded_curves(key, slide=True)
    query_params.way_back({"claim": key})


@st.cache_data(show_spinner=False)
def _recorded_curves(key: str, slide: bool = False) -> None:
    """`_curves` of the record, cached: the record does not change while the server runs."""
    _curves(CLAIMS[key], recorded().tested[key], slide)


def _curves(claim: Claim, tested: Tested, slide: bool = False) -> None:
    """Draw the interval, the curves of the arms, and the distribution of the measured values.

    Args:
        claim: What was tested.
        tested: Its figures.
        slide: Whether all is in one row, where the distribution may have no place.
    """
    verdict, quantity = tested.verdict, claim.criterion.quantity
    charts.show(
        figures.interval(verdict.rate, "Runs that meet it", "Share of the runs"),
        alt=f"Runs that meet the criterion, with the 95% interval: {verdict.rate}.",
    )
    panels = [
        (
            f"**{arm.label}**: {trained.rate} reach {TARGET:.0%}",
            curves(trained),
            f"Accuracy by epoch of {len(trained.accuracy)} runs, {arm.label}.",
        )
        for arm, trained in zip(claim.arms, tested.arms, strict=False)
    ]
    if not slide or len(panels) < MOST_BESIDE:
        panels.append(
            (
                f"**{quantity.name}** of {_kept(verdict)}",
                distribution(claim, tested),
                f"Distribution of the runs' {quantity.name.lower()}.",
            )
        )
    columns, width = (len(panels), SLIDE_PANEL) if slide else (2, PANEL)
    for tile, (title, chart, words) in zip(tiles(len(panels), columns, width), panels, strict=True):
        with tile:
            st.markdown(title)
            charts.show(chart, alt=words)


def _kept(verdict: Verdict) -> str:
    """The runs whose own values are kept."""
    kept = len(verdict.values)
    return f"{kept} runs" if kept == verdict.runs else f"the first {kept} runs"


def curves(trained: Trained, height: int = 240):
    """The accuracy of an arm's drawn runs by epoch; the legend counts all its runs."""
    return charts.curves(
        trained.frame(),
        "evaluated_score",
        np.array(trained.success),
        epochs=trained.epochs[-1],
        target=TARGET,
        height=height,
        whole=trained.rate,
    )


def distribution(claim: Claim, tested: Tested, height: int = 240):
    """The distribution of a claim's measured values over the runs."""
    quantity = claim.criterion.quantity
    share = charts.POINTS if quantity is DIFFERENCE else charts.PERCENT
    return charts.measured(
        tested.verdict.values,
        tested.verdict.met,
        quantity.name,
        unit="" if quantity is EPOCH else share,
        height=height,
    )


def _experiments(claim: Claim, tested: Tested) -> None:
    """Draw the experiments in a line each, and a button that opens the last one on its page."""
    for arm, trained in zip(claim.arms, tested.arms, strict=False):
        counts = f" {trained.runs:,} runs, {len(trained.accuracy)} drawn."
        st.caption(f"**{arm.label}.** {controls.describe(arm.experiment)}{counts}")
    title = PROBLEMS[claim.problem].title
    pressed = st.button(
        f"Open in {title}",
        key=f"{PAGE}-open",
        icon=":material/open_in_new:",
        help="Sets that page to the last of these experiments.",
    )
    if pressed and state.open_with(claim.problem, claim.arms[-1].experiment):
        st.switch_page(path_of(title))
    elif pressed:
        st.toast("The controls of that page cannot set this experiment.", icon=":material/info:")


def _diagnosis(tested: Tested) -> None:
    """Draw the diagnosis of the last arm, if some of its runs fail."""
    if not tested.findings or tested.arms[-1].learned == tested.arms[-1].runs:
        return
    of = f" (the first {KEPT} runs)" if tested.verdict.runs > KEPT else ""
    st.markdown(f"**Why some runs fail**{of}. {tested.conclusion}", width=TEXT)
    first, others = tested.findings[:SHOWN_FINDINGS], tested.findings[SHOWN_FINDINGS:]
    for finding in first:
        findings.recorded(finding)
    if others:
        with st.expander(f"{len(others)} more findings"):
            for finding in others:
                findings.recorded(finding)


def _try_again(claim: Claim) -> None:
    """Draw the live test of a claim, with other seeds than the record's."""
    running = jobs.busy(PAGE)
    with st.container(border=True):
        st.markdown("**Test again now**")
        with st.container(horizontal=True, vertical_alignment="bottom", key=f"{PAGE}-again"):
            runs = st.segmented_control(
                "Runs",
                RUNS,
                key=f"{PAGE}.runs",
                required=True,
                help="More runs make the interval narrower.",
            )
            seed = st.number_input(
                "Seed",
                0,
                999_999,
                key=f"{PAGE}.seed",
                width=140,
                help=f"The record used seed {recorded().seed}; another seed gives different data "
                "and initial weights.",
            )
            request = CheckClaim(claim.key, int(runs), seed)
            start = st.button(
                "Test",
                key=f"{PAGE}-start",
                type="primary",
                icon=":material/play_arrow:",
                disabled=running or not jobs.affordable(request),
                help="Trains every run of this claim's experiments.",
            )
            if start:
                jobs.start(PAGE, f"{runs} runs of a claim", request)
                st.rerun()
        jobs.result(PAGE, "test", _testing)


def _live_result(key: str) -> Tested | None:
    """The result of the last live test if it was of this claim, otherwise None."""
    handle = jobs.latest(PAGE)
    if handle is None or handle.request.claim != key or not handle.job.ended:
        return None
    return handle.job.result


def _testing(handle: jobs.JobHandle) -> None:
    events = handle.job.events
    share = events[-1].share if events else 0.0
    doing = f"{events[-1].finished} of {events[-1].of} networks trained" if events else "Compiling"
    jobs.progress(PAGE, share, doing)
