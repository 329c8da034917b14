"""The questions of a reading, and what their answers give."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from core.activations import ACTIVATIONS
from core.experiment import Data, Training
from core.fields import Choice, InvalidExperiment, Numbers, settings
from core.losses import LOSSES
from core.optimizers import OPTIMIZERS
from core.script import standin
from core.script.data import Rows, prepared
from core.script.downloads import KNOWN, Known
from core.script.network import Network, Part, question_key
from core.script.training import MOST_STAND_IN, Trained
from core.script.values import Array, Unknown
from core.script.vocabulary import class_of

if TYPE_CHECKING:
    from core.script.reading import Reader

STAND_IN, TABLE = "stand-in", "table"
NONE = "none"
"""The answer for no numbers."""
LOSS_OF = {"sigmoid": "binary_crossentropy", "softmax": "sparse_categorical_crossentropy"}
"""The loss that is proposed for what the output computes; for all else, the squared error."""
ENCODED = re.compile(
    r"to_categorical|get_dummies\((?![^)]*columns)|OneHot|LabelBinarizer|one_hot|\beye\(|class_mode|label_mode|flow_from|"
    r"_directory\(|generator|indicator"
)
"""What a script that turns its labels into columns may have in it."""
PROPOSED = {"epochs": 100, "batch_size": 32}
"""What is proposed where a script has no `fit`."""


def ask_layer(reader: Reader, index: int, part: Part, name: str, unknown: Unknown) -> None:
    """Ask for an argument of a layer."""
    reader.ask(
        question_key(index, name),
        f"What is {name} of layer {index + 1}, {part.call.name}? It is open: {unknown.reason}.",
        unknown.line or part.call.span.line,
        [*unknown.choices, 32 if name == "units" else None][0],
        unknown.choices,
    )


def training(reader: Reader, read: Trained, net: Network) -> None:
    """Ask for the settings of a training that are open, or take the answers."""
    for name, unknown in list(read.open.items()):
        kind = settings(Training)[name].kind
        choices: tuple[Any, ...] = ()
        if name == "optimizer":
            choices = tuple(OPTIMIZERS)
        elif isinstance(kind, Choice):
            choices = kind.options
        choices = unknown.choices or choices
        if name in reader.answers:
            answer = reader.answers[name]
            try:
                if isinstance(kind, Numbers):
                    answer = _numbers(answer)
                elif name == "optimizer":
                    chosen = class_of(str(answer), OPTIMIZERS)
                    answer = answer if chosen is None else chosen()
                read.values[name] = kind.check(name, answer)
            except ValueError as error:
                reader.note("remark", str(error), 0)
            else:
                del read.open[name]
                continue
        label = settings(Training)[name].label.lower() or name
        which = f"How many {label}" if name == "epochs" else f"Which {label}"
        if isinstance(kind, Numbers):
            which = f"{which}, such as 1, 10"
        reader.ask(
            name,
            f"{which}? It is not known: {unknown.reason}.",
            unknown.line,
            _proposed(name, unknown, net),
            choices,
        )


def _numbers(answer: Any) -> Any:
    """Numbers that may be given as text, with commas between them."""
    if not isinstance(answer, str):
        return answer
    return [float(number) for number in answer.replace(NONE, "").split(",") if number.strip()]


def _proposed(name: str, unknown: Unknown, net: Network) -> Any:
    """The answer that is proposed for a setting of the training."""
    if unknown.choices:
        return unknown.choices[0]
    if unknown.likely is not None:
        return unknown.likely
    if name == "loss" and net.model is not None:
        last = net.model.activations[-1]
        return next(
            (loss for key, loss in LOSS_OF.items() if ACTIVATIONS[key] is last),
            "mean_squared_error",
        )
    default = PROPOSED.get(name, Training.__dataclass_fields__[name].default)
    if default == ():
        return NONE
    return type(default).__name__ if name == "optimizer" else default


def _rows(reader: Reader, read: Trained) -> int | None:
    """The rows of an epoch, as the script's steps or its pasted output say them."""
    rows, log, size = read.rows, reader.log, read.values.get("batch_size")
    if rows is None and log is not None:
        rows = log.steps * size if log.steps and isinstance(size, int) else log.rows
    return rows if rows is not None and 1 < rows <= MOST_STAND_IN else None


def head(net: Network) -> Unknown:
    """Why the head of a network has no rows of its own."""
    last = net.last_untrained
    return Unknown(f"what {last.call.name} gives is not computed here", last.call.span.line)


