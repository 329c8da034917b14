"""An experiment as plain Keras: a script, or a notebook with the same code.

    print(to_script(experiment))               # needs keras and numpy only

The script contains only the lines that the experiment needs. With `Data.seed` set, its rows equal
those of `core.data.prepare`, except with the shuffling "rows": Python's `random.shuffle` draws from
Python's own generator.
"""

from __future__ import annotations

import json
import textwrap
from dataclasses import dataclass

from core.entries import written
from core.experiment import Data, Experiment, Training
from core.losses import loss
from core.sources import written_list

WIDTH = 88
"""Line length."""
HEADINGS = (SEED, DATA, SHUFFLE, LABELS, HOLD_OUT, SCALE, TARGETS, NETWORK, TRAINING, SCORE) = (
    *("Imports and seed", "Data", "Shuffle", "Labels", "Hold out", "Scale", "Scale the targets"),
    *("Network", "Training", "Score"),
)
"""The sections' headings, in order; a script has only the sections that its experiment needs."""
FEW_ROWS = 100
"""With fewer training rows than this, all of them may have the same value in a feature."""


@dataclass(frozen=True)
class Section:
    """A step of the script: its heading, an explanation in a sentence or two, and its lines."""

    heading: str
    text: str
    lines: tuple[str, ...]


def to_script(experiment: Experiment, seed: int = 0) -> str:
    """A complete Python script that trains the experiment once and prints the score."""
    score = _score(experiment)
    parts = [f'"""Train a small network with Keras and print its {score}."""']
    for section in sections(experiment, seed):
        comment = textwrap.wrap(f"{section.heading}. {section.text}".rstrip(), WIDTH - 2)
        parts.append("\n".join([*(f"# {line}" for line in comment), *section.lines]))
    return "\n\n".join(parts) + "\n"


