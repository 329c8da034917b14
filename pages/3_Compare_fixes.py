"""Compare fixes: every combination of the chosen ones, trained on the same seeds."""

import streamlit as st

from pages.elements import browser, jobs, query_params
from pages.elements.compare import choices, results
from pages.elements.layout import TEXT
from pages.elements.page import open_page

open_page("pages/3_Compare_fixes.py")
refused = choices.enter()
if query_params.asks_for_one_chart():
    results.alone(choices.current())
    st.stop()
st.title("Compare fixes")
st.markdown(
    "Every combination of the chosen fixes is trained on the same seeds: any difference is due to "
    "the fixes, not to luck.",
    width=TEXT,
)
query_params.notices(refused)
with st.container(border=True):
    choice = choices.controls()
    running = jobs.busy(choices.PAGE)
    ready = choice.comparable and jobs.affordable(choices.request(choice))
    with st.container(horizontal=True):
        if st.button(
            "Compare",
            key="compare-start",
            type="primary",
            icon=":material/play_arrow:",
            disabled=running or not ready,
            help="Train every combination.",
        ):
            jobs.start(choices.PAGE, choices.label(choice), choices.request(choice))
            browser.bring_into_view(choices.RESULT)
            st.rerun()
        query_params.popover(choices.parameters(), chart=("rate", "how many runs succeed"))
with st.container(key=choices.RESULT):
    handle = jobs.latest(choices.PAGE)
    if handle is not None and jobs.result(choices.PAGE, "comparison", choices.running) is not None:
        results.results(handle, choice, ready)
    else:
        results.recorded(choice, ready)
choices.leave()
