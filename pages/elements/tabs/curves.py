"""The tab with the figures of a training, its curves and the final scores."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import streamlit as st

from core.data import baseline
from core.experiment import Experiment
from core.history import History
from core.measures import measures
from pages.elements import baselines, charts, figures, picking, state
from pages.elements.rendering import concluded, once
from pages.elements.settings import VIEWS

CURVES = {"after": "after each epoch", "during": "as model.fit prints"}
"""The choices of the view "curves", in words."""

_measures = concluded(measures)


def draw(problem: str, _: Experiment, history: History) -> None:
    """Draw the tab."""
    target = state.target(problem)
    constant = baseline(history.experiment, history.seed, 0)
    _figures(history, constant)
    _curves(problem, history, target, constant)
    left, right = st.columns(2)
    with left, st.container(border=True):
        _draw_final(history, target, constant)
    with right:
        baselines.draw(history)


def _figures(history: History, constant: float) -> None:
    """Draw the median scores, the score to compare them with, and the time."""
    task = history.experiment.task
    where = "the held-out rows" if history.val_loss is not None else "the training rows"
    with st.container(horizontal=True):
        _metric(
            f"Median {task.score_name}",
            task.number(np.nanmedian(history.final_score)),
            f"Median over the runs of the final {task.score_name} on {where}: {task.meaning}.",
        )
        for measure in _measures(history, constant):
            _metric(
                f"Median {measure.name}",
                measure.text,
                f"Median over {measure.runs} runs, on {where}: {measure.meaning}.",
            )
        if task.share:  # R² is measured from the mean itself
            _metric(
                task.baseline_name.capitalize(),
                task.number(constant),
                f"The {task.score_name} of always predicting {task.constant}, in the data of "
                "run 0.",
            )
        _metric(
            "Time",
            f"{history.seconds + history.compile_seconds:.1f} s",
            f"For all {history.runs} runs. A network of a new shape is compiled first; further "
            "trainings of that shape start immediately.",
            f"compile {history.compile_seconds:.1f} s, train {history.seconds:.1f} s",
        )
    lost = int((~history.finite).sum())
    if lost:
        st.caption(
            f":material/error: In {lost} of {history.runs} runs the loss is no longer a finite "
            "number; these runs count as stuck, and their loss curves end there."
        )


def _metric(label: str, text: str, help: str, detail: str | None = None) -> None:
    st.metric(
        label,
        text,
        detail,
        delta_color="off",
        delta_arrow="off",
        help=help,
        border=True,
        height="stretch",
    )


def _curves(problem: str, history: History, target: float, constant: float) -> None:
    part = figures.part_measured(history, state.view(problem, "part"))
    when = state.view(problem, "curves")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if history.val_loss is not None:
            _view(problem, "part", lambda name: f"{name} rows")
        if part == "training":
            _view(problem, "curves", CURVES.get)
        log = _log_toggle(problem, figures.logarithmic(history, part, when))
    left, right = st.columns(2)
    with left, st.container(border=True):
        picking.show(problem, "score", _score(history, part, when, target, constant))
    with right, st.container(border=True):
        picking.show(problem, "loss", _loss(history, part, when, target, log))
    _note(history)


_score, _loss = concluded(figures.score), concluded(figures.loss)


def _view(problem: str, name: str, words: Callable[[str], str]) -> None:
    """Draw the control of one of VIEWS."""
    st.segmented_control(
        VIEWS[name].label,
        VIEWS[name].kind.options,
        format_func=words,
        required=True,
        help=VIEWS[name].help,
        **state.control(problem, name),
    )


def _log_toggle(problem: str, default: bool) -> bool:
    """Draw the toggle of the loss's log scale; whether it is on."""
    key, chosen, view = f"{problem}.log-scale", state.view(problem, "log"), VIEWS["log"]
    st.session_state[key] = default if chosen == "auto" else chosen == "yes"
    return st.toggle(
        view.label, key=key, help=view.help, on_change=_choose_log, args=(problem, key, default)
    )


def _choose_log(problem: str, key: str, default: bool) -> None:
    """Callback: keep the choice, unless it is the default."""
    log = st.session_state[key]
    state.held(problem)["log"] = "auto" if log == default else "yes" if log else "no"


def _note(history: History) -> None:
    words = ["A click on a curve shows the network of its run."]
    if note := str(charts.thin(history.curves())):
        name = history.experiment.task.score_name
        words.insert(0, f"{note}, spread over the ranks of their final {name}.")
    st.caption(" ".join(words))


@once
def _draw_final(history: History, target: float, constant: float) -> None:
    charts.show(*figures.final_scores(history, target, constant))
