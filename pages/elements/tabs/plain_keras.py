"""The tab that compares the training with plain Keras, on run 0."""

from __future__ import annotations

import streamlit as st

from core.costs import price
from core.experiment import Experiment
from core.history import History
from core.jobs.limits import duration
from core.jobs.requests import Fit
from pages.elements import charts, controls, figures, jobs


def draw(problem: str, _: Experiment, history: History) -> None:
    """Draw a button that trains run 0 with plain Keras, and the curves of both."""
    slot = controls.fit_slot(problem)
    request = Fit(history.experiment, history.seed)
    st.button(
        f"Train one run with model.fit (about {duration(price(request).seconds)})",
        key=f"{slot}-fit",
        icon=":material/timer:",
        disabled=not jobs.affordable(request) or jobs.busy(slot),
        on_click=jobs.start,
        args=(slot, "one run with model.fit", request),
        help="Trains run 0 with plain Keras: the same data and initial weights, but another order "
        "of batches.",
    )
    single = jobs.result(slot, "training", _fitting, slot)
    if single is not None:
        _overlay(history, single)


def _fitting(handle: jobs.JobHandle, slot: str) -> None:
    epochs = handle.request.experiment.training.epochs
    done = len(handle.job.events)
    jobs.progress(slot, done / epochs, f"model.fit: epoch {done:,} of {epochs:,}")


def _overlay(history: History, single: History) -> None:
    seconds = history.seconds + history.compile_seconds
    per_run = seconds / history.runs
    compiled = (
        "Both times include compiling."
        if history.compile_seconds
        else "Only the first includes compiling: Plateau had compiled the same program before."
    )
    st.markdown(
        f"`model.fit` took **{_short(single.seconds)} s** for one run; Plateau took "
        f"**{_short(seconds)} s** for {history.runs}, {_short(1000 * per_run)} ms per run: "
        f"**{single.seconds / per_run:,.0f} times** as fast. {compiled}"
    )
    left, right = st.columns(2)
    log, task = figures.logarithmic(history, "training", "after"), history.experiment.task
    for column, measure in ((left, "evaluated_score"), (right, "evaluated_loss")):
        with column, st.container(border=True):
            charts.show(
                charts.overlay(
                    history.curves(),
                    single.curves(),
                    measure,
                    epochs=history.experiment.training.epochs,
                    log=log,
                    task=task,
                ),
                alt=f"{charts.name_of(measure, task)}: the stack's runs, run 0 among them, and run "
                "0 with model.fit.",
            )


def _short(time: float) -> str:
    return f"{time:.1f}" if time < 9.95 else f"{time:,.0f}"
