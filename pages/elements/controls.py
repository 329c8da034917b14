"""The controls of a problem page, drawn from the table of settings."""

from __future__ import annotations

import streamlit as st

from core.diagnosis import refusal
from core.experiment import Experiment, InvalidExperiment
from core.jobs.requests import Train
from pages.elements import browser, control_rows, jobs, layers, own, query_params, state, visitor
from pages.elements.settings import GROUPS, NETWORK, OF_RUNS, RUNS, in_words

ICONS = {
    "Data": ":material/dataset:",
    "Network": ":material/hub:",
    "Training": ":material/model_training:",
    "Runs": ":material/stacks:",
}


def draw(problem: str, *, primary: bool = True) -> tuple[Experiment | None, bool]:
    """Draw all controls of a page.

    Args:
        problem: Whose page.
        primary: Whether to train is the first thing to do there.

    Returns:
        The experiment, None if the settings are invalid; and whether it can be trained.
    """
    _presets(problem)
    row = st.container(horizontal=True)
    experiment = _checked_experiment(problem)
    if experiment:
        _summary(problem, experiment)
    ready = experiment is not None and jobs.affordable(request(problem, experiment))
    with row:
        _train_buttons(problem, jobs.busy(problem) or not ready, primary)
        _groups(problem)
        query_params.popover(state.parameters(problem), results=True)
    return experiment, ready


def _presets(problem: str) -> None:
    """Draw the choice of the form of the question and of the fixes to apply."""
    question = own.problem(problem)
    if question.variants:
        st.segmented_control(
            "Start from",
            (state.BASELINE, *question.variants),
            format_func=state.title,
            **state.control(problem, state.START),
            required=True,
            help="The question as asked, or the form that its first answer assumes.",
        )
    st.pills(
        "Fixes",
        tuple(question.fixes),
        selection_mode="multi",
        format_func=lambda name: question.fixes[name].title,
        **state.control(problem, state.FIXES),
        help="Fixes from the posts and our own. Choose none for the network "
        f"{own.unchanged(problem).lower()}.",
    )


def _explained(problem: str) -> str:
    """The chosen fixes, who proposed each and why."""
    lines = []
    for name in state.chosen(problem):
        fix = own.problem(problem).fixes[name]
        who = "ours" if fix.source == "ours" else f"from the {fix.source}"
        instead = state.replaces(problem, name)
        note = f" It replaces *{', '.join(instead)}*." if instead else ""
        lines.append(f"- **{fix.title}** ({who}): {fix.why}{note}")
    return "\n".join(lines)


def _groups(problem: str) -> None:
    """Draw every other setting, in a popover per group, and the button that resets them.

    A closed popover is empty: its controls would be most of the page's, and of the time that the
    server takes to draw it.
    """
    for name in GROUPS:
        key = f"{problem}-{name.lower()}"
        group = st.popover(name, icon=ICONS[name], key=key, width="content", on_change="rerun")
        if group.open:
            with group:
                _group(problem, name)
    st.button(
        "Reset",
        key=f"{problem}-reset",
        icon=":material/restart_alt:",
        on_click=state.reset,
        args=(problem,),
        help="Sets everything back to the original question.",
    )


def _group(problem: str, name: str) -> None:
    """Draw the controls of a group."""
    if name == RUNS:
        task = state.draft(problem).task
        _widgets(problem, name, [(n, view.of(task)) for n, view in OF_RUNS.items()])
    elif name == NETWORK:
        layers.draw(problem)
    else:
        every = state.controls(problem).values()
        group = [each for each in every if each.group == name and each.matters]
        _widgets(problem, name, [(each.name, each.setting) for each in group])


def _summary(problem: str, experiment: Experiment) -> None:
    """Draw the experiment in one line, and what was changed by hand."""
    st.caption(describe(experiment), help=_explained(problem) or None)
    if changed := state.changed(problem):
        names = (f"{label.lower()} {text}" for label, text in changed.items())
        st.caption(f":material/edit: Changed by hand: {', '.join(names)}.")


