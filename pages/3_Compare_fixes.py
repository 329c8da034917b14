"""Compare fixes: every combination of the chosen ones, trained over the same seeds."""

import streamlit as st

from pages.elements import browser, comparing, comparison_results, jobs, link
from pages.elements.page import open_page

open_page("pages/3_Compare_fixes.py")
refused = comparing.enter()
st.title("Compare fixes")
st.markdown(
    "Every combination of the chosen fixes is trained over the same seeds: any difference is due "
    "to the fix, not luck.",
    width=760,
)
link.notices(refused)
with st.container(border=True):
    choice = comparing.controls()
    running = jobs.busy(comparing.PLACE)
    ready = choice.comparable and jobs.affordable(comparing.request(choice))
    with st.container(horizontal=True):
        if st.button(
            "Compare",
            key="compare-start",
            type="primary",
            icon=":material/play_arrow:",
            disabled=running or not ready,
            help="Train every combination.",
        ):
            jobs.start(comparing.PLACE, comparing.label(choice), comparing.request(choice))
            browser.bring_into_view(comparing.RESULT)
            st.rerun()
        link.popover(comparing.parameters())
ticket = jobs.latest(comparing.PLACE)
with st.container(key=comparing.RESULT):
    if ticket is None:
        st.info(comparing.next_step(choice, ready), icon=":material/play_circle:")
    elif not ticket.job.ended:
        jobs.watch(comparing.PLACE, comparing.running)
    elif ticket.job.result is None:
        jobs.nothing_came(ticket.job, "comparison")
    else:
        comparison_results.results(ticket, choice, ready)
comparing.leave()