def data(
    reader: Reader, net: Network, read: Trained, unknown: Unknown, labels: Any = None
) -> Data | None:
    """Ask for the rows that a script does not have, or make them of the answers.

    Args:
        labels: Of the script, where only the inputs are missing.
    """
    own = labels if net.is_head and isinstance(labels, Array) else None
    table = reader.script.table
    wanted = ", ".join(dict.fromkeys(name for name, _ in reader.script.wanted))
    if table is not None and not net.is_head:
        return _of_table(reader, table, read, unknown, net)
    loss = read.values.get("loss")
    entry = LOSSES.get(loss or "")
    units = 1 if net.model is None else net.model.output.units
    files = [name for name, _ in reader.script.wanted]
    known = next((KNOWN[name] for name in files if name in KNOWN), None)
    inferred = None if known is None or net.is_head else known.features
    classes = units if units > 1 else (known and known.classes) or 2
    chosen = standin.numbers(reader.answers, net.features or inferred, classes, _rows(reader, read))
    columns = entry is not None and entry.cross_entropy and not entry.class_numbers
    if units > 1 and columns and own is None:
        _warn_of_labels(reader, net, read.values["loss"])
    if reader.answers.get("data") != STAND_IN:
        text = f"Which data? They are not known: {unknown.reason}."
        if net.is_head:
            text = f"{text} Its head is trained on a stand-in."
        elif wanted:
            text = f"{text} Upload {wanted}, or train on a stand-in."
        choices = (STAND_IN,) if net.is_head else (STAND_IN, TABLE)
        reader.ask("data", text, unknown.line, STAND_IN, choices)
    texts = {
        "rows": "How many rows does the stand-in have?",
        "features": "How many inputs does it have?",
        "classes": "How many classes does it have?",
        "overlap": "How much do its classes overlap, from 0 to 1?",
        "magnitude": "Up to which value do its inputs go?",
        "shares": "Which share of the rows has each class, such as 0.9, 0.1?",
    }
    quantity = _is_quantity(read, net, unknown, known)
    if quantity:
        texts = {key: texts[key] for key in ("rows", "features", "magnitude")}
    if own is not None:
        texts = {key: texts[key] for key in ("features", "overlap", "magnitude") if key in texts}
    for key, text in texts.items():
        if key not in reader.answers and not (key == "features" and net.features):
            reader.ask(key, text, unknown.line, chosen[key])
    if reader.answers.get("data") != STAND_IN:
        return None
    if own is not None:
        return _of_labels(reader, own, chosen, loss)
    try:
        made, words = standin.stand_in(
            chosen, units, loss, unknown.done, quantity=quantity, centred=net.is_head
        )
    except (InvalidExperiment, ValueError) as error:
        reader.note("remark", f"The stand-in is not possible: {error}", 0)
        return None
    reader.stand_in = words
    return made


def _of_labels(reader: Reader, labels: Array, chosen: dict, loss: str | None) -> Data | None:
    """Stand-in features for the labels of a script."""
    try:
        inputs, kept = standin.features_of(labels.value, chosen)
    except ValueError as error:
        reader.note("remark", f"The stand-in is not possible: {error}", 0)
        return None
    known = prepared(Rows(Array.of(inputs), Array.of(kept)), loss)
    if known.refused:
        reader.note("refused", f"The labels cannot be trained on: {known.refused}.", 0)
        return None
    reader.stand_in = (
        f"{len(inputs):,} rows of {inputs.shape[1]:,} features with the script's labels"
    )
    return known.data


def _is_quantity(read: Trained, net: Network, unknown: Unknown, known: Known | None) -> bool:
    """Whether a script seems to predict a quantity, not a class."""
    entry = LOSSES.get(read.values.get("loss") or "")
    if entry is None or entry.cross_entropy:
        return False
    if known is not None:
        return not known.classes
    of_classes = "to_categorical" in unknown.done or "accuracy" in read.values.get("metrics", ())
    last = None if net.model is None else net.model.activations[-1]
    return not of_classes and last not in [ACTIVATIONS[name] for name in LOSS_OF]


def _warn_of_labels(reader: Reader, net: Network, loss: str) -> None:
    """Say that labels which the script nowhere turns into columns may not fit its outputs."""
    assert net.model is not None, "its outputs are known"
    if ENCODED.search(reader.normal.text):
        return
    line = next((used.span.line for model in reader.script.models for used in model.fits), 0)
    reader.note(
        "remark",
        f"The script does not turn its labels into columns. Where they are class numbers, Keras "
        f"refuses them for {net.model.output.units} outputs with {loss}; "
        f"sparse_categorical_crossentropy takes them.",
        line,
    )


def _of_table(
    reader: Reader, table: Any, read: Trained, unknown: Unknown, net: Network
) -> Data | None:
    """The data of an uploaded table whose columns the script does not name."""
    if isinstance(table, dict):
        names = {str(name).lower(): np.asarray(value) for name, value in table.items()}
        x, y = names.get("x"), names.get("y")
        if x is None or y is None:
            reader.note("remark", f"The arrays should be named x and y, not {', '.join(names)}.", 0)
            return None
        rows = Rows(Array.of(x), Array.of(y), flat=True)
    else:
        frame = table if isinstance(table, pd.DataFrame) else standin_frame(table)
        label = reader.answers.get("label")
        if label is None:
            reader.ask(
                "label",
                f"Which column is the label? The script does not say it: {unknown.reason}.",
                unknown.line,
                standin.label_of(frame),
                [str(name) for name in frame.columns],
            )
            return None
        try:
            inputs, labels, said = standin.columns(frame, str(label))
        except ValueError as error:
            reader.note("remark", f"The table cannot be used: {error}.", 0)
            return None
        for text in said:
            reader.note("data", f"{text[0].upper()}{text[1:]}.", 0)
        rows = Rows(Array.of(inputs), Array.of(labels))
    known = prepared(rows, read.values.get("loss"))
    if known.refused:
        reader.note("refused", f"The data cannot be trained on: {known.refused}.", 0)
    if known.features and net.features and known.features != net.features:
        reader.note(
            "refused",
            f"The first layer expects {net.features} inputs, and the table has {known.features}.",
            0,
        )
        return None
    return known.data


def standin_frame(table: bytes) -> pd.DataFrame:
    """The uploaded file as a table."""
    from core.script.uploads import csv_table

    return csv_table(table)
