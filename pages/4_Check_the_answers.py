"""Check the answers: every claim from the posts and our own, tested on hundreds of seeds."""

import streamlit as st

from core.posts import POSTS
from pages.elements import browser, query_params
from pages.elements.claims import detail, page
from pages.elements.layout import TEXT
from pages.elements.page import open_page

open_page("pages/4_Check_the_answers.py")
refused = page.enter()
if query_params.asks_for_one_chart():
    detail.alone(st.session_state[page.CLAIM])
    st.stop()
st.title("Check the answers")
record = page.recorded()
st.markdown(
    f"What two posts, their answers and their comments say: {POSTS['threshold'].markdown}, and "
    f"{POSTS['two-blob'].markdown}. Each claim that training can decide was tested over "
    f"{record.runs:,} runs, where its author had one or a few.",
    width=TEXT,
)
query_params.notices(refused)
page.summary()
filters = page.filters()
choice, shown = st.columns([2, 3])
with choice:
    key = page.choose(*filters)
if key is not None:
    with shown, st.container(border=True, key=page.SHOWN):
        detail.draw(key)
page.downloads()
st.caption(
    f"Recorded on {record.date} with {record.versions_text}; the posts used the Keras of their "
    "time. The number of the second post is not known: its link searches the site for its title."
)
page.leave()
browser.act()
