"""The results of a training: outcomes, curves, the network's outputs, a run with plain Keras."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import streamlit as st

from core.costs import price
from core.data import baseline
from core.history import History
from core.jobs.limits import duration
from core.jobs.requests import Fit
from core.measures import measures
from core.rates import Rate
from core.tasks import TASKS
from pages.elements import charts, controls, figures, jobs, state
from pages.elements.headline import headline, others, outcomes_help
from pages.elements.rendering import concluded, once
from pages.elements.settings import VIEWS

CURVES = {"after": "after each epoch", "during": "as model.fit prints"}
"""The choices of the view "curves", in words."""


def answer(history: History, target: float) -> None:
    """Draw the number of runs that succeeded and the outcomes of the others."""
    rate = Rate.of(history.successes(target))
    icon = {0: "block", rate.runs: "check_circle"}.get(rate.successes, "casino")
    st.header(f":material/{icon}: {headline(history, target)}")
    if failures := others(history, target):
        st.markdown(failures, help=outcomes_help(history.experiment.task))
    if history.cancelled:
        epochs = history.experiment.training.epochs
        st.caption(f":material/stop_circle: Stopped after {history.epochs} of {epochs} epochs.")
    if stopped := stopped_early(history):
        st.caption(f":material/timer_off: {stopped}")


def stopped_early(history: History) -> str:
    """How many runs a callback stopped, and when; "" for none."""
    epochs = history.experiment.training.epochs
    early = history.ends < epochs
    if history.cancelled or not early.any():
        return ""
    when = np.median(history.ends[early])
    which = "Every run was" if early.all() else f"{early.sum()} of {history.runs} runs were"
    return f"{which} stopped early, half of them by epoch {when:.0f} of {epochs:,}."


def symptom(problem: str, history: History, target: float) -> None:
    """Draw the summary figures and the curves of score and loss."""
    constant = baseline(history.experiment, history.seed, 0)
    _figures(history, target, constant)
    _curves(problem, history, target, constant)


def _figures(history: History, target: float, constant: float) -> None:
    """Draw the success rate with its interval, scores to compare with, and the time."""
    rate, task = Rate.of(history.successes(target)), history.experiment.task
    where = "the held-out rows" if history.val_loss is not None else "the training rows"
    with st.container(horizontal=True):
        st.metric(
            "Success rate",
            f"{rate.value:.0%}",
            help=f"Share of runs whose final {task.score_name} on {where} is at least "
            f"{task.written(target).removeprefix(task.score)}.",
            border=True,
            height="stretch",
        )
        st.metric(
            "95% interval",
            f"{rate.low:.0%} to {rate.high:.0%}",
            help="Wilson's interval: the likely range of the success rate of very many runs.",
            border=True,
            height="stretch",
        )
        st.metric(
            f"Median {task.score_name}",
            task.number(np.nanmedian(history.final_score)),
            help=f"Median over the runs of the final {task.score_name} on {where}: {task.meaning}.",
            border=True,
            height="stretch",
        )
        for measure in _measures(history, constant):
            st.metric(
                f"Median {measure.name}",
                measure.text,
                help=f"Median over {measure.runs} runs, on {where}: {measure.meaning}.",
                border=True,
                height="stretch",
            )
        if task.share:  # R² is measured from the mean itself
            st.metric(
                task.baseline_name.capitalize(),
                f"{constant:.0%}",
                help=f"The {task.score_name} of always predicting {task.constant}, in the data of "
                "run 0.",
                border=True,
                height="stretch",
            )
        st.metric(
            "Time",
            f"{history.seconds + history.compile_seconds:.1f} s",
            f"compile {history.compile_seconds:.1f} s, train {history.seconds:.1f} s",
            delta_color="off",
            delta_arrow="off",
            help=f"For all {history.runs} runs. A network of a new shape is compiled first; "
            "further trainings of that shape start immediately.",
            border=True,
            height="stretch",
        )
    _draw_rate(rate, target, task.name)
    lost = int((~history.finite).sum())
    if lost:
        st.caption(
            f":material/error: In {lost} of {history.runs} runs the loss is no longer a finite "
            "number; these runs count as stuck, and their loss curves end there."
        )


_measures = concluded(measures)


def _curves(problem: str, history: History, target: float, constant: float) -> None:
    part = figures.part_measured(history, state.view(problem, "part"))
    when = state.view(problem, "curves")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if history.val_loss is not None:
            _view(problem, "part", lambda name: f"{name} rows")
        if part == "training":
            _view(problem, "curves", CURVES.get)
        log = _log_toggle(problem, figures.logarithmic(history, part, when))
    _draw_curves(history, target, constant, part, when, log)


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


@once
def _draw_curves(
    history: History, target: float, constant: float, part: str, when: str, log: bool
) -> None:
    left, right = st.columns(2)
    with left, st.container(border=True):
        charts.show(*figures.score(history, part, when, target, constant))
    with right, st.container(border=True):
        charts.show(*figures.loss(history, part, when, target, log))
    if note := str(charts.thin(history.curves())):
        name = history.experiment.task.score_name
        st.caption(f"{note}, spread over the ranks of their final {name}.")
    with st.container(border=True):
        charts.show(*figures.final_scores(history, target, constant))


@once
def _draw_rate(rate: Rate, target: float, task: str) -> None:
    charts.show(*figures.rate(rate, target, TASKS[task]))


def network(problem: str, history: History, target: float) -> None:
    """Draw the outputs of one run's network, and what it gets right."""
    st.header("What the network does")
    picks = figures.picks(history, target)
    if state.view(problem, "pick") not in picks:
        state.held(problem)["pick"] = VIEWS["pick"].default
    kind = st.segmented_control(
        VIEWS["pick"].label,
        tuple(picks),
        required=True,
        format_func=lambda name: f"{name.capitalize()} (run {picks[name]})",
        help=VIEWS["pick"].help,
        **state.control(problem, "pick"),
    )
    _draw_network(history, picks[kind])


@once
def _draw_network(history: History, run: int) -> None:
    pictures = figures.of_network(history, run)
    columns = st.columns([width for _, width in pictures])
    for column, (picture, _) in zip(columns, pictures, strict=True):
        with column, st.container(border=True):
            charts.show(*picture)


def plain_keras(problem: str, history: History) -> None:
    """Draw the comparison with plain Keras: a button that trains run 0 with it, and the curves."""
    st.header("Compared with model.fit")
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
    st.markdown(
        f"`model.fit` took **{single.seconds:.1f} s** for one run; the stack took "
        f"**{seconds:.2f} s** for {history.runs}, {per_run * 1000:.0f} ms per run: "
        f"**{single.seconds / per_run:,.0f} times** as fast. Both times include compiling."
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
