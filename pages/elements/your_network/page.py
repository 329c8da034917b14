"""The page of a session's own network, from top to bottom."""

from __future__ import annotations

import streamlit as st

from core.diagnosis import Severity, verdict
from core.diagnosis.trials import Repair, expected
from core.experiment import Experiment
from core.history import History
from core.jobs.requests import TryFixes
from core.script.reading import Reading
from pages.elements import browser, controls, findings, jobs, own, problem_page, query_params, state
from pages.elements.reader import reader
from pages.elements.rendering import in_turn
from pages.elements.your_network import blamed, box, mended, paste, understood

FIND = "own-find"
TRIAL_RUNS = 32
_WANTED = "own.wanted"
"""The session's key of the experiment whose fix is to be found, by its digest."""


@in_turn
def draw() -> None:
    """Draw the page."""
    reader()
    arrived = paste.enter()
    st.title(own.TITLE)
    st.markdown(
        "Paste the script whose accuracy stays the same. It is read, not executed: you see what "
        "is wrong on its lines, how often it learns over many seeds, and the smallest change "
        "that helps, tried and proven, as a diff of your own text.",
        width=760,
    )
    with st.container():
        query_params.notices(arrived or ())
    with st.container(border=True):
        box.draw()
    reading, why = paste.read()
    if arrived is not None:
        # The URL has the settings that were changed as well.
        st.session_state.pop(own.KEY, None)
    with st.container():
        if why:
            st.error("This cannot be read.", icon=":material/block:")
            st.text(why)
        if reading is not None:
            understood.draw(reading)
    known = own.held() is not None and (reading is None or reading.experiment is not None)
    if not known or why:
        query_params.write(paste.parameters()[0])
        return
    refused = state.enter(own.KEY)
    with st.container():
        query_params.notices(refused)
        if origin := own.held().origin:
            st.caption(f":material/upload: {origin}")
        if left := own.held().left_behind:
            st.caption(f":material/link_off: A link to this page leaves out {left}.")
    with st.container():
        if reading is not None:
            blamed.draw(reading)
    with st.container():
        _find()
    problem_page.body(own.KEY, lambda now, history: _fix(reading, now, history))
    state.leave(own.KEY)


def _find() -> None:
    """Draw the button that trains the network and then tests the fixes."""
    if st.button(
        "Find the fix",
        key=FIND,
        type="primary",
        icon=":material/search:",
        disabled=jobs.busy(own.KEY) or jobs.busy(_slot()),
        help="Trains the network with many seeds. Where runs fail, it then trains it with each "
        "suggested fix and with useful combinations, on the same seeds.",
    ):
        st.session_state[_WANTED] = state.draft(own.KEY).to_json()
        controls.train(own.KEY)
        st.rerun()


def _slot() -> str:
    """The slot of the job that tests the fixes, which the findings share."""
    return f"{own.KEY}.tries"


def _fix(reading: Reading | None, now: Experiment, history: History | None) -> None:
    """Draw the fix, once it is known, or start its trial."""
    if history is not None and reading is not None and history.experiment == reading.experiment:
        mended.log(reading, history)
    if history is not None and history.experiment == now:
        _go_on(reading, now, history)
    if reading is None or not reading.lines or jobs.busy(_slot()):
        return
    before, repair = reading.experiment, _repair()
    if now != before:
        mended.draw(reading, before, now, _of_changes(now, history, repair))
    elif repair is not None and repair.experiment == now and repair.smallest is not None:
        mended.draw(reading, before, repair.smallest.experiment, _of_repair(repair))


def _go_on(reading: Reading | None, now: Experiment, history: History) -> None:
    """Test the fixes of a training that was to lead to one, if any of its findings is serious."""
    wanted = st.session_state.get(_WANTED)
    target = state.target(own.KEY)
    found = findings.findings_for(now, history, target)
    serious = any(each.severity is not Severity.COSMETIC for each in found)
    unchanged = reading is None or reading.experiment == now
    if unchanged and not serious and not history.cancelled:
        with st.container(border=True):
            st.header("Nothing to change")
            st.markdown(verdict(found, history, target))
    if wanted != state.draft(own.KEY).to_json():
        return
    del st.session_state[_WANTED]
    if serious and not history.cancelled:
        request = TryFixes(
            now,
            runs=TRIAL_RUNS,
            seed=state.seed(own.KEY),
            target=target,
            likely=expected(now, found),
        )
        jobs.start(_slot(), "a trial of suggested fixes", request)
        browser.bring_into_view(controls.result(own.KEY))
        st.rerun()


def _repair() -> Repair | None:
    handle = jobs.latest(_slot())
    return None if handle is None else handle.job.result


def _of_repair(repair: Repair) -> str:
    smallest = repair.smallest
    names = " + ".join(smallest.titles)
    return (
        f"**{names}**: {smallest.rate} {repair.passes} with it, {repair.before} without it, on "
        "the same seeds. It is the smallest change that does as well as any that was tried."
    )


def _of_changes(now: Experiment, history: History | None, repair: Repair | None) -> str:
    """What is known of the settings as they are now."""
    if repair is not None and repair.smallest is not None and repair.smallest.experiment == now:
        return _of_repair(repair)
    if history is not None and history.experiment == now:
        count = int(history.successes(state.target(own.KEY)).sum())
        return f"The settings as they are now: {count} of {history.runs} runs succeed."
    return "The settings as they are now, which are not trained yet."
