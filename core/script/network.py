"""The layers of a script's model: those that can be trained here, and where the others are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from core.experiment import Model
from core.fields import InvalidExperiment, settings
from core.layers import LAYERS, Layer
from core.script.names import ARGUMENTS
from core.script.shapes import width
from core.script.values import Array, KerasCall, ModelValue, Span, Unknown
from core.script.vocabulary import Open, Untrainable, class_of, made

WITHOUT_WEIGHTS = frozenset({"Flatten", "InputLayer", "Input"})
"""Layers that change nothing of rows of numbers."""
CONSTRAINTS = frozenset({"kernel_constraint", "bias_constraint", "W_constraint", "b_constraint"})
"""Arguments of layers that are left out: a layer is trained without them."""


@dataclass
class Part:
    """A layer as the script writes it.

    Attributes:
        call: Of Keras's class.
        where: The statement or call that adds it.
        layer: As it can be trained here, or None.
        why: Why it cannot be trained here, or is not needed.
        open: Its arguments that have to be asked, with the reason.
        left_out: Its arguments without which it is trained.
        scaling: What it does to the inputs, if it is the first and only scales them.
    """

    call: KerasCall
    where: Span
    layer: Layer | None = None
    why: str = ""
    open: dict[str, Unknown] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()
    scaling: Callable[[np.ndarray], np.ndarray] | None = None


@dataclass
class Network:
    """The layers of a model.

    Attributes:
        parts: All of them.
        first: Index of the first that is trained here: 0, or after the last that cannot be.
        features: Inputs of the first trained layer, if the script says it.
        flat: Whether the inputs are flattened first.
        model: What is trained here, or None.
        refused: Why there is none.
    """

    parts: list[Part]
    first: int = 0
    features: int | None = None
    flat: bool = False
    model: Model | None = None
    refused: str = ""
    indices: list[int] = field(default_factory=list)

    @property
    def is_head(self) -> bool:
        """Whether layers before the first trained one cannot be trained here."""
        return self.first > 0

    @property
    def untrained(self) -> list[str]:
        """The names of the layers that cannot be trained here by themselves."""
        return [part.call.name for part in self.parts[: self.first] if _stops(part)]

    @property
    def last_untrained(self) -> Part:
        """Of a head, the last layer before it that cannot be trained here."""
        before = self.parts[: self.first]
        return [part for part in before if part.call.name not in WITHOUT_WEIGHTS][-1]


def network(model: ModelValue, answers: Mapping[str, Any]) -> Network:
    """The layers of a model, with the answers to what the script does not say."""
    parts = [_part(i, call, where, answers) for i, (call, where) in enumerate(model.layers)]
    made_ = Network(parts)
    for part in parts:
        part.scaling = None if part.layer else _scaling(part.call)
        if part.scaling is None and part.call.name not in WITHOUT_WEIGHTS:
            break
        part.why = (
            part.why if part.scaling is None else "it scales the inputs, as is done to the rows"
        )
    for index, part in enumerate(parts):
        if _stops(part):
            made_.first = index + 1
    # What stands in for the features is flat already.
    while 0 < made_.first < len(parts) and parts[made_.first].call.name in WITHOUT_WEIGHTS:
        made_.first += 1
    kept = parts[made_.first :]
    made_.flat = any(part.call.name == "Flatten" for part in kept[:2])
    made_.features = _features(model, made_)
    if model.outputs > 1:
        made_.refused = f"it has {model.outputs} outputs"
        return made_
    if model.unknown is not None:
        made_.refused = f"its layers are not known: {model.unknown.reason}"
        return made_
    if any(part.open for part in kept):
        return made_
    made_.indices = [i for i, part in enumerate(parts) if i >= made_.first and part.layer]
    layers = tuple(layer for part in kept if (layer := part.layer) is not None)
    try:
        made_.model = Model(layers)
    except InvalidExperiment as error:
        made_.refused = str(error) if layers else "no layer of it can be trained here"
    return made_


def _stops(part: Part) -> bool:
    """Whether only what comes after a layer can be trained here."""
    neutral = part.call.name in WITHOUT_WEIGHTS
    return part.layer is None and not part.open and not neutral and part.scaling is None


def _scaling(call: KerasCall) -> Callable[[np.ndarray], np.ndarray] | None:
    """What a layer that scales its inputs does to them, where that is known."""
    adapted = call.changed.get("adapted")
    if call.name == "Normalization" and isinstance(adapted, Array) and adapted.value.ndim == 2:
        mean, spread = adapted.value.mean(axis=0), adapted.value.std(axis=0)
        return lambda v: (v - mean) / np.maximum(spread, 1e-7)
    return None


def _part(index: int, call: KerasCall, where: Span, answers: Mapping[str, Any]) -> Part:
    part = Part(call, where)
    if call.name == "?":
        part.why = f"not understood: {call.path}"
        return part
    if call.path.startswith("custom."):
        part.why = "a layer of the script's own cannot be trained here"
        return part
    if call.changed.get("trainable") is False:
        part.why = "a frozen layer cannot be trained here"
        return part
    kind = class_of(call.name, LAYERS)
    if kind is None and call.name in WITHOUT_WEIGHTS:
        part.why = "it has no weights"
        return part
    given = dict(call.options)
    if kind is not None:
        part.left_out = tuple(sorted(CONSTRAINTS & given.keys()))
        given = {name: value for name, value in given.items() if name not in CONSTRAINTS}
    for name in _fields(kind):
        key = question_key(index, name)
        if key in answers:
            given[name] = answers[key]
    try:
        positional = call.arguments
        if given != call.options and not part.left_out:
            positional = [a for a in positional if not isinstance(a, Unknown)]
        part.layer = made(replace(call, arguments=positional, options=given), LAYERS, "the layer")
    except Open as missing:
        name = missing.name.rpartition(" ")[2]
        part.open[name] = missing.unknown
    except (Untrainable, InvalidExperiment) as error:
        part.why = str(error)
    return part


def question_key(index: int, name: str) -> str:
    """The key of the question for an argument of a layer, counted from 0."""
    return f"layer-{index}-{name}"


def _fields(kind: type | None) -> tuple[str, ...]:
    if kind is None:
        return ()
    names = getattr(kind, "keras_arguments", {})
    return tuple(names.get(name, name) for name in settings(kind))


def _features(model: ModelValue, made_: Network) -> int | None:
    """The inputs of the first trained layer, as the script says them."""
    if made_.is_head:
        return width([part.call for part in made_.parts[: made_.first]], model.shape)
    shape: Any = model.shape
    for part in made_.parts[:1]:
        options = {ARGUMENTS["*"].get(k, k): v for k, v in part.call.options.items()}
        if "input_dim" in options:
            shape = options["input_dim"]
        elif "batch_input_shape" in options:
            batch = options["batch_input_shape"]
            shape = batch[1:] if isinstance(batch, (tuple, list)) else batch
        elif "input_shape" in options or "shape" in options:
            shape = options.get("input_shape", options.get("shape"))
        elif part.call.name == "Dense" and len(part.call.arguments) == 2:
            second = part.call.arguments[1]
            if isinstance(second, int) and "input_dim" not in options:
                shape = second
    sides = shape if isinstance(shape, (tuple, list)) else (shape,)
    if not sides or not all(isinstance(side, (int, np.integer)) for side in sides):
        return None
    return int(np.prod(sides))
