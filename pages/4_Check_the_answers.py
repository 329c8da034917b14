"""Check the answers: every claim that was made, tested over hundreds of seeds."""

import streamlit as st

from core.claims import CLAIMS
from pages.elements import answers, claim, link
from pages.elements.page import open_page

open_page("pages/4_Check_the_answers.py")
refused = answers.enter()
st.title("Check the answers")
record = answers.recorded()
st.markdown(
    f"What the two questions, their answers and comments say, taken at its word: each claim that a "
    f"training can decide was tested over {record.runs} runs, where its author had one or a few.",
    width=760,
)
link.notices(refused)
answers.summary()
answers.table()
key = st.selectbox(
    "Claim",
    tuple(CLAIMS),
    format_func=lambda name: CLAIMS[name].text,
    key=f"{answers.PLACE}.claim",
    help="Choose one here, or a row of the table.",
)
if CLAIMS[key].criterion is not None:
    claim.try_again(CLAIMS[key])
live = claim.live_result(key)
with st.container(border=True):
    claim.details(key, live or record.tested.get(key), live=live is not None)
answers.downloads()
st.caption(
    f"The posts are from 2018 and 2019 and used the Keras of their time; the record is of "
    f"{record.date}, with {record.versions_text}."
)
answers.leave()
