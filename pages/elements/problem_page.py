"""A problem's page from top to bottom: question, controls, training, answer and evidence."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

import streamlit as st

from core.experiment import Experiment
from core.history import Epoch, History, epochs_frame
from core.posts import POSTS
from pages.elements import (
    alone,
    answer,
    charts,
    controls,
    jobs,
    own,
    query_params,
    state,
    tabs,
    visitor,
)
from pages.elements.rendering import in_turn

More = Callable[[Experiment, "History | None"], None]
LIVE_EPOCHS = 40
"""The most epochs drawn while a training runs; more would make drawing slow."""


@in_turn
def draw(problem: str, question: str) -> None:
    """Draw the page of a problem; `question` is its description."""
    refused = state.enter(problem)
    if alone.draw(problem, running):
        return state.leave(problem)
    with st.container(gap="xsmall"):
        st.title(own.problem(problem).title)
        st.markdown(f"{question} Source: {POSTS[problem].markdown}.")
        # In containers, here and below, so that the elements after one keep their position, and
        # with it open tabs and drawn charts, when the number of elements in it changes.
        with st.container():
            query_params.notices(refused)
        body(problem)
    state.leave(problem)


def body(problem: str, more: More | None = None, without: Collection[str] = ()) -> None:
    """Draw the controls, the training, its answer and the evidence.

    Args:
        problem: Whose page.
        more: Draws what a page has between the answer and the evidence, from the current
            experiment and the last training.
        without: Labels of tabs whose content the page shows elsewhere before a training.
    """
    with st.container(gap="xsmall"):
        with st.container(border=True, gap="xsmall"):
            experiment, ready = controls.draw(problem, primary=more is None)
        with st.container(key=controls.result(problem)):
            if experiment and ready:
                _earlier(problem, experiment)
            history = _training(problem, experiment, ready and more is None)
            with st.container():
                if experiment and more is not None:
                    more(experiment, history)
    with st.container():
        # While a training runs too: a page that got shorter would scroll its progress away.
        if experiment:
            tabs.draw(problem, experiment, history, without if history is None else ())


def _earlier(problem: str, experiment: Experiment) -> None:
    """Show results of these settings that are kept, or train if a link wants them."""
    request = controls.request(problem, experiment)
    visitor.restore(problem, request)
    wanted = query_params.wants_results()
    if wanted and jobs.latest(problem) is None and not visitor.found(problem, request):
        controls.train(problem)


def _training(problem: str, experiment: Experiment | None, ready: bool) -> History | None:
    """Draw the progress of the training, or the answer of the last one.

    Args:
        problem: Whose training.
        experiment: The current one; None if the settings are invalid.
        ready: Whether the settings can be trained.

    Returns:
        The last training, possibly of other settings; None before the first.
    """
    with st.container():
        history = jobs.result(problem, "training", running, problem)
        if ready and jobs.latest(problem) is None:
            _first_step()
    if history is not None:
        answer.draw(problem, history, history.experiment == experiment)
    return history


def _first_step() -> None:
    st.info(
        "Press **Train** to train this network many times at once, each time with a different "
        "seed, and see how often it learns. The first training loads TensorFlow, which takes "
        "a few seconds; the next ones take about a second.",
        icon=":material/play_circle:",
    )


def drawn_epochs(epochs: Sequence[Epoch]) -> list[Epoch]:
    """At most LIVE_EPOCHS epochs, and the latest: the first of every 1, 2, 4, 8 ...

    Those that are drawn stay until every other is left out, so that no curve flickers.
    """
    step = 1
    while len(epochs) > step * LIVE_EPOCHS:
        step *= 2
    some = list(epochs[::step])
    return some if some[-1] is epochs[-1] else [*some, epochs[-1]]


def running(handle: jobs.JobHandle, problem: str) -> None:
    """Draw the progress and the curves so far."""
    job, experiment = handle.job, handle.request.experiment
    epochs, task = experiment.training.epochs, experiment.task
    events = list(job.events)
    done = events[-1].number if events else 0
    doing = f"Epoch {done:,} of {epochs:,}" if done else "Compiling the network"
    jobs.progress(problem, done / epochs, doing)
    if not events:
        return
    frame = epochs_frame(drawn_epochs(events))
    measures = "evaluated_score", "evaluated_loss"
    for column, measure in zip(st.columns(2), measures, strict=True):
        with column, st.container(border=True):
            charts.show(
                charts.curves(frame, measure, None, epochs=epochs, task=task),
                key=f"{problem}.live.{measure}",
                alt=f"{charts.name_of(measure, task)} of every run, so far.",
            )