def describe(experiment: Experiment) -> str:
    """An experiment in one line: network, loss, optimizer, epochs, rows and batch size."""
    training = experiment.training
    sizes = [str(experiment.data.source.features)]
    extra: dict[str, None] = {}
    model = experiment.model
    for layer, activation in zip(model.dense, model.activations, strict=True):
        sizes.append(f"{layer.units} {activation.name}")
    for layer in model.layers:
        if layer.function is None:
            extra[in_words(layer)] = None
    network = " → ".join(sizes) + "".join(f", {name}" for name in extra)
    optimizer = training.optimizer
    return (
        f"Network {network}; {training.loss.replace('_', ' ')}; "
        f"{optimizer.label} {optimizer.learning_rate:g}; "
        f"{training.epochs:,} epochs of {experiment.data.training_rows:,} rows in batches of "
        f"{training.batch_size:,}."
    )


def _train_buttons(problem: str, off: bool, primary: bool) -> None:
    """Draw the buttons to train and to train with the next seed; `off`: whether disabled."""
    # Not a callback: after a restart, the server knows no callbacks until it has drawn the
    # page, and the first click would be lost.
    if st.button(
        "Train",
        key=f"{problem}-train",
        type="primary" if primary else "secondary",
        icon=":material/play_arrow:",
        disabled=off,
        help="Train all runs with these settings.",
    ):
        train(problem)
        st.rerun()
    st.button(
        "New data",
        key=f"{problem}-new-data",
        icon=":material/casino:",
        disabled=off,
        on_click=_train_anew,
        args=(problem,),
        help="Trains immediately with the next seed: new data, new initial weights.",
    )


def train(problem: str) -> None:
    """Start a training with the current settings.

    Does nothing if a change sent with the same click has made them invalid; the page says so.
    """
    try:
        experiment = state.experiment(problem)
    except InvalidExperiment:
        return
    requested = request(problem, experiment)
    jobs.clear(fit_slot(problem))
    many = f"{requested.runs} run{'s' * (requested.runs > 1)}"
    jobs.start(problem, f"{many} of {own.described(problem)}", requested)
    visitor.keep(problem, requested)
    browser.bring_into_view(result(problem))


def request(problem: str, experiment: Experiment) -> Train:
    """The training of an experiment with the page's number and seed of runs."""
    return Train(experiment, state.runs(problem), state.seed(problem))


def result(problem: str) -> str:
    """The key of the container in which a training and its results are drawn."""
    return f"{problem}-result"


def fit_slot(problem: str) -> str:
    """The slot of the job that trains one run with plain Keras."""
    return f"{problem}.plain"


def _checked_experiment(problem: str) -> Experiment | None:
    """The experiment; None, with a message that says what to change, if it is invalid."""
    try:
        return state.experiment(problem)
    except InvalidExperiment as error:
        st.error(f"These settings cannot be trained. {error}", icon=":material/error:")
        refused = refusal(state.draft(problem))
        for fix, changed in () if refused is None else refused.remedies:
            st.button(
                f"Make it fit: {fix.title[0].lower()}{fix.title[1:]}",
                key=f"{problem}-make-it-fit-{fix.key}",
                icon=":material/build:",
                on_click=state.adopt,
                args=(problem, changed, state.chosen(problem)),
                help=fix.why,
            )
        return None


def _train_anew(problem: str) -> None:
    state.next_seed(problem)
    train(problem)


def _widgets(problem: str, group: str, settings: list[control_rows.Named]) -> None:
    """Draw controls, the advanced ones in an expander below the others."""
    usual, advanced = [], []
    for name, setting in settings:
        (advanced if getattr(setting, "advanced", False) else usual).append((name, setting))
    control_rows.draw(problem, usual)
    control_rows.draw_more(problem, advanced, f"{problem}-{group.lower()}-more")
