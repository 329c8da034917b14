"""The page of a session's own network, from top to bottom."""

from __future__ import annotations

import streamlit as st

from core.diagnosis import verdict
from core.diagnosis.trials import Repair
from core.experiment import Experiment
from core.history import TARGET, History
from core.script.logs import remarks
from core.script.result import Reading
from pages.elements import (
    alone,
    baselines,
    browser,
    change,
    controls,
    diagnosis,
    findings,
    jobs,
    own,
    problem_page,
    query_params,
    state,
    tabs,
)
from pages.elements.layout import TEXT
from pages.elements.reader import reader
from pages.elements.rendering import in_turn
from pages.elements.your_network import blamed, box, mended, paste, understood

FIND = "own-find"
_SHOWN = "own.shown"
"""The session's key of the network that was drawn last, by its digest."""
_WANTED = "own.wanted"
"""The session's key of the experiment whose fix is to be found, by its digest."""


@in_turn
def draw() -> None:
    """Draw the page."""
    reader()
    arrived = paste.enter()
    if query_params.asks_for_one_chart():
        _alone(anew=arrived is not None)
        return
    st.title(own.TITLE)
    st.markdown(
        "Paste the script whose accuracy stays the same. It is read, not executed: you see what "
        "is wrong on its lines, how often it learns over many seeds, and the smallest change "
        "that verifiably helps, as a diff of your own text.",
        width=TEXT,
    )
    with st.container():
        query_params.notices(arrived or ())
    with st.container(border=True):
        buttons = box.draw()
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
        if reading is None and not why:
            _of_log()
    known = own.held() is not None and (reading is None or reading.experiment is not None)
    if not known or why:
        if (likely := paste.with_proposed(reading)) is not None:
            blamed.draw(likely, TARGET, proposed=True)
        query_params.write(paste.parameters()[0])
        return
    _forget_others()
    refused = state.enter(own.KEY)
    with st.container():
        query_params.notices(refused)
        if origin := own.held().origin:
            st.caption(f":material/upload: {origin}")
        if left := own.held().left_behind:
            st.caption(f":material/link_off: A link to this page leaves out {left}.")
    wrong = st.container()
    with buttons:
        _find()
    told = () if reading is None else (tabs.WHY,)
    problem_page.body(own.KEY, lambda now, history: _fix(reading, now, history), told)
    if reading is not None:
        # Last, since the body brings back the results of these settings that are kept.
        with wrong:
            _wrong(reading)
    state.leave(own.KEY)


def _wrong(reading: Reading) -> None:
    """Draw what was found before any training, with the figures of the runs where there are any."""
    handle, experiment, trained = jobs.latest(own.KEY), reading.experiment, None
    history = None if handle is None else handle.job.result
    if history is not None and history.experiment == experiment:
        trained = findings.judged(own.KEY, experiment, history)
    target = state.target(own.KEY)
    blamed.draw(reading, target, folded=handle is not None, trained=trained)


def _of_log() -> None:
    """Say what a log shows by itself, while there is no script."""
    curves = paste.curves()
    if curves is not None and own.held() is None:
        for text in remarks(curves):
            st.markdown(f":material/show_chart: {text}")
        st.caption("Paste the script as well: its runs are compared with this log.")


def _alone(*, anew: bool) -> None:
    """Draw the chart that the link asks for, of the network that it carries.

    Args:
        anew: Whether the link was followed just now.
    """
    reading, why = paste.read()
    if anew:
        st.session_state.pop(own.KEY, None)
    if why or own.held() is None or (reading is not None and reading.experiment is None):
        st.error("This link carries no network that can be trained.", icon=":material/block:")
        st.text(why)
        return
    state.enter(own.KEY)
    alone.draw(own.KEY, problem_page.running)
    state.leave(own.KEY)


def _forget_others() -> None:
    """Let go of the results of the network that was here before."""
    shown, before = own.held().problem.experiment, st.session_state.get(_SHOWN)
    st.session_state[_SHOWN] = shown.digest
    handle = jobs.latest(own.KEY)
    if before not in (None, shown.digest) and handle and handle.request.experiment != shown:
        jobs.clear(own.KEY)
        jobs.clear(controls.fit_slot(own.KEY))
        change.clear(own.KEY)


def _find() -> None:
    """Draw the button that trains the network and then tests the fixes."""
    if st.button(
        "Find the fix",
        key=FIND,
        type="primary",
        icon=":material/search:",
        disabled=jobs.busy(own.KEY) or change.testing(own.KEY),
        help="Trains the network with many seeds. Where runs fail, it then trains it with each "
        "suggested fix and with useful combinations, on the same seeds.",
    ):
        st.session_state[_WANTED] = state.draft(own.KEY).to_json()
        controls.train(own.KEY)
        st.rerun()


def _fix(reading: Reading | None, now: Experiment, history: History | None) -> None:
    """Draw the fix, once it is known, or start its trial."""
    script = reading is not None and bool(reading.source)
    before = now if reading is None else reading.experiment
    if history is not None and history.experiment == now:
        _go_on(now, history, unchanged=now == before)
    repair = change.tried(own.KEY, before)
    if script and not change.testing(own.KEY):
        if now != before:
            why = _of_changes(now, history, repair)
            mended.draw(reading, before, now, why, applied=True)
        elif repair is not None and repair.smallest is not None:
            after = repair.smallest.experiment
            mended.draw(reading, before, after, _of_repair(repair), applied=False)
    if history is not None and history.experiment == before:
        mended.log(history)


def _go_on(now: Experiment, history: History, *, unchanged: bool) -> None:
    """Test the fixes of a training that was to lead to one, if any of its findings does harm."""
    target = state.target(own.KEY)
    found = diagnosis.findings_for(now, history, target)
    harmful = diagnosis.harmful(found)
    if unchanged and not harmful and not history.cancelled:
        with st.container(border=True):
            st.header("Nothing to change")
            others = baselines.deciding(now)
            st.markdown(verdict(found, history, target, baselines=others), width=TEXT)
    if st.session_state.get(_WANTED) != state.draft(own.KEY).to_json():
        return
    del st.session_state[_WANTED]
    if harmful and not history.cancelled and change.tried(own.KEY, now) is None:
        change.test(own.KEY, now, found)
        browser.bring_into_view(controls.result(own.KEY))
        st.rerun()


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
