"""Gallery: short cases for a class, each with its curves, its cause and a verified change."""

import streamlit as st

from core.history import TARGET
from core.recorded import DRAWN_RUNS
from pages.elements import browser, query_params
from pages.elements.gallery import case, overview
from pages.elements.gallery.recorded import PATH, recorded
from pages.elements.page import open_page

open_page(PATH)
key, refused = overview.asked()
if key is not None and query_params.asks_for_one_chart():
    case.alone(key)
    st.stop()
if key is None:
    st.title("Gallery")
    query_params.notices(refused)
    overview.draw()
else:
    query_params.notices(refused)
    case.draw(key)
record = recorded()
st.caption(
    f"Recorded on {record.date} with {record.versions_text}: {record.runs} runs of each experiment "
    f"over the same seeds, {DRAWN_RUNS} drawn. A run succeeds when its final score is at least "
    f"{TARGET:.0%} (an R² of {TARGET:g}), or that share of the way from a constant answer to the "
    "best possible score."
)
query_params.write({} if key is None else {overview.CASE: key})
browser.act()
