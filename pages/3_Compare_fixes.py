"""Compare fixes: every combination of the chosen ones, trained over the same seeds."""

import streamlit as st

from pages.elements import comparing, jobs, link
from pages.elements.page import open_page

open_page("pages/3_Compare_fixes.py")
refused = comparing.enter()
st.title("Compare fixes")
st.markdown(
    "Every combination of the chosen fixes is trained over the same seeds, so that what differs "
    "is the fix and not the luck.",
    width=760,
)
link.notices(refused)
with st.container(border=True):
    choice = comparing.controls()
    running = jobs.busy(comparing.PLACE)
    ready = bool(choice.fixes) and jobs.affordable(comparing.request(choice))
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
            st.rerun()
        link.popover(comparing.parameters())
ticket = jobs.latest(comparing.PLACE)
if ticket is None:
    st.info(
        "Press **Compare**. Four fixes are 16 combinations; they share their compiled programs "
        "and take some seconds.",
        icon=":material/play_circle:",
    )
elif not ticket.job.ended:
    jobs.watch(comparing.PLACE, comparing.running)
elif ticket.job.result is None:
    jobs.nothing_came(ticket.job, "comparison")
else:
    comparing.results(ticket, choice)
comparing.leave()
