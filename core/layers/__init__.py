"""The layers: the registry, what a layer is, and one module for each kind of them."""

from core.layers.activation import ELU, Activation, LeakyReLU, PReLU, ReLU, Softmax
from core.layers.base import LAYERS, Activating, Arrays, Layer, Slot, layer
from core.layers.dense import Dense
from core.layers.normalisation import BatchNormalisation, LayerNormalisation
from core.layers.regularisation import (
    ActivityRegularisation,
    AlphaDropout,
    Dropout,
    GaussianDropout,
    GaussianNoise,
)
from core.layers.reshaping import Flatten, Rescaling

__all__ = [
    "ELU",
    "LAYERS",
    "Activating",
    "Activation",
    "ActivityRegularisation",
    "AlphaDropout",
    "Arrays",
    "BatchNormalisation",
    "Dense",
    "Dropout",
    "Flatten",
    "GaussianDropout",
    "GaussianNoise",
    "Layer",
    "LayerNormalisation",
    "LeakyReLU",
    "PReLU",
    "ReLU",
    "Rescaling",
    "Slot",
    "Softmax",
    "layer",
]
