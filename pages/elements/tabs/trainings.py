"""The tab with the visitor's trainings: their rates, side by side, overlaid, renamed, exported."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core import files
from core.experiment import Experiment
from core.history import History
from core.jobs.trainings import Training
from pages.elements import charts, state, visitor
from pages.elements.compare import panels
from pages.elements.download import download

MOST_BESIDE = 4
"""Trainings that are shown side by side."""


def draw(problem: str, _: Experiment, history: History | None) -> None:
    """Draw the tab."""
    target = state.target(problem)
    ended = [each for each in visitor.trainings(problem) if each.rate(target) is not None]
    if not ended:
        st.markdown("Every training on this page is listed here, to be compared with the others.")
        return
    numbered = {str(number): each for number, each in enumerate(ended, start=1)}
    left, right = st.columns([1, 1])
    with left, st.container(border=True):
        charts.show(
            charts.rate(_frame(ended, target)),
            "Runs of each training that succeed, with the 95% interval, the oldest first.",
        )
    with right, st.container(border=True):
        _edit(problem, numbered)
    _beside(problem, numbered, target)


def _frame(ended: list[Training], target: float) -> pd.DataFrame:
    rates = [each.rate(target) for each in ended]
    return pd.DataFrame(
        {
            "label": _distinct(ended),
            "rate": [rate.value for rate in rates],
            "low": [rate.low for rate in rates],
            "high": [rate.high for rate in rates],
            "successes": [rate.successes for rate in rates],
            "runs": [rate.runs for rate in rates],
        }
    )


def _distinct(ended: list[Training]) -> list[str]:
    """The names, with a number where several trainings have the same."""
    names = [each.name for each in ended]
    return [
        f"{name} ({names[: n + 1].count(name)})" if names.count(name) > 1 else name
        for n, name in enumerate(names)
    ]


def _edit(problem: str, numbered: dict[str, Training]) -> None:
    """Draw the choice of one training, and what can be done with it."""
    names = dict(zip(numbered, _distinct(list(numbered.values())), strict=True))
    key = f"{problem}.training"
    if st.session_state.get(key) not in numbered:
        st.session_state[key] = list(numbered)[-1]
    chosen = numbered[st.selectbox("Training", tuple(numbered), format_func=names.get, key=key)]
    renamed = f"{problem}.training-name"
    st.session_state[renamed] = chosen.name
    st.text_input(
        "Name",
        key=renamed,
        max_chars=visitor.LONGEST_NAME,
        on_change=_rename,
        args=(renamed, chosen),
    )
    with st.container(horizontal=True):
        st.button(
            "Use these settings",
            key=f"{problem}-training-back",
            icon=":material/undo:",
            on_click=_back,
            args=(problem, chosen),
            help="Sets the controls to this training and shows its results.",
        )
        download(
            "Curves as CSV",
            lambda: files.history_csv(chosen.history),
            name=f"plateau_{problem}.csv",
            mime="text/csv",
            disabled=chosen.history is None,
            help="One line per run and epoch of this training.",
        )
        target = state.target(problem)
        download(
            "All as CSV",
            lambda: files.trainings_csv(list(numbered.values()), target),
            name=f"plateau_{problem}_trainings.csv",
            mime="text/csv",
            help="One line per training with its rate, its interval and its experiment.",
        )
        st.button(
            "Remove",
            key=f"{problem}-training-remove",
            icon=":material/delete:",
            on_click=visitor.forget,
            args=(problem, chosen),
            help="Takes this training off the list.",
        )


def _rename(key: str, training: Training) -> None:
    """Callback: name a training as typed, if anything was."""
    training.name = " ".join(st.session_state[key].split()) or training.name


def _back(problem: str, training: Training) -> None:
    """Callback: set the controls to a training, with its number and seed of runs."""
    request = training.request
    if state.adopt(problem, request.experiment):
        state.put(problem, runs=str(request.runs), seed=request.seed)
        visitor.show(problem, training)
    else:
        st.toast(f"{training.name}: the controls cannot set this.", icon=":material/info:")


def _beside(problem: str, numbered: dict[str, Training], target: float) -> None:
    """Draw the curves of some trainings side by side, and the runs at the target by epoch."""
    names = dict(zip(numbered, _distinct(list(numbered.values())), strict=True))
    kept = {number: each for number, each in numbered.items() if each.history is not None}
    if len(kept) < 2:
        return
    key = f"{problem}.beside"
    chosen = [number for number in st.session_state.get(key) or () if number in kept]
    # The last two are before and after the latest change.
    st.session_state[key] = chosen or list(kept)[-2:]
    st.pills(
        "Side by side",
        tuple(kept),
        selection_mode="multi",
        format_func=names.get,
        key=key,
        help=f"The first {MOST_BESIDE} that are chosen are shown.",
    )
    shown = sorted(st.session_state[key], key=int)[:MOST_BESIDE]
    histories = {names[number]: kept[number].history for number in shown}
    shares = pd.concat(
        pd.DataFrame(
            {"label": name, "epoch": range(1, each.epochs + 1), "share": each.reached(target)}
        )
        for name, each in histories.items()
    )
    with st.container(border=True):
        charts.show(
            charts.reached(shares.reset_index(drop=True)),
            "Share of the runs that are at the target after each epoch, a line a training.",
        )
    by_score: dict[str, dict[str, History]] = {}
    for name, each in histories.items():
        by_score.setdefault(each.experiment.task.score, {})[name] = each
    for same in by_score.values():
        panels.legend(same.values(), target)
        panels.tiles(same, target, list(same), most=len(same))
