"""The shape of what layers that cannot be trained here give, from their arguments alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from core.script.names import ARGUMENTS
from core.script.values import KerasCall

Shape = tuple[int | None, ...]
SAME = frozenset(
    """
    Activation Dropout BatchNormalization LayerNormalization LeakyReLU ReLU ELU PReLU Softmax
    GaussianNoise GaussianDropout AlphaDropout SpatialDropout1D SpatialDropout2D Rescaling
    Add Subtract Multiply Average Maximum RandomFlip RandomRotation RandomZoom RandomContrast
    Normalization Masking InputLayer
    """.split()  # noqa: SIM905
)
"""Layers whose output has the shape of their input."""
RECURRENT = {"LSTM", "GRU", "SimpleRNN", "CuDNNLSTM", "CuDNNGRU"}
BASES = {
    **{"VGG16": 512, "VGG19": 512, "ResNet50": 2048, "ResNet101": 2048, "ResNet50V2": 2048},
    **{"InceptionV3": 2048, "Xception": 2048, "InceptionResNetV2": 1536, "MobileNet": 1024},
    **{"MobileNetV2": 1280, "DenseNet121": 1024, "EfficientNetB0": 1280},
}
"""The channels that a base of `keras.applications` gives without its top."""
RENAMED = {
    **{"nb_filter": "filters", "kernel_size": "size", "pool_size": "size", "pool_length": "size"},
    **{"filter_length": "size", "border_mode": "padding", "subsample": "strides"},
    **{"stride": "strides", "output_dim": "units"},
}
"""Arguments of convolutions, pooling and recurrent layers, and what they are called here."""


def width(calls: Sequence[KerasCall], shape: Any) -> int | None:
    """The numbers of a row that layers give one after the other; None where it is not known.

    Args:
        calls: Of the layers.
        shape: Of their input, without its rows, where the script says it.
    """
    current: Shape | None = _sides(shape)
    for call in calls:
        given = {RENAMED.get(k, ARGUMENTS["*"].get(k, k)): v for k, v in call.options.items()}
        first = _sides(given.get("input_shape", given.get("shape")))
        if first is None and "batch_input_shape" in given:
            first = (_sides(given["batch_input_shape"]) or ())[1:]
        current = _after(call, given, first or current)
    if not current or any(side is None for side in current):
        return None
    return int(np.prod([side for side in current if side is not None]))


def _sides(value: Any) -> Shape | None:
    if isinstance(value, (int, np.integer)):
        return (int(value),)
    if not isinstance(value, (tuple, list)):
        return None
    known = [int(v) if isinstance(v, (int, np.integer)) else None for v in value]
    return tuple(known)


def _after(call: KerasCall, given: dict[str, Any], shape: Shape | None) -> Shape | None:
    """The shape after a layer; None where it is not known."""
    name, first = call.name, (call.arguments[0] if call.arguments else None)
    if name in SAME:
        return shape
    if name == "Flatten":
        if not shape or any(side is None for side in shape):
            return None
        return (int(np.prod([side or 0 for side in shape])),)
    if name == "Dense":
        units = _whole(given.get("units", first))
        return None if units is None else (*(shape or (None,))[:-1], units)
    if name in RECURRENT:
        units = _whole(given.get("units", first))
        if units is None:
            return None
        steps = (shape or (None,))[0]
        return (steps, units) if given.get("return_sequences") is True else (units,)
    if name == "Bidirectional" and isinstance(first, KerasCall):
        made = _after(first, {RENAMED.get(k, k): v for k, v in first.options.items()}, shape)
        last = made[-1] if made else None
        return (*made[:-1], 2 * last) if made and last is not None else None
    if name == "TimeDistributed" and isinstance(first, KerasCall):
        each = _after(first, dict(first.options), shape[1:] if shape else None)
        return None if each is None else ((shape or (None,))[0], *each)
    if name == "Embedding":
        units = given.get("units", call.arguments[1] if len(call.arguments) > 1 else None)
        steps = _whole(given.get("input_length")) or (shape[0] if shape else None)
        return None if _whole(units) is None else (steps, _whole(units))
    if name.startswith("Global"):
        return (shape[-1],) if shape else None
    if name in BASES and given.get("include_top") is False:
        channels = BASES[name]
        return (channels,) if given.get("pooling") in ("avg", "max") else (None, None, channels)
    if name.startswith(("Conv", "SeparableConv")) and "Transpose" not in name:
        return _convolved(call, given, shape)
    if name.startswith(("MaxPool", "AveragePool", "AvgPool")):
        return _pooled(given, first, shape)
    return None


def _convolved(call: KerasCall, given: dict[str, Any], shape: Shape | None) -> Shape | None:
    filters = _whole(given.get("filters", call.arguments[0] if call.arguments else None))
    size = given.get("size", call.arguments[1] if len(call.arguments) > 1 else None)
    # Keras 1: Convolution2D(filters, rows, columns).
    if len(call.arguments) > 2 and isinstance(size, int) and "Convolution" in call.name:
        size = call.arguments[1:3]
    if shape is None or filters is None:
        return None
    sides = _slid(shape[:-1], size, given.get("strides", 1), given.get("padding", "valid"))
    return None if sides is None else (*sides, filters)


def _pooled(given: dict[str, Any], first: Any, shape: Shape | None) -> Shape | None:
    size = given.get("size", 2 if first is None else first)
    if shape is None:
        return None
    sides = _slid(shape[:-1], size, given.get("strides", size), given.get("padding", "valid"))
    return None if sides is None else (*sides, shape[-1])


def _slid(sides: Shape, size: Any, strides: Any, padding: Any) -> Shape | None:
    """The sides after a window has slid over them."""
    sizes, steps = _each(size, len(sides)), _each(size if strides is None else strides, len(sides))
    if sizes is None or steps is None:
        return None
    made: list[int | None] = []
    for side, window, step in zip(sides, sizes, steps, strict=True):
        if side is None or step < 1:
            made.append(None)
        elif padding == "same":
            made.append(-(-side // step))
        else:
            made.append(max((side - window) // step + 1, 0))
    return tuple(made)


def _each(value: Any, count: int) -> tuple[int, ...] | None:
    if isinstance(value, (int, np.integer)):
        return (int(value),) * count
    if isinstance(value, (tuple, list)) and len(value) == count:
        whole = [_whole(each) for each in value]
        return tuple(w for w in whole if w is not None) if None not in whole else None
    return None


def _whole(value: Any) -> int | None:
    whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    return int(value) if whole else None
