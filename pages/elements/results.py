"""What came of a training: the symptom, the network's view, and plain Keras beside it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from core import view
from core.data import majority_rate, prepare
from core.history import History
from core.statistics import Rate
from core.worker import Fit
from pages.elements import charts, controls, jobs


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
        st.subheader(f":material/check_circle: All {rate.runs} runs reached {target:.0%}")
    elif rate.successes == 0:
        st.subheader(f":material/block: None of {rate.runs} runs reached {target:.0%}")
    else:
        st.subheader(
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
    frame = pd.DataFrame(
        {
            "label": [f"Runs that reach {target:.0%}"],
            "rate": [rate.value],
            "low": [rate.low],
            "high": [rate.high],
            "successes": [rate.successes],
            "runs": [rate.runs],
        }
    )
    st.altair_chart(charts.rate(frame), alt=f"Success rate with its 95 % interval: {rate}.")
    lost = int((~history.finite).sum())
    if lost:
        st.caption(
            f":material/error: In {lost} of {history.runs} runs the loss is no longer a finite "
            "number; they count as stuck and are left out of the curves from there on."
        )


def _curves(problem: str, history: History, target: float, majority: float) -> None:
    success, frame = history.successes(target), history.frame()
    held_out = history.val_loss is not None
    with st.container(horizontal=True):
        log = st.toggle(
            "Log scale for the loss",
            key=f"{problem}.log",
            help="Shows small losses apart; losses of 0 or below cannot be drawn on it.",
        )
        if held_out:
            part = st.segmented_control(
                "Measured on",
                ("held-out rows", "training rows"),
                default="held-out rows",
                required=True,
                key=f"{problem}.part",
                help="The held-out rows were never trained on.",
            )
        else:
            part = "training rows"
    prefix = "val_" if held_out and part == "held-out rows" else ""
    left, right = st.columns(2)
    with left, st.container(border=True):
        drawn = charts.curves(
            frame,
            f"{prefix}accuracy",
            success,
            epochs=history.experiment.training.epochs,
            target=target,
            majority=majority,
        )
        st.altair_chart(drawn, alt=f"Accuracy on the {part} by epoch, a line a run.")
    with right, st.container(border=True):
        drawn = charts.curves(
            frame, f"{prefix}loss", success, epochs=history.experiment.training.epochs, log=log
        )
        st.altair_chart(drawn, alt=f"Loss on the {part} by epoch, a line a run.")
    if note := str(charts.thin(frame)):
        st.caption(f"{note}, spread over the ranks of their final accuracy.")
    with st.container(border=True):
        st.altair_chart(
            charts.final_accuracies(history.final_accuracy, target, majority),
            alt="How many runs end at which accuracy.",
        )


def network(problem: str, history: History, target: float) -> None:
    """What one run's network computes, and what it decides."""
    st.subheader("What the network does")
    success = history.successes(target)
    picks = {kind: history.pick(kind) for kind in ("best", "median", "worst")}
    if not success.all():
        picks["stuck"] = int(np.flatnonzero(~success)[0])
    kind = st.segmented_control(
        "Run",
        tuple(picks),
        default="worst",
        required=True,
        format_func=lambda name: f"{name.capitalize()} (run {picks[name]})",
        key=f"{problem}.pick",
        help="By final accuracy; 'stuck' is the first run that does not reach the target.",
    )
    run = picks.get(kind, picks["worst"])
    left, right = st.columns([3, 1])
    with left, st.container(border=True):
        if problem == "threshold":
            response = view.threshold_response(history, run)
            st.altair_chart(
                charts.threshold_view(response, history.key_epochs.tolist()),
                width="stretch",
                alt=f"Run {run}: probability of class 1 and each hidden unit's output by input.",
            )
        else:
            st.altair_chart(
                charts.surface_view(view.surface(history, run)),
                width="stretch",
                alt=f"Run {run}: probability of class 1, and each hidden unit's output, over the "
                "two features with the samples.",
            )
    with right, st.container(border=True):
        rows = prepare(history.experiment.data, history.seed, run)
        table = view.confusion(history.experiment, history.weights_at(-1, run), rows)
        st.altair_chart(
            charts.confusion(table),
            alt=f"Confusion matrix of run {run}: actual by predicted class.",
        )


def plain_keras(problem: str, history: History) -> None:
    """Train the first run once more with plain Keras, and lay its curve over the stack's."""
    st.subheader("The same with model.fit")
    place = controls.plain_place(problem)
    ticket = jobs.latest(place)
    st.button(
        "Train one run with model.fit",
        key=f"{place}-fit",
        icon=":material/timer:",
        disabled=jobs.busy(place),
        on_click=jobs.start,
        args=(place, "one run with model.fit", Fit(history.experiment, history.seed)),
        help="Plain Keras, compile and fit: run 0 with the same data and first weights, in batches "
        "of its own order.",
    )
    if ticket is None:
        return
    if not ticket.job.ended:
        _fitting(place)
    elif ticket.job.result is None:
        st.error(ticket.job.error or "It was stopped before it began.", icon=":material/error:")
    else:
        _overlay(history, ticket.job.result)


@st.fragment(run_every=jobs.REFRESH_SECONDS)
def _fitting(place: str) -> None:
    ticket = jobs.latest(place)
    if ticket is None or ticket.job.ended:
        st.rerun()
    epochs = ticket.request.experiment.training.epochs
    done = len(ticket.job.events)
    jobs.progress(ticket.job, done / epochs, f"model.fit: epoch {done:,} of {epochs:,}")
    st.button("Stop model.fit", icon=":material/stop:", on_click=jobs.stop, args=(place,))


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
            st.altair_chart(
                charts.overlay(
                    history.frame(),
                    alone.frame(),
                    measure,
                    epochs=history.experiment.training.epochs,
                ),
                alt=f"{measure.capitalize()} by epoch: the stack's runs and the one of model.fit.",
            )
