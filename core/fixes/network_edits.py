"""Edits of a network's layers, which fixes are made of."""

from __future__ import annotations

from dataclasses import replace

from core import activations
from core.experiment import Dense, Experiment, InvalidExperiment, Model
from core.fields import settings
from core.initialisers import initialiser
from core.layers import Activation, ActivityRegularisation, Layer
from core.regularisers import REGULARISER

WIDE = 16
"""Units of a hidden layer that is widened: with half of them dead, eight still carry the signal."""


def change_hidden(changes: dict, experiment: Experiment) -> Experiment:
    model, options = experiment.model, dict(changes)
    activation = options.pop("activation", None)
    if activation is not None:
        for place in range(len(model.dense) - 1):
            model = with_activation(model, place, activation)
    layers = (replace(h, **options) if isinstance(h, Dense) else h for h in model.before)
    return replace(experiment, model=Model((*layers, model.output, *model.after)))


def with_activation(model: Model, place: int, name: str) -> Model:
    """The model with one activation in all for a dense layer, in place of those that it has.

    It stays a layer of its own where the dense layer is linear and followed by one.

    Args:
        model: To be changed.
        place: Index among the dense layers.
        name: Of the activation.
    """
    indices = [n for n, layer in enumerate(model.layers) if isinstance(layer, Dense)]
    start, end = indices[place], [*indices[1:], len(model.layers)][place]
    own = [n for n in range(start + 1, end) if model.layers[n].function is not None]
    layers: list[Layer] = list(model.layers)
    apart = own[-1] if own and model.dense[place].activation == "linear" else None
    layers[start] = replace(model.dense[place], activation="linear" if apart else name)
    if apart:
        layers[apart] = Activation(name)
    return Model(tuple(layer for n, layer in enumerate(layers) if n == apart or n not in own))


def changed_output(experiment: Experiment, activation: str, units: int) -> Model:
    """The model with another activation and number of outputs, which nothing scales any more."""
    model = experiment.model
    if model.output_activation.name != activation:
        model = with_activation(model, len(model.dense) - 1, activation)
    if model.output_activation.name != activation:
        after = tuple(layer for layer in model.after if layer.passes)
        model = Model((*model.before, model.output, *after))
    output = replace(model.output, units=units)
    return _fitting(experiment, Model((*model.before, output, *model.after)))


def without_penalties(experiment: Experiment) -> Experiment:
    """The experiment without penalties on weights or on outputs."""
    kept = (x for x in experiment.model.layers if not isinstance(x, ActivityRegularisation))
    return replace(experiment, model=Model(tuple(_unpenalised(layer) for layer in kept)))


def _unpenalised(layer: Layer) -> Layer:
    penalties = [name for name, each in settings(type(layer)).items() if each.kind is REGULARISER]
    return replace(layer, **dict.fromkeys(penalties)) if penalties else layer  # type: ignore[type-var]


def initialised_by_activation(experiment: Experiment) -> Experiment:
    """He's initialisation before rectifiers, Glorot's everywhere else."""
    activations = iter(experiment.model.activations)
    layers = [
        replace(layer, initialiser="he_normal" if next(activations).rectifier else "glorot_uniform")
        if isinstance(layer, Dense)
        else layer
        for layer in experiment.model.layers
    ]
    return replace(experiment, model=Model(tuple(layers)))


def widened(experiment: Experiment) -> Experiment:
    """Every hidden dense layer at least WIDE units wide."""
    model = experiment.model
    layers = (
        replace(layer, units=max(layer.units, WIDE)) if isinstance(layer, Dense) else layer
        for layer in model.before
    )
    wide = Model((*layers, model.output, *model.after))
    return replace(experiment, model=_fitting(experiment, wide))


def with_hidden_layer(experiment: Experiment) -> Experiment:
    """A ReLU layer of WIDE units more, before the output."""
    model = experiment.model
    hidden = Dense(WIDE, "relu", "he_normal")
    deeper = Model((*model.before, hidden, model.output, *model.after))
    return replace(experiment, model=_fitting(experiment, deeper))


def one_output_activation(experiment: Experiment) -> Experiment:
    """One of the output's activations alone: the last that gives a probability, or the first."""
    model = experiment.model
    every = output_activations(model)
    if not every:
        return experiment  # another fix has removed them
    probable = [activation for activation in every if activation.probability]
    name = (probable or every[:1])[-1].name
    return replace(experiment, model=with_activation(model, len(model.dense) - 1, name))


def output_activations(model: Model) -> list[activations.Activation]:
    """The non-linear activations of the last dense layer and of the layers after it."""
    functions = (layer.function for layer in (model.output, *model.after))
    return [each for each in functions if each is not None and each.name != "linear"]


def without_output_noise(experiment: Experiment) -> Experiment:
    """The experiment without dropout and noise after its last dense layer."""
    model = experiment.model
    after = (layer for layer in model.after if not layer.random)
    return replace(experiment, model=Model((*model.before, model.output, *after)))


def _fitting(experiment: Experiment, model: Model) -> Model:
    """The model with weights that are given only where they still have the right shape."""
    layers: list[Layer] = list(model.layers)
    for index, slot in model.slots(experiment.data.source.features):
        try:
            initialiser(slot.initialiser).check_shape(slot.field, slot.shape)
        except InvalidExperiment:
            default = layers[index].defaults()[slot.field]
            layers[index] = replace(layers[index], **{slot.field: default})  # type: ignore[type-var]
    return Model(tuple(layers))
