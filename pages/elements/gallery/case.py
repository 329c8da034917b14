"""One case of the gallery: what one sees, why, the change, and questions for a class."""

from __future__ import annotations

import streamlit as st

from core.diagnosis.findings import Severity
from core.gallery import CASES, Case
from core.gallery.record import Recorded
from core.rates import signed, signed_points
from core.recorded import Trained
from core.script_diff import changes
from pages.elements import charts, controls, diff, findings, own, query_params
from pages.elements.gallery.overview import CASE
from pages.elements.gallery.recorded import PATH, curves, recorded
from pages.elements.layout import TEXT, slide_title, tiles

PANEL = 320
"""The least width, in pixels, of charts that stand side by side."""
MOST_LINES, FEW_LINES = 24, 4
"""Lines of a difference that are shown; of one with more, how many of each side."""


def draw(key: str) -> None:
    """Draw a case."""
    case, kept = CASES[key], recorded().recorded[key]
    figures = kept.figures(case)
    # Below the header, which would cover the top of the links.
    st.space("xxsmall")
    _ways(key)
    st.title(case.title)
    st.markdown(case.line, width=TEXT)
    st.header("What one sees")
    st.markdown(case.symptom.format(**figures), width=TEXT)
    _charts(key)
    _open(case)
    st.header("Why")
    st.markdown(case.why.format(**figures), width=TEXT)
    _diagnosis(kept)
    st.header("The change")
    _change(case, kept)
    st.header("Questions for a class")
    for number, question in enumerate(case.questions, 1):
        st.markdown(f"{number}. **{question.text}**  \n{question.attempt}", width=TEXT)
    query_params.popover({CASE: key}, chart=("curves", "the curves of this case"))


def alone(key: str) -> None:
    """Draw the curves of a case, for a slide."""
    slide_title(CASES[key].title)
    _charts(key)
    query_params.way_back({CASE: key})


def _ways(key: str) -> None:
    """Draw the links to the overview and to the cases before and after."""
    keys = list(CASES)
    place = keys.index(key)
    with st.container(horizontal=True):
        st.page_link(PATH, label="All cases", icon=":material/grid_view:", query_params={})
        for step, icon in ((-1, ":material/arrow_back:"), (1, ":material/arrow_forward:")):
            other = keys[(place + step) % len(keys)]
            st.page_link(PATH, label=CASES[other].title, icon=icon, query_params={CASE: other})


def _change_name(case: Case) -> str:
    return " + ".join(fix.title for fix in case.fixes)


@st.cache_data(show_spinner=False)
def _charts(key: str) -> None:
    """Draw the curves before and after, cached: the record does not change."""
    case, kept = CASES[key], recorded().recorded[key]
    panels = (("As asked", kept.before), (_change_name(case), kept.after))
    for tile, (name, trained) in zip(tiles(2, 2, PANEL), panels, strict=True):
        with tile:
            _panel(key, name, trained)


def _panel(key: str, name: str, trained: Trained) -> None:
    passes, score = recorded().recorded[key].passes, CASES[key].experiment.task.score
    st.markdown(f"**{name}**  \n{trained.rate} {passes}")
    charts.show(
        curves(key, trained),
        alt=f"{score} by epoch, {name}: {trained.rate} {passes}.",
    )


def _open(case: Case) -> None:
    """Draw the buttons that open the experiment, as asked and changed."""
    st.caption(controls.describe(case.experiment))
    ways = (
        ("Open it on Your network", case.experiment, "as asked"),
        ("Open it changed", case.changed, "with its change"),
    )
    with st.container(horizontal=True):
        for label, experiment, which in ways:
            if st.button(label, key=f"gallery.{label}", icon=":material/open_in_new:"):
                own.hold(experiment, f"From the gallery: {case.title}, {which}.")
                st.switch_page(own.PATH)


def _diagnosis(kept: Recorded) -> None:
    """Draw what the diagnosis says of the recorded runs."""
    serious = [each for each in kept.findings if each.severity != Severity.COSMETIC.value]
    with st.container(border=True):
        st.markdown("**The diagnosis of these runs**")
        st.markdown(" ".join(kept.summary), width=TEXT)
        shown = serious or kept.findings
        if shown:
            with st.expander(f"{len(shown)} finding{'s' * (len(shown) > 1)}"):
                for finding in shown:
                    findings.recorded(finding)


def _change(case: Case, kept: Recorded) -> None:
    gain, low, high = kept.gain
    for fix in case.fixes:
        st.markdown(f"**{fix.title}.** {fix.why}", width=TEXT)
    st.markdown(
        f"As asked {kept.before.rate} {kept.passes}, with the change {kept.after.rate}: a "
        f"difference of {signed_points(gain)} (95% interval {signed(low)} to {signed(high)}), over "
        "the same seeds.",
        width=TEXT,
    )
    _difference(case.key)


@st.cache_data(show_spinner=False)
def _difference(key: str) -> None:
    """Draw what changes in the script."""
    case = CASES[key]
    for change in changes(case.experiment, case.fixes):
        diff.draw(_shortened(change.diff.splitlines()))


def _shortened(lines: list[str]) -> str:
    """A difference; of a long one, in which rows of numbers change, a few lines of each side."""
    if len(lines) <= MOST_LINES:
        return "\n".join(lines)
    few = []
    for sign in "-+":
        own = [line for line in lines if line.startswith(sign)]
        few += [*own[:FEW_LINES], f"{sign}     ..."] if len(own) > FEW_LINES else own
    return "\n".join(few)
