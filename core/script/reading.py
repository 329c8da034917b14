"""Reading a Keras script without running it.

    reading = read(source)
    reading.experiment        # what it trains, or None with the questions that are open

The script is parsed and evaluated by a whitelist (`core.script.evaluate`); nothing of it is
executed or imported. What it does not say is asked, never guessed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from core.experiment import Data, Experiment, Model, Training
from core.fields import InvalidExperiment
from core.script import answering
from core.script.data import Prepared, Rows, prepared
from core.script.execute import Interpreter
from core.script.lines import marked
from core.script.logs import Curves, curves
from core.script.network import Network, network
from core.script.normalise import Line, Normalised, normalised
from core.script.older import older_arguments
from core.script.result import Note, Outlined, Places, Question, Reading
from core.script.training import COMPILE, Fit, Trained, fit_of, named, trained
from core.script.values import Array, Dataset, KerasCall, ModelValue, Span, Unknown

Upload: TypeAlias = pd.DataFrame | bytes | str | Mapping[str, Any]
"""A table: a frame, the text of a CSV file, or arrays by name as `numpy.savez` saves them."""


def read(
    source: str, table: Upload | None = None, answers: Mapping[str, Any] | None = None
) -> Reading:
    """Read a script.

    Args:
        source: A script, a paste of one, or a notebook's JSON. It is never executed.
        table: What replaces the file that the script reads.
        answers: To the questions of an earlier reading, by their keys.

    Returns:
        The reading. There is always one: what is not understood is said in it.
    """
    normal = normalised(source)
    script = Interpreter(uploaded(table))
    if normal.tree is not None:
        script.run(normal.tree)
    return Reader(normal, script, dict(answers or {})).reading()


def uploaded(table: Upload | None) -> Any:
    """A table as the evaluator takes it."""
    return table.encode() if isinstance(table, str) else table


OTHERS = {"torch": "PyTorch", "jax": "JAX", "flax": "Flax", "mxnet": "MXNet", "theano": "Theano"}
"""Libraries whose networks are not read, by their modules."""


class Reader:
    """Puts together what the evaluation of a script has found."""

    def __init__(self, normal: Normalised, script: Interpreter, answers: dict[str, Any]):
        self.normal, self.script = normal, script
        self.answers = answers
        self.questions: list[Question] = []
        self.notes = [Note("normalised", f"{w[0].upper()}{w[1:]}.", n) for n, w in normal.said]

    def reading(self) -> Reading:
        model = _chosen(self.script.models)
        self.log = curves("\n".join(self.normal.output)) if self.normal.output else None
        parts: dict[str, Any] = {}
        if model is None:
            self.note("remark", self._without_model(), 0)
        else:
            parts = self._parts(model)
            self._of_others(model)
            self._of_old_names(model)
        for line, text in self.script.remarks:
            self.note("remark", text, line)
        return Reading(
            source=self.normal.source,
            text=self.normal.source
            if self.normal.untouched and not self.normal.said
            else self.normal.text,
            lines=marked(self.normal, self.script),
            questions=tuple(self.questions),
            notes=tuple(self.notes),
            log=self.log,
            **parts,
        )

    def note(self, kind: str, text: str, line: int) -> None:
        """Say something of a line of the normalised text; 0 for none."""
        note = Note(kind, text, self.normal.number(line) if line else 0)
        if note not in self.notes:
            self.notes.append(note)

    def ask(self, key: str, text: str, line: int, default: Any = None, choices: Any = ()) -> None:
        """Ask, of a line of the normalised text."""
        number = self.normal.number(line) if line else 0
        self.questions.append(Question(key, text, tuple(choices), default, number))

    def _parts(self, model: ModelValue) -> dict[str, Any]:
        net = network(model, self.answers)
        self._of_layers(model, net)
        fit = fit_of(model)
        rows = _rows(model, fit, net)
        read_ = trained(model, fit, None)
        known = prepared(rows, read_.values.get("loss"))
        if known.rows:
            read_ = trained(model, fit, known.rows)
        training = self._training(read_, net)
        data = self._data(net, read_, known, rows)
        if training is not None and data is not None:
            training = read_.weighted(training, data)
        if known.features and net.features and not net.is_head and known.features != net.features:
            self.note(
                "refused",
                f"The first layer expects {net.features} inputs, and the rows have "
                f"{known.features}: Keras refuses them.",
                (model.layers[0][0] if model.layers else model).span.line,
            )
            self.remedy = {"inputs": known.features}
            data = None
        places = _places(model, net, rows)
        experiment = self._experiment(model, net, training, data)
        return {
            "model": net.model,
            "training": training,
            "remedy": self.remedy,
            "known": read_.values,
            "data": data,
            "experiment": experiment,
            "outline": self._outline(net),
            "stand_in": self.stand_in,
            "places": places,
            "numbers": {
                name: self.normal.number(line) for name, line in places.lines().items() if line
            },
        }

    stand_in = ""
    remedy: Mapping[str, Any] = {}
    log: Curves | None = None

    def _without_model(self) -> str:
        """Why there is no model."""
        roots = {path.partition(".")[0] for path in self.script.imported.values()}
        for root, name in OTHERS.items():
            if root in roots:
                return f"There is no Keras model in it: it is written with {name}."
        if found := re.search(r"\bMLP(?:Classifier|Regressor)\b", self.normal.text):
            return f"There is no Keras model in it: it is scikit-learn's {found.group(0)}."
        if re.search(r"\b(?:placeholder|Session)\(", self.normal.text):
            return "There is no Keras model in it: it is a graph of TensorFlow 1."
        made = {*self.script.imported, *re.findall(r"\b(\w+) *=(?!=)", self.normal.text)}
        used = re.findall(r"\b(\w+)\.(?:add|compile|fit\w*)\(", self.normal.text)
        if missing := [name for name in used if name not in made]:
            return (
                f"There is no Keras model in it: it uses {missing[0]}, which is not defined. Paste "
                "the lines that build and compile the model as well, and those that make the data."
            )
        return (
            "There is no Keras model in it. Paste the lines that build, compile and fit one, and "
            "those that make the data."
        )

    def _of_others(self, chosen: ModelValue) -> None:
        """Say which model of several is read."""
        trained_ = [model for model in self.script.models if model.fits]
        if len(trained_) > 1:
            self.note(
                "remark",
                f"The script trains {len(trained_)} models; the last one is read.",
                chosen.span.line,
            )

    def _of_old_names(self, model: ModelValue) -> None:
        """Say which arguments Keras 3 no longer takes by the names that the script has for them."""
        older = older_arguments(model)
        if older:
            found = {pair for names in older.values() for pair in names.items()}
            pairs = ", ".join(f"{name} is {new or 'gone'}" for name, new in sorted(found))
            self.note(
                "remark",
                f"Keras 3 refuses older arguments: {pairs}. A patch renames or removes them.",
                min(span.line for span in older),
            )

    def _of_layers(self, model: ModelValue, net: Network) -> None:
        for index, part in enumerate(net.parts):
            for name in part.left_out:
                self.note(
                    "untrainable",
                    f"The {name} of {part.call.name} cannot be trained with here and is left out.",
                    part.call.span.line,
                )
            for name, unknown in part.open.items():
                answering.ask_layer(self, index, part, name, unknown)
        if net.refused:
            self.note(
                "untrainable", f"The model cannot be trained here: {net.refused}.", model.span.line
            )
        elif net.is_head:
            last = net.last_untrained
            self.note(
                "untrainable",
                f"{_listed(net.untrained)} cannot be trained here; the layers after "
                f"{last.call.name} are, on stand-in features.",
                last.call.span.line,
            )

    def _training(self, read_: Trained, net: Network) -> Training | None:
        for line, text in read_.left_out:
            self.note("untrainable", f"{text[0].upper()}{text[1:].rstrip('.')}.", line)
        for line, text in read_.remarks:
            self.note("remark", text, line)
        answering.training(self, read_, net)
        try:
            return read_.training()
        except InvalidExperiment as error:
            self.note("refused", str(error), 0)
            return None

    def _data(self, net: Network, read_: Trained, known: Prepared, rows: Rows) -> Data | None:
        if net.is_head:
            known = Prepared(unknown=answering.head(net))
        if known.refused:
            self.note("refused", f"The data cannot be trained on: {known.refused}.", rows.line)
            return None
        for text in known.remarks:
            self.note("data", text, rows.line)
        if known.data is not None:
            self.stand_in = known.stand_in
            if self.script.draws.unseeded:
                self.note(
                    "data", "The script draws random numbers without a seed; this is one draw.", 0
                )
            return known.data
        if known.unknown is None:
            return None
        return answering.data(self, net, read_, known.unknown, rows.y)

    def _experiment(
        self, model: ModelValue, net: Network, training: Training | None, data: Data | None
    ) -> Experiment | None:
        if net.model is None or training is None or data is None:
            return None
        try:
            return Experiment(data, net.model, training)
        except InvalidExperiment as error:
            line = model.compiled.span.line if model.compiled else model.span.line
            said = str(error)
            if other := _other_loss(data, net.model, training):
                self.remedy = {"loss": other}
                columns = "one column a class" if data.encoding == "one-hot" else "class numbers"
                said = (
                    f"the labels are {columns}, which {training.loss} does not take for "
                    f"{net.model.output.units} outputs. {other} takes them."
                )
            self.note("refused", f"Keras refuses it: {said}", line)
            return None

    def _outline(self, net: Network) -> tuple[Outlined, ...]:
        outlined = []
        for index, part in enumerate(net.parts):
            text = segment(self.normal.lines, part.call.span)
            if not text:  # of a saved network, which has no text
                text = part.layer.script() if part.layer else f"{part.call.name}(...)"
            why = part.why or ("it has to be asked" if part.open else "")
            if part.layer is not None and index < net.first:
                why = "it stands before a layer that cannot be trained here"
            layer = part.layer if index >= net.first else None
            outlined.append(Outlined(text, self.normal.number(part.call.span.line), layer, why))
        return tuple(outlined)


def _listed(names: Sequence[str]) -> str:
    """Names in a sentence."""
    *most, last = dict.fromkeys(names)
    return f"{', '.join(most)} and {last}" if most else last


def _other_loss(data: Data, model: Model, training: Training) -> str | None:
    """A loss over classes that takes these labels for these outputs."""
    for loss in ("sparse_categorical_crossentropy", "categorical_crossentropy"):
        try:
            Experiment(data, model, replace(training, loss=loss))
        except InvalidExperiment:
            continue
        return loss
    return None


def segment(rows: Sequence[Line], span: Span) -> str:
    """The text of a span of lines, on one line."""
    lines = [line.text.encode() for line in rows[max(span.line - 1, 0) : span.end_line]]
    if not lines or not span.line:
        return ""
    lines[-1] = lines[-1][: span.end_column]
    lines[0] = lines[0][span.column :]
    return " ".join(b"\n".join(lines).decode(errors="replace").split())


def _chosen(models: list[ModelValue]) -> ModelValue | None:
    """The model that a script is about: the last that is fitted, compiled, or made at all."""
    for chosen in (
        [model for model in models if model.fits],
        [model for model in models if model.compiled],
        [model for model in models if model.layers],
        models,
    ):
        if chosen:
            return chosen[-1]
    return None


def _scaled(value: Any, scaling: Callable[[np.ndarray], np.ndarray], line: int) -> Any:
    """Inputs after a layer that scales them."""
    if isinstance(value, Array):
        return value.then("scale", scaling, None, line)
    return value if isinstance(value, Unknown) else Unknown("its inputs are no array", line)


def _rows(model: ModelValue, fit: Fit | None, net: Network) -> Rows:
    if fit is None:
        return Rows(None, None, line=model.span.line)
    given = fit.used
    held_out = given.get("validation_data")
    fraction = given.get("validation_split")
    if not isinstance(fraction, (int, float, Unknown)):
        fraction = 0.0
    if isinstance(held_out, Dataset):
        held_out = held_out.x, held_out.y
    if not isinstance(held_out, (tuple, list)) or len(held_out) < 2:
        held_out = None
    if held_out is None and not fraction:
        for used in model.checks:
            pair = [*used.arguments, *used.options.values()][:2]
            if len(pair) == 2 and all(
                hasattr(value, "__len__") or hasattr(value, "value") for value in pair
            ):
                same = getattr(pair[0], "value", None) is getattr(given.get("x"), "value", 0)
                held_out = None if same else (pair[0], pair[1])
    x = given.get("x")
    for part in net.parts:
        if part.scaling is not None:
            line = part.call.span.line
            x = _scaled(x, part.scaling, line)
            if held_out is not None:
                held_out = _scaled(held_out[0], part.scaling, line), held_out[1]
    return Rows(
        x,
        given.get("y"),
        None if held_out is None else (held_out[0], held_out[1]),
        0.0 if isinstance(fraction, Unknown) else fraction,
        net.flat,
        fit.line,
    )


def _places(model: ModelValue, net: Network, rows: Rows) -> Places:
    compiled = model.compiled
    parts = [net.parts[index] for index in net.indices]
    given = {} if compiled is None else named(compiled, COMPILE)
    optimizer = given.get("optimizer")
    used = model.fits[-1] if model.fits else None
    fit = used.span if used else None
    given_rows = [*used.arguments, used.options.get("x")][0] if used else None
    source = given_rows if isinstance(given_rows, Dataset) else Dataset(None, None)
    steps = rows.x.steps if isinstance(rows.x, Array) else ()
    shuffles = [step.line for step in steps if step.kind == "shuffle-rows"]
    return Places(
        tuple((part.call.span, part.where) for part in parts),
        model.span,
        None if compiled is None else compiled.span,
        model.wrapped or fit,
        model.style,
        model.name or "model",
        optimizer.span if isinstance(optimizer, KerasCall) else None,
        sum(used.span == fit for used in model.fits),
        shuffles[-1] if shuffles else 0,
        source.span or fit,
        source.batched,
        model.looped,
        net.is_head,
        older_arguments(model),
    )
