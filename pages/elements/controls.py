"""The controls of a problem page, drawn from the table of settings."""

from __future__ import annotations

import streamlit as st

from core.experiment import Dense, Dropout, Experiment, InvalidExperiment
from core.problems import PROBLEMS
from core.worker import Train
from pages.elements import jobs, link, state
from pages.elements.settings import GROUPS, MOST_HIDDEN, Choice, Flag, Setting, Whole, table

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
            key=state.key(problem, state.START),
            on_change=state.follow_presets,
            args=(problem,),
            required=True,
            help="The question as asked, or the form that its first answer supposes.",
        )
    st.pills(
        "Fixes",
        tuple(asked.fixes),
        selection_mode="multi",
        format_func=lambda name: asked.fixes[name].title,
        key=state.key(problem, state.FIXES),
        on_change=state.follow_presets,
        args=(problem,),
        help="Each fix that was proposed, and ours. Choose none for the question as asked.",
    )
    for name in state.chosen(problem):
        fix = asked.fixes[name]
        who = "ours" if fix.source == "ours" else f"from the {fix.source}"
        st.caption(f"**{fix.title}** ({who}): {fix.why}")


def groups(problem: str) -> None:
    """Every other setting, folded away in four groups."""
    values = state.values(problem)
    with st.container(horizontal=True):
        for name, settings in GROUPS[problem].items():
            with st.popover(
                name, icon=ICONS[name], key=f"{problem}-{name.lower()}", width="content"
            ):
                _group(problem, [each for each in settings if _matters(each.name, values)])
        st.button(
            "Reset to as asked",
            key=f"{problem}-reset",
            icon=":material/restart_alt:",
            on_click=state.choose,
            args=(problem, state.AS_ASKED, ()),
            help="Every setting back to the question as it was asked.",
        )


def summary(problem: str, experiment: Experiment) -> None:
    """The experiment in one line, and what was changed by hand."""
    st.caption(describe(experiment))
    if changed := state.by_hand(problem):
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


def train_buttons(problem: str, experiment: Experiment | None) -> None:
    """Train or stop, new data: another seed, trained at once; and the link to all of it."""
    running = jobs.busy(problem)
    off = running or experiment is None or not jobs.affordable(_request(problem, experiment))
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
            "Stop",
            key=f"{problem}-stop",
            icon=":material/stop:",
            disabled=not running,
            on_click=jobs.stop,
            args=(problem,),
            help="End the training after the epoch that is running; what there is is shown.",
        )
        st.button(
            "New data",
            key=f"{problem}-new-data",
            icon=":material/casino:",
            disabled=off,
            on_click=_train_anew,
            args=(problem,),
            help="Another seed: other data, other first weights, trained at once.",
        )
        link.popover(state.parameters(problem))


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


def _request(problem: str, experiment: Experiment) -> Train:
    values = state.values(problem)
    return Train(experiment, int(values["runs"]), values["seed"])


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
    known = table(problem)
    for name in ("seed", "data-seed"):
        key = state.key(problem, name)
        st.session_state[key] = (st.session_state[key] + 1) % (known[name].kind.high + 1)
    train(problem)


def _group(problem: str, settings: list[Setting]) -> None:
    columns = st.columns(2)
    for place, setting in enumerate(settings):
        with columns[place % 2]:
            _widget(problem, setting)


def _matters(name: str, values: dict[str, object]) -> bool:
    """Whether a setting has an effect with the others as they stand."""
    for number in range(1, MOST_HIDDEN + 1):
        if name.startswith(f"hidden{number}-"):
            return number <= values["hidden"]
    conditions = {
        "divisor": values["scaling"] == "divide",
        "data-seed": values["same-data"],
        "momentum": values["optimizer"] == "sgd",
    }
    return conditions.get(name, True)


def _widget(problem: str, setting: Setting) -> None:
    kind, key = setting.kind, state.key(problem, setting.name)
    common = {"label": setting.label, "key": key, "help": setting.help}
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
