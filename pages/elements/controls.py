"""The controls of a problem page, drawn from the table of settings."""

from __future__ import annotations

import streamlit as st

from core.experiment import Dense, Dropout, Experiment, InvalidExperiment
from core.jobs.requests import Train
from core.problems import PROBLEMS
from pages.elements import browser, jobs, query_params, state
from pages.elements.settings import GROUPS, Choice, Flag, Setting, Whole, matters, table

ICONS = {
    "Data": ":material/dataset:",
    "Network": ":material/hub:",
    "Training": ":material/model_training:",
    "Runs": ":material/stacks:",
}


def presets(problem: str) -> None:
    """Which form of the question to begin from, and which of the proposed fixes to apply."""
    asked = PROBLEMS[problem]
    if asked.variants:
        st.segmented_control(
            "Start from",
            (state.AS_ASKED, *asked.variants),
            format_func=state.title,
            **state.control(problem, state.START),
            required=True,
            help="The question as asked, or the form that its first answer supposes.",
        )
    st.pills(
        "Fixes",
        tuple(asked.fixes),
        selection_mode="multi",
        format_func=lambda name: asked.fixes[name].title,
        **state.control(problem, state.FIXES),
        help="Fixes from the posts, plus ours. Choose none for the question as asked.",
    )
    for name in state.chosen(problem):
        fix = asked.fixes[name]
        who = "ours" if fix.source == "ours" else f"from the {fix.source}"
        instead = state.replaces(problem, name)
        note = f" It replaces *{', '.join(instead)}*." if instead else ""
        st.caption(f"**{fix.title}** ({who}): {fix.why}{note}")


def groups(problem: str) -> None:
    """Every other setting, folded away in four groups."""
    values = state.values(problem)
    with st.container(horizontal=True):
        for name, settings in GROUPS[problem].items():
            with st.popover(
                name, icon=ICONS[name], key=f"{problem}-{name.lower()}", width="content"
            ):
                _group(problem, [each for each in settings if matters(each.name, values)])
        st.button(
            "Reset to the original question",
            key=f"{problem}-reset",
            icon=":material/restart_alt:",
            on_click=state.reset,
            args=(problem,),
            help="Every setting back to the question as it was asked.",
        )


def summary(problem: str, experiment: Experiment) -> None:
    """The experiment in one line, and what was changed by hand."""
    st.caption(describe(experiment))
    if changed := state.changed(problem):
        known = table(problem)
        names = (f"{known[name].label.lower()} {value}" for name, value in changed.items())
        st.caption(f":material/edit: Changed by hand: {', '.join(names)}.")


def describe(experiment: Experiment) -> str:
    """An experiment in a line: network, loss, optimizer, rows."""
    training, layers = experiment.training, experiment.model.layers
    sizes = [str(experiment.data.source.features)]
    sizes += [f"{x.units} {x.activation}" for x in layers if isinstance(x, Dense)]
    extra = [type(x).__name__ for x in layers if not isinstance(x, (Dense, Dropout))][:1]
    extra += [f"dropout {x.rate:g}" for x in layers if isinstance(x, Dropout)][:1]
    network = " → ".join(sizes) + "".join(f", {name}" for name in extra)
    optimizer = training.optimizer
    return (
        f"Network {network}; {training.loss.replace('_', ' ')}; "
        f"{type(optimizer).__name__} {optimizer.learning_rate:g}; "
        f"{training.epochs:,} epochs of {experiment.data.training_rows:,} rows in batches of "
        f"{training.batch_size:,}."
    )


def train_buttons(problem: str, experiment: Experiment | None) -> bool:
    """Train, new data (another seed, trained at once), and the link to all of it.

    Returns whether the settings can be trained here; says why where they cannot.
    """
    ready = experiment is not None and jobs.affordable(_request(problem, experiment))
    off = jobs.busy(problem) or not ready
    with st.container(horizontal=True):
        # Not a callback: a server that was restarted knows none before it has drawn the page, and
        # the first click would be lost.
        if st.button(
            "Train",
            key=f"{problem}-train",
            type="primary",
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
        query_params.popover(state.parameters(problem))
    return ready


def train(problem: str) -> None:
    """Train with the settings as they stand.

    One that was changed by the same click may have made them impossible; the page says so.
    """
    try:
        experiment = state.experiment(problem)
    except InvalidExperiment:
        return
    request = _request(problem, experiment)
    jobs.clear(plain_place(problem))
    many = f"{request.runs} run{'s' * (request.runs > 1)}"
    jobs.start(problem, f"{many} of the {PROBLEMS[problem].title.lower()}", request)
    browser.bring_into_view(result(problem))


def _request(problem: str, experiment: Experiment) -> Train:
    values = state.values(problem)
    return Train(experiment, int(values["runs"]), values["seed"])


def result(problem: str) -> str:
    """The key of the container in which a training and what came of it are drawn."""
    return f"{problem}-result"


def plain_place(problem: str) -> str:
    """Where the training of one run with plain Keras belongs."""
    return f"{problem}.plain"


def checked_experiment(problem: str) -> Experiment | None:
    """The experiment, or None with a message that says what to change."""
    try:
        return state.experiment(problem)
    except InvalidExperiment as error:
        st.error(f"These settings cannot be trained. {error}", icon=":material/error:")
        return None


def _train_anew(problem: str) -> None:
    values = state.values(problem)
    seeds = ("seed", "data-seed") if values["same-data"] else ("seed",)
    most = {name: table(problem)[name].kind.high for name in seeds}
    state.put(problem, **{name: (values[name] + 1) % (most[name] + 1) for name in seeds})
    train(problem)


def _group(problem: str, settings: list[Setting]) -> None:
    columns = st.columns(2)
    for place, setting in enumerate(settings):
        with columns[place % 2]:
            _widget(problem, setting)


def _widget(problem: str, setting: Setting) -> None:
    kind, own = setting.kind, state.control(problem, setting.name)
    common = {"label": setting.label, "help": setting.help, **own}
    if isinstance(kind, Choice):
        st.selectbox(
            options=kind.options, format_func=lambda name: name.replace("_", " "), **common
        )
    elif isinstance(kind, Flag):
        st.toggle(**common)
    elif isinstance(kind, Whole):
        st.number_input(min_value=kind.low, max_value=kind.high, step=kind.step, **common)
    else:
        st.number_input(
            min_value=float(kind.low),
            max_value=float(kind.high),
            step=float(kind.step),
            format=kind.format,
            **common,
        )
