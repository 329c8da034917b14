"""Home: the question, recorded evidence, the way to the pages."""

import numpy as np
import streamlit as st

from core import evidence
from core.problems import PROBLEMS
from pages.elements import charts
from pages.elements.page import PAGES, open_page

open_page("streamlit_app.py")
st.title("Why does my Keras accuracy stay the same?")
st.markdown(
    "A network that should learn stays at 50 %, and one training does not tell why: with other "
    "first weights it may learn. Plateau trains it hundreds of times in less time than `model.fit` "
    "needs for one, says how often it learns and why not, and shows which change frees it.",
    width=760,
)
recorded = evidence.load()
for problem, (stuck, freed) in evidence.PICTURES.items():
    path = next(path for path in PAGES if PAGES[path][0] == PROBLEMS[problem].title)
    with st.container(border=True):
        st.subheader(PROBLEMS[problem].title)
        for column, fixes in zip(st.columns(2), (stuck, freed), strict=True):
            form = recorded.form(problem, fixes)
            with column:
                st.markdown(
                    f"**{form.title}**: {form.rate.successes} of {form.rate.runs} runs learn"
                )
                st.altair_chart(
                    charts.curves(
                        form.frame(),
                        "accuracy",
                        np.array(form.learned),
                        epochs=len(form.accuracy[0]),
                        target=recorded.target,
                    ),
                    alt=f"Accuracy by epoch of {len(form.accuracy)} runs, {form.title}: "
                    f"{form.rate} reach {recorded.target:.0%}.",
                )
        st.page_link(path, label="See it fail, and free it", icon=":material/arrow_forward:")
st.page_link(
    "pages/3_Compare_fixes.py", label="Compare all fixes side by side", icon=":material/balance:"
)
versions = ", ".join(f"{name} {number}" for name, number in recorded.versions.items())
st.caption(
    f"Recorded on {recorded.date} with {versions}: {evidence.RUNS} runs a picture, of which "
    f"{evidence.DRAWN} are drawn. A run learns when its final accuracy is at least "
    f"{recorded.target:.0%}."
)
