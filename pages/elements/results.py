"""What came of a training: the symptom, the network's view, and plain Keras beside it."""

from __future__ import annotations

import numpy as np
import streamlit as st

from core.data import majority_rate
from core.history import History
from core.statistics import Rate
from core.worker import Fit
from pages.elements import charts, controls, jobs, pictures, state
from pages.elements.drawn import once
from pages.elements.settings import VIEWS


def symptom(problem: str, history: History, target: float) -> None:
    """How many runs learned, and how their accuracy and loss went."""
    majority = majority_rate(history.experiment.data, history.seed, 0)
    _headline(history, target, majority)
    _curves(problem, history, target, majority)


def _headline(history: History, target: float, majority: float) -> None:
    """How many runs reached the target, with the interval, against the majority class."""
    success = history.successes(target)
    rate = Rate(int(success.sum()), history.runs)
    if rate.successes == rate.runs:
        st.header(f":material/check_circle: All {rate.runs} runs reached {target:.0%}")
    elif rate.successes == 0:
        st.header(f":material/block: None of {rate.runs} runs reached {target:.0%}")
    else:
        st.header(
            f":material/casino: {rate.successes} of {rate.runs} runs reached {target:.0%}, "
            f"{rate.runs - rate.successes} are stuck"
        )
    if history.cancelled:
        epochs = history.experiment.training.epochs
        st.caption(f":material/stop_circle: Stopped after {history.epochs} of {epochs} epochs.")
    where = "held-out rows" if history.val_loss is not None else "the training rows"
    with st.container(horizontal=True):
        st.metric(
            "Success rate",
            f"{rate.value:.0%}",
            help=f"Share of runs whose final accuracy on {where} is at least {target:.0%}.",
            border=True,
        )
        st.metric(
            "95 % interval",
            f"{rate.low:.0%} to {rate.high:.0%}",
            help="Wilson's interval: where the rate of very many runs would lie.",
            border=True,
        )
        st.metric(
            "Median accuracy",
            f"{np.nanmedian(history.final_accuracy):.1%}",
            help=f"Of the final accuracies, measured on {where}.",
            border=True,
        )
        st.metric(
            "Majority class",
            f"{majority:.0%}",
            help="The accuracy of always answering with the more frequent class, in run 0.",
            border=True,
        )
        st.metric(
            "Time",
            f"{history.seconds:.1f} s",
            help=f"For all {history.runs} runs; compiling took {history.compile_seconds:.1f} s.",
            border=True,
        )
    _draw_rate(rate, target)
    lost = int((~history.finite).sum())
    if lost:
        st.caption(
            f":material/error: In {lost} of {history.runs} runs the loss is no longer a finite "
            "number; they count as stuck and are left out of the curves from there on."
        )


def _curves(problem: str, history: History, target: float, majority: float) -> None:
    with st.container(horizontal=True):
        log = st.toggle(VIEWS["log"].label, **state.control(problem, "log"), help=VIEWS["log"].help)
        part = pictures.part_measured(history, state.view(problem, "part"))
        if history.val_loss is not None:
            st.segmented_control(
                VIEWS["part"].label,
                VIEWS["part"].kind.options,
                format_func=lambda name: f"{name} rows",
                required=True,
                **state.control(problem, "part"),
                help=VIEWS["part"].help,
            )
    _draw_curves(history, target, majority, part, log)


@once
def _draw_curves(history: History, target: float, majority: float, part: str, log: bool) -> None:
    left, right = st.columns(2)
    with left, st.container(border=True):
        charts.show(*pictures.accuracy(history, part, target, majority))
    with right, st.container(border=True):
        charts.show(*pictures.loss(history, part, target, log))
    if note := str(charts.thin(history.frame())):
        st.caption(f"{note}, spread over the ranks of their final accuracy.")
    with st.container(border=True):
        charts.show(*pictures.final_accuracies(history, target, majority))


@once
def _draw_rate(rate: Rate, target: float) -> None:
    charts.show(*pictures.rate(rate, target))


def network(problem: str, history: History, target: float) -> None:
    """What one run's network computes, and what it decides."""
    st.header("What the network does")
    picks = pictures.picks(history, target)
    if state.view(problem, "pick") not in picks:
        state.held(problem)["pick"] = VIEWS["pick"].usual
    kind = st.segmented_control(
        VIEWS["pick"].label,
        tuple(picks),
        required=True,
        format_func=lambda name: f"{name.capitalize()} (run {picks[name]})",
        help=VIEWS["pick"].help,
        **state.control(problem, "pick"),
    )
    _draw_network(problem, history, picks[kind])


@once
def _draw_network(problem: str, history: History, run: int) -> None:
    left, right = st.columns([3, 1])
    with left, st.container(border=True):
        charts.show(*pictures.network(problem, history, run))
    with right, st.container(border=True):
        charts.show(*pictures.confusion(history, run))


def plain_keras(problem: str, history: History) -> None:
    """Train the first run once more with plain Keras, and lay its curve over the stack's."""
    st.header("The same with model.fit")
    place = controls.plain_place(problem)
    ticket = jobs.latest(place)
    request = Fit(history.experiment, history.seed)
    st.button(
        "Train one run with model.fit",
        key=f"{place}-fit",
        icon=":material/timer:",
        disabled=not jobs.affordable(request) or jobs.busy(place),
        on_click=jobs.start,
        args=(place, "one run with model.fit", request),
        help="Plain Keras, compile and fit: run 0 with the same data and first weights, in batches "
        "of its own order.",
    )
    if ticket is None:
        return
    if not ticket.job.ended:
        jobs.watch(place, _fitting, place)
    elif ticket.job.result is None:
        st.error(ticket.job.error or "It was stopped before it began.", icon=":material/error:")
    else:
        _overlay(history, ticket.job.result)


def _fitting(ticket: jobs.Ticket, place: str) -> None:
    epochs = ticket.request.experiment.training.epochs
    done = len(ticket.job.events)
    jobs.progress(place, done / epochs, f"model.fit: epoch {done:,} of {epochs:,}")


def _overlay(history: History, alone: History) -> None:
    each = history.seconds / history.runs
    st.markdown(
        f"`model.fit` took **{alone.seconds:.1f} s** for one run; the stack took "
        f"**{history.seconds:.2f} s** for {history.runs}, {each * 1000:.0f} ms a run: "
        f"**{alone.seconds / each:,.0f} times** as fast."
    )
    left, right = st.columns(2)
    for column, measure in ((left, "accuracy"), (right, "loss")):
        with column, st.container(border=True):
            charts.show(
                charts.overlay(
                    history.frame(),
                    alone.frame(),
                    measure,
                    epochs=history.experiment.training.epochs,
                ),
                alt=f"{measure.capitalize()} by epoch: the stack's runs and the one of model.fit.",
            )
