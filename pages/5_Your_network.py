"""The session's own network: from a script, a file or another page."""

import streamlit as st

from pages.elements import own, problem_page, state
from pages.elements.page import open_page

open_page(own.PATH)
st.title(own.TITLE)
if own.held() is None:
    st.markdown("There is no network yet.")
else:
    state.enter(own.KEY)
    st.caption(own.held().origin)
    problem_page.body(own.KEY)
    state.leave(own.KEY)
