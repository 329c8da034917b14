"""The home page: the question, the most surprising findings, and links to the pages."""

import pandas as pd
import streamlit as st

from core.history import TARGET
from core.posts import POSTS
from core.rates import Rate, points
from core.recorded import DRAWN_RUNS
from pages.elements import charts
from pages.elements.claims import detail, page
from pages.elements.layout import TEXT, tiles
from pages.elements.page import PAGES, open_page
from pages.elements.your_network import home

HEIGHT = 230
CARD = 280
"""The least width of a card in pixels, which its legends need."""
LINK = 220
"""The same of a card with a line of text and a link."""
ANSWERS = "pages/4_Check_the_answers.py"
LINKS = {
    "pages/1_Threshold_problem.py": "Is a number at least 50,000? 1-3-5-1 units that never learn.",
    "pages/2_Two_blob_problem.py": "Two clusters, two hidden units, and 50% for many epochs.",
    "pages/3_Compare_fixes.py": "Every combination of fixes, trained with the same seeds.",
    "pages/6_Gallery.py": "Short cases for a class, each with its cause and a verified change.",
}


def in_runs(rate: Rate) -> str:
    return f"all {rate.runs:,} runs" if rate.successes == rate.runs else f"{rate.count} runs"


# These are cached, since the record does not change while the server runs.
@st.cache_data(show_spinner=False)
def both_changes() -> None:
    record = page.recorded()
    tested = record.tested["threshold-both-learn"]
    rate = tested.verdict.rate
    dead = record.tested["threshold-stuck-means-dead"].verdict.rate
    st.markdown(f"### With both accepted fixes, {rate.failures:,} of {rate.runs:,} runs still fail")
    charts.show(
        detail.curves(tested.arms[-1], HEIGHT),
        alt=f"Accuracy by epoch with a sigmoid output and inputs in [0, 1]: {rate} succeed.",
    )
    st.caption(
        "Threshold problem, sigmoid output and inputs in [0, 1]. In "
        f"{in_runs(dead)}, a run fails if and only if a whole hidden layer is dead."
    )


@st.cache_data(show_spinner=False)
def labels() -> None:
    record = page.recorded()
    tested = record.tested["two-blob-labels-are-the-cause"]
    change = max(map(abs, tested.verdict.range))
    st.markdown(f"### Relabelling 1/2 as 0/1 changes nothing in {tested.verdict.runs:,} runs")
    charts.show(
        detail.curves(tested.arms[-1], HEIGHT),
        alt=f"Accuracy by epoch with labels 0 and 1: {tested.arms[-1].rate} succeed.",
    )
    before, after = (arm.learned for arm in tested.arms)
    same = (
        f"no run's accuracy changes by more than {points(change)}"
        if change
        else "each run ends at exactly the accuracy it has with the other labels"
    )
    st.caption(
        f"Two-blob problem. {before:,} runs succeed with labels 1 and 2, {after:,} with labels 0 "
        f"and 1, and {same}."
    )


@st.cache_data(show_spinner=False)
def shuffle() -> None:
    record = page.recorded()
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
        alt=f"Share of different rows before and after: 100% and {1 - lost:.0%}; of the second "
        f"class, if the rows were sorted: 50% and {second:.0%}.",
    )
    st.caption(
        "The code in the threshold question shuffles a NumPy array this way: swapping two rows "
        "copies one over the other. Rows sorted by class would lose most of the second class."
    )


# The most surprising findings, by the key of their claim.
FINDINGS = {
    "threshold-both-learn": both_changes,
    "two-blob-labels-are-the-cause": labels,
    "threshold-shuffle-loses-rows": shuffle,
}

open_page("streamlit_app.py")
st.title("Why does my Keras accuracy stay the same?")
st.markdown(
    "A network that should learn stays at 50%, and one run can't tell you why: with different "
    "initial weights it might learn. Plateau trains it hundreds of times in less time than "
    "`model.fit` needs for one run, says how often it learns and why not, and shows which change "
    "fixes it.",
    width=TEXT,
)
home.draw()
record = page.recorded()
st.header("What hundreds of runs show")
with st.container(key="findings"):
    for card, (key, finding) in zip(tiles(len(FINDINGS), 3, CARD), FINDINGS.items(), strict=True):
        with card, st.container(height="stretch", vertical_alignment="distribute"):
            with st.container():
                finding()
            st.page_link(
                ANSWERS,
                label="How it was tested",
                icon=":material/arrow_forward:",
                query_params={"claim": key},
            )
st.markdown(
    f"The two questions are {POSTS['threshold'].markdown}, and {POSTS['two-blob'].markdown}. "
    f"{record.summary()}",
    width=TEXT,
)
ours = sum(record.counts(ours=True).values())
posts = sum(record.counts(ours=False).values())
st.page_link(
    ANSWERS, label=f"{posts} claims from the posts and {ours} of ours", icon=PAGES[ANSWERS][1]
)
st.header("Try it yourself")
for tile, (path, text) in zip(tiles(len(LINKS), 4, LINK), LINKS.items(), strict=True):
    with tile, st.container(height="stretch", vertical_alignment="distribute"):
        st.markdown(text)
        st.page_link(path, label=PAGES[path][0], icon=PAGES[path][1])
st.caption(
    f"Recorded on {record.date} with {record.versions_text}: {record.runs:,} runs per chart, "
    f"{DRAWN_RUNS} drawn. A run succeeds when its final accuracy is at least {TARGET:.0%}."
)
