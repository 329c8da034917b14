"""Home: the question, what surprises most in the evidence, the way to the pages."""

import numpy as np
import pandas as pd
import streamlit as st

from core.claims import CLAIMS
from core.problems import TARGET
from pages.elements import answers, charts, claim
from pages.elements.page import PAGES, open_page

HEIGHT = 230
ANSWERS = "pages/4_Check_the_answers.py"
WAYS = {
    "pages/1_Threshold_problem.py": "A number below 50,000 or not: 1-3-5-1 units that never learn.",
    "pages/2_Two_blob_problem.py": "Two clusters, two hidden units, and 50 % for many epochs.",
    "pages/3_Compare_fixes.py": "Every combination of fixes, trained over the same seeds.",
}


# Each is drawn once and then shown to all: the record does not change while the server runs.
@st.cache_data(show_spinner=False)
def both_changes() -> None:
    record = answers.recorded()
    tested = record.tested["threshold-both-learn"]
    rate = tested.verdict.rate
    dead = record.tested["threshold-stuck-means-dead"].verdict.rate
    st.markdown(
        f"### Both accepted changes leave {rate.runs - rate.successes} of {rate.runs} stuck"
    )
    charts.show(
        claim.curves(tested.arms[-1], HEIGHT),
        alt=f"Accuracy by epoch with a sigmoid output and inputs in [0, 1]: {rate} learn.",
    )
    st.caption(
        "Threshold problem, sigmoid output and inputs in [0, 1]. A run is stuck exactly when a "
        f"whole hidden layer is dead: so in {dead}."
    )


@st.cache_data(show_spinner=False)
def labels() -> None:
    record = answers.recorded()
    tested = record.tested["two-blob-labels-are-the-cause"]
    rate, change = tested.verdict.rate, np.abs(tested.verdict.values).max()
    st.markdown(f"### The first answer's cure frees {rate.successes} of {rate.runs}")
    charts.show(
        claim.curves(tested.arms[-1], HEIGHT),
        alt=f"Accuracy by epoch with labels 0 and 1: {tested.arms[-1].rate} learn.",
    )
    st.caption(
        "Two-blob problem, labels 0 and 1 in place of 1 and 2. The largest difference that it "
        f"makes to a run's accuracy is {100 * change:.1f} points."
    )


@st.cache_data(show_spinner=False)
def shuffle() -> None:
    record = answers.recorded()
    lost = record.tested["threshold-shuffle-loses-rows"].verdict.median
    second = record.tested["threshold-shuffle-tilts-classes"].verdict.median
    st.markdown(f"### random.shuffle loses {lost:.0%} of an array's rows")
    pairs = {"Rows": (1.0, 1 - lost), "Second class": (0.5, second)}
    frame = pd.DataFrame(
        [
            {"label": label, "when": when, "share": share}
            for label, shares in pairs.items()
            for when, share in zip(("before", "after"), shares, strict=True)
        ]
    )
    charts.show(
        charts.before_after(frame, "Share of the rows", HEIGHT),
        alt=f"Share of different rows before and after: 100 % and {1 - lost:.0%}; of the second "
        f"class, if the rows were sorted: 50 % and {second:.0%}.",
    )
    st.caption(
        "The question's own code shuffles a NumPy array with it, and nobody noticed: swapping two "
        "rows copies one over the other. Sorted rows would all but lose their second class."
    )


# What surprises most, by the claim that says how it was tested.
FINDINGS = {
    "threshold-both-learn": both_changes,
    "two-blob-labels-are-the-cause": labels,
    "threshold-shuffle-loses-rows": shuffle,
}

open_page("streamlit_app.py")
st.title("Why does my Keras accuracy stay the same?")
st.markdown(
    "A network that should learn stays at 50 %, and one training does not tell why: with other "
    "first weights it may learn. Plateau trains it hundreds of times in less time than `model.fit` "
    "needs for one, says how often it learns and why not, and shows which change frees it.",
    width=760,
)
record = answers.recorded()
st.header("What hundreds of runs show")
for column, (key, finding) in zip(st.columns(3), FINDINGS.items(), strict=True):
    with column, st.container(border=True):
        finding()
        st.page_link(
            ANSWERS,
            label="How it was tested",
            icon=":material/arrow_forward:",
            query_params={"claim": key},
        )
words = [answers.word_of(key) for key in CLAIMS]
st.page_link(
    ANSWERS,
    label=f"All {len(words)} claims that were made: {words.count('holds')} hold, "
    f"{words.count('holds sometimes')} hold sometimes, {words.count('does not hold')} do not",
    icon=PAGES[ANSWERS][1],
)
st.header("Try it yourself")
for column, (path, text) in zip(st.columns(3), WAYS.items(), strict=True):
    with column, st.container(border=True):
        st.markdown(text)
        st.page_link(path, label=PAGES[path][0], icon=PAGES[path][1])
st.caption(
    f"Recorded on {record.date} with {record.versions_text}: {record.runs} runs a picture, of "
    f"which some are drawn. A run learns when its final accuracy is at least {TARGET:.0%}."
)
