"""Compare fixes: every combination of the chosen ones, trained over the same seeds."""

import streamlit as st

from pages.elements import browser, compare, comparison_results, jobs, query_params
from pages.elements.page import open_page

open_page("pages/3_Compare_fixes.py")
refused = compare.enter()
st.title("Compare fixes")
st.markdown(
    "Every combination of the chosen fixes is trained over the same seeds: any difference is due "
    "to the fix, not luck.",
    width=760,
)
query_params.notices(refused)
with st.container(border=True):
    choice = compare.controls()
    running = jobs.busy(compare.PAGE)
    ready = choice.comparable and jobs.affordable(compare.request(choice))
    with st.container(horizontal=True):
        if st.button(
            "Compare",
            key="compare-start",
            type="primary",
            icon=":material/play_arrow:",
            disabled=running or not ready,
            help="Train every combination.",
        ):
            jobs.start(compare.PAGE, compare.label(choice), compare.request(choice))
            browser.bring_into_view(compare.RESULT)
            st.rerun()
        query_params.popover(compare.parameters())
with st.container(key=compare.RESULT):
    handle = jobs.latest(compare.PAGE)
    if handle is None:
        st.info(compare.next_step(choice, ready), icon=":material/play_circle:")
    elif jobs.result(compare.PAGE, "comparison", compare.running) is not None:
        comparison_results.results(handle, choice, ready)
compare.leave()
