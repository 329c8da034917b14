"""Check the answers: every claim that was made, tested over hundreds of seeds."""

import streamlit as st

from core.posts import POSTS
from pages.elements import answers, browser, claim, link
from pages.elements.page import open_page

open_page("pages/4_Check_the_answers.py")
refused = answers.enter()
st.title("Check the answers")
record = answers.recorded()
st.markdown(
    f"What two posts, their answers and their comments say: {POSTS['threshold'].markdown}, and "
    f"{POSTS['two-blob'].markdown}. Each claim that training can decide was tested over "
    f"{record.runs} runs, where its author had one or a few.",
    width=760,
)
link.notices(refused)
answers.summary()
wanted = answers.filters()
choice, shown = st.columns([2, 3])
with choice:
    key = answers.choose(*wanted)
if key is not None:
    with shown, st.container(border=True, key=answers.SHOWN):
        claim.draw(key)
answers.downloads()
st.caption(
    f"Recorded on {record.date} with {record.versions_text}; the posts used the Keras of their "
    "time. The number of the second post is not known: its link searches the site for its title."
)
answers.leave()
browser.act()
