"""A problem's page from top to bottom: question, controls, the training, what came of it."""

from __future__ import annotations

import streamlit as st

from core.experiment import Experiment
from core.history import History, epochs_frame
from core.posts import POSTS
from core.problems import PROBLEMS
from pages.elements import charts, controls, export, findings, jobs, query_params, results, state
from pages.elements.rendering import in_turn

LIVE_EPOCHS = 40
"""Epochs drawn while a training runs: more would slow the drawing, not help the eye."""


@in_turn
def draw(problem: str, question: str) -> None:
    """The page of one problem; `question` says what was asked."""
    refused = state.enter(problem)
    st.title(PROBLEMS[problem].title)
    st.markdown(f"{question} Source: {POSTS[problem].markdown}.", width=760)
    # Containers of their own, here and below: what follows one keeps its place, its open tab and
    # its drawn charts, whatever the number of things in it.
    with st.container():
        query_params.notices(refused)
    with st.container(border=True):
        controls.presets(problem)
        controls.groups(problem)
        experiment = controls.checked_experiment(problem)
        if experiment:
            controls.summary(problem, experiment)
        ready = controls.train_buttons(problem, experiment)
    with st.container(key=controls.result(problem)):
        history = _training(problem, experiment, ready)
    if experiment:
        export.draw(problem, experiment, history)
    state.leave(problem)


def _training(problem: str, experiment: Experiment | None, ready: bool) -> History | None:
    """The training that runs or what came of the last one, which it returns, and why.

    ready: whether the settings can be trained; the controls say why where they cannot.
    """
    with st.container():
        history = jobs.result(problem, "training", _running, problem)
        if ready and jobs.latest(problem) is None:
            _first_step()
        current = history is not None and history.experiment == experiment
        if history is not None and not current:
            st.caption(":material/history: These results belong to earlier settings: train again.")
    with st.container():
        if experiment and not current and not jobs.busy(problem):
            # What the settings alone show, as soon as one changes.
            findings.draw(problem, experiment, None)
    with st.container():
        if history is not None:
            _results(problem, history, current)
    return history


def _first_step() -> None:
    st.info(
        "Press **Train** to train this network many times at once, each time with a different "
        "seed, and see how often it learns. The first training loads TensorFlow, which takes "
        "a few seconds; the next ones take about a second.",
        icon=":material/play_circle:",
    )


def _results(problem: str, history: History, current: bool) -> None:
    """Answer, evidence, cause and fix, then a closer look; current: of the settings as they are."""
    target = state.target(problem)
    results.answer(history, target)
    with st.container():
        if current:
            findings.conclusion(history, target)
    results.symptom(problem, history, target)
    with st.container():
        if current:
            findings.draw(problem, history.experiment, history)
    findings.health(problem, history, target)
    results.network(problem, history, target)
    results.plain_keras(problem, history)


def _running(handle: jobs.JobHandle, problem: str) -> None:
    """Progress, and the curves as they grow."""
    job, epochs = handle.job, handle.request.experiment.training.epochs
    events = list(job.events)
    done = events[-1].number if events else 0
    doing = f"Epoch {done:,} of {epochs:,}" if done else "Compiling the network"
    jobs.progress(problem, done / epochs, doing)
    if not events:
        return
    step = -(-len(events) // LIVE_EPOCHS)
    frame = epochs_frame(events[::-step][::-1])
    measures = "evaluated_accuracy", "evaluated_loss"
    for column, measure in zip(st.columns(2), measures, strict=True):
        with column, st.container(border=True):
            charts.show(
                charts.curves(frame, measure, None, epochs=epochs),
                key=f"{problem}.live.{measure}",
                alt=f"{charts.name_of(measure)} of every run, so far.",
            )