def to_notebook(experiment: Experiment, seed: int = 0) -> str:
    """The script as a Jupyter notebook (JSON, nbformat 4.5) with one code cell per section."""
    cells = [
        _markdown(
            "title",
            f"# A small network\n\nTrained with Keras, from its data to its {_score(experiment)}.",
        )
    ]
    for section in sections(experiment, seed):
        name = section.heading.lower().replace(" ", "-")
        cells.append(_markdown(f"{name}-text", f"## {section.heading}\n\n{section.text}".rstrip()))
        cells.append(
            {
                "cell_type": "code",
                "execution_count": None,
                "id": name,
                "metadata": {},
                "outputs": [],
                "source": _source("\n".join(section.lines)),
            }
        )
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    notebook = {
        "cells": cells,
        "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(notebook, indent=1) + "\n"


def _markdown(name: str, text: str) -> dict:
    return {"cell_type": "markdown", "id": name, "metadata": {}, "source": _source(text)}


def _source(text: str) -> list[str]:
    return text.splitlines(keepends=True)


# --- the sections -------------------------------------------------------------------------------


def sections(experiment: Experiment, seed: int = 0) -> tuple[Section, ...]:
    """The steps of the script, in order."""
    data = experiment.data
    steps = [_beginning(data, seed), _rows(data)]
    if data.shuffling != "none":
        steps.append(_shuffle(data))
    if encoding := _encoding(data):
        steps.append(encoding)
    if data.held_out_rows:
        steps.append(_split(data))
    if data.scaling != "none":
        steps.append(_scaling(data))
    if data.source.outputs and data.target_scaling != "none":
        steps.append(_target_scaling(data))
    return (*steps, _network(experiment), _training(experiment), _evaluation(experiment))


def _score(experiment: Experiment) -> str:
    """The name of the score within a sentence."""
    return experiment.task.score_name


def _beginning(data: Data, seed: int) -> Section:
    lines = ["import random", ""] if data.shuffling == "rows" else []
    lines += ["import keras", "import numpy as np", "", f"keras.utils.set_random_seed({seed})"]
    text = "One training is one draw of random numbers: try other seeds as well."
    data_seed = seed
    if data.seed is not None:
        text += " The data have a seed of their own, and are the same in every training."
        data_seed = data.seed
        if data.shuffling == "rows":
            lines.append(f"random.seed({data_seed})")
    splits = data.held_out_rows and data.held_out == "random"
    if data.shuffling == "permutation" or splits or data.source.random:
        lines.append(f"rng = np.random.default_rng({data_seed})")
    return Section(SEED, text, tuple(lines))


def _rows(data: Data) -> Section:
    return Section(DATA, *data.source.script(data.label_values))


def _shuffle(data: Data) -> Section:
    if data.shuffling == "permutation":
        return Section(
            SHUFFLE,
            "A random order of the rows; inputs and labels stay together.",
            ("order = rng.permutation(len(x))", "x, y = x[order], y[order]"),
        )
    return Section(
        SHUFFLE,
        "Careful: on the rows of an array random.shuffle overwrites about half of them, because "
        "the rows that it swaps are views of the same memory.",
        (
            "rows = np.column_stack([x, y])",
            "random.shuffle(rows)",
            *_split_columns(data),
        ),
    )


def _split_columns(data: Data) -> tuple[str, ...]:
    """The line that takes the columns of x and y apart."""
    columns = data.source.outputs or data.source.label_columns
    if columns > 1:
        return (f"x, y = rows[:, :-{columns}], rows[:, -{columns}:]",)
    return ("x, y = rows[:, :-1], rows[:, -1]",)


def _encoding(data: Data) -> Section | None:
    """The lines that encode the labels for the loss; None if they need no encoding."""
    if data.encoding == "as-is" or not data.has_one_class_per_row:
        return None
    values = sorted(data.label_values)
    text, lines = "", []
    if values != list(range(len(values))):
        text = "The loss counts the labels from 0, in sorted order."
        lines.append(f"y = np.searchsorted({written_list(values)}, y)")
    if data.encoding == "one-hot":
        text = f"{text} Each label becomes a row with a 1 in its own column.".strip()
        lines.append(f"y = keras.utils.to_categorical(y, {len(values)})")
    return Section(LABELS, text, tuple(lines)) if lines else None


def _split(data: Data) -> Section:
    at_random = data.held_out == "random"
    which = f"A random {data.hold_out:.0%}" if at_random else f"The last {data.hold_out:.0%}"
    order = ("order = rng.permutation(len(x))", "x, y = x[order], y[order]") if at_random else ()
    return Section(
        HOLD_OUT,
        f"{which} of the rows are kept for evaluation and never trained on.",
        (
            *order,
            f"held_out = round(len(x) * {written(data.hold_out)})",
            "x, x_test = x[:-held_out], x[-held_out:]",
            "y, y_test = y[:-held_out], y[-held_out:]",
        ),
    )


def _scaling(data: Data) -> Section:
    if data.scaling == "divide":
        divisor = written(data.divisor)
        text, fitted = f"Every input is divided by {data.divisor:,g}.", []
        scaled = f"{{0}} = {{0}} / {divisor}"
    elif data.scaling == "min-max":
        text = "Every feature is mapped to [0, 1]; the bounds are those of the training rows."
        fitted = ["low, spread = x.min(axis=0), np.ptp(x, axis=0)"]
        scaled = "{0} = ({0} - low) / spread"
    else:
        text = "Every feature gets mean 0 and variance 1, as measured on the training rows."
        fitted = ["mean, spread = x.mean(axis=0), x.std(axis=0)"]
        scaled = "{0} = ({0} - mean) / spread"
    if fitted and _may_be_constant(data):
        fitted.append("spread = np.where(spread > 0, spread, 1)  # a constant cannot be scaled")
    names = ("x", "x_test") if data.held_out_rows else ("x",)
    return Section(SCALE, text, (*fitted, *(scaled.format(name) for name in names)))


def _target_scaling(data: Data) -> Section:
    names = ("y", "y_test") if data.held_out_rows else ("y",)
    if data.target_scaling == "divide":
        text, fitted = f"Every target is divided by {data.target_divisor:,g}.", []
        scaled = f"{{0}} = {{0}} / {written(data.target_divisor)}"
    else:
        text = "Every target gets mean 0 and variance 1, as measured on the training rows."
        fitted = ["y_mean, y_spread = y.mean(axis=0), y.std(axis=0)"]
        if _may_be_constant(data):
            fitted.append("y_spread = np.where(y_spread > 0, y_spread, 1)")
        scaled = "{0} = ({0} - y_mean) / y_spread"
    return Section(TARGETS, text, (*fitted, *(scaled.format(name) for name in names)))


def _may_be_constant(data: Data) -> bool:
    """Whether a feature's training values may all be equal, so that its spread is 0."""
    return data.source.may_be_constant or data.training_rows < FEW_ROWS


def _network(experiment: Experiment) -> Section:
    text = "Each layer takes the outputs of the one before it."
    return Section(
        NETWORK,
        text,
        (
            "model = keras.Sequential([",
            f"    keras.Input(({experiment.data.source.features},)),",
            *(f"    keras.layers.{layer.script()}," for layer in experiment.model.layers),
            "])",
        ),
    )


def _training(experiment: Experiment) -> Section:
    training = experiment.training
    schedule = training.optimizer.schedule
    lines = []
    if schedule is not None:
        arguments = schedule.script_arguments(training.optimizer.learning_rate)
        name = f"keras.optimizers.schedules.{schedule.keras_name}"
        lines += _call(f"learning_rate = {name}", arguments)
    lines += [
        "model.compile(",
        f"    loss={_loss(training)},",
        *_optimizer(training),
        f"    metrics=[{_metrics(experiment)}],",
        ")",
        "model.fit(",
        "    x, y,",
        f"    batch_size={training.batch_size},",
        f"    epochs={training.epochs},",
    ]
    if experiment.data.held_out_rows:
        lines.append("    validation_data=(x_test, y_test),")
    if training.class_weight:
        pairs = zip(experiment.data.targets, training.class_weight, strict=True)
        weights = ", ".join(f"{written(int(t))}: {written(w)}" for t, w in pairs)
        lines.append(f"    class_weight={{{weights}}},")
    if not training.shuffle:
        lines.append("    shuffle=False,")
    if training.callbacks:
        calls = (f"        keras.callbacks.{each.script()}," for each in training.callbacks)
        lines += ["    callbacks=[", *calls, "    ],"]
    text = "An epoch sees every row once; the weights change after each batch."
    return Section(TRAINING, text, (*lines, ")"))


def _loss(training: Training) -> str:
    """The loss's name, or a call where it has arguments."""
    if not training.loss_options:
        return f'"{training.loss}"'
    options = ", ".join(f"{n}={written(value)}" for n, value in training.loss_options.items())
    return f"keras.losses.{loss(training.loss).keras_class}({options})"


def _optimizer(training: Training) -> list[str]:
    """The optimizer's name if all its arguments are Keras's defaults, otherwise a call."""
    optimizer = training.optimizer
    if optimizer == type(optimizer)():
        return [f'    optimizer="{optimizer.keras_name.lower()}",']
    name = f"    optimizer=keras.optimizers.{optimizer.keras_name}"
    return _call(name, optimizer.script_arguments(), ",")


def _call(name: str, arguments: list[str], end: str = "") -> list[str]:
    """A call in one line, or with an argument a line where that is too long."""
    line = f"{name}({', '.join(arguments)}){end}"
    if len(line) <= WIDTH:
        return [line]
    indent = " " * (len(name) - len(name.lstrip()))
    return [f"{name}(", *(f"{indent}    {each}," for each in arguments), f"{indent}){end}"]


def _metrics(experiment: Experiment) -> str:
    """Keras's metric that is the score, and those that are asked for beside it."""
    names = dict.fromkeys((experiment.task.metric, *experiment.training.metrics))
    return ", ".join(f'"{name}"' for name in names)


def _evaluation(experiment: Experiment) -> Section:
    held_out = experiment.data.held_out_rows
    rows, where = ("x_test, y_test", "held-out") if held_out else ("x, y", "training")
    task = experiment.task
    others = ", *others" if {*experiment.training.metrics} - {task.metric} else ""
    shown = f"{{{task.column}:.3f}}" if task.name == "regression" else f"{{{task.column}:.1%}}"
    return Section(
        SCORE,
        f"Measured on the {where} rows, after the last epoch.",
        (
            f"loss, {task.column}{others} = model.evaluate({rows}, verbose=0)",
            f'print(f"{task.score} on the {where} rows: {shown}")',
        ),
    )
