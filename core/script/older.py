"""What a script says as in Keras 1 or 2, and what Keras 3 says instead."""

from __future__ import annotations

import re
from typing import Any

from core.script.names import ARGUMENTS
from core.script.training import COMPILE, named
from core.script.values import KerasCall, ModelValue, Span

OWN_NAMES = frozenset({"Embedding"})
"""Classes that take other arguments by these names still: `Embedding(output_dim=64)`."""
GONE = {
    "predict_classes": "`(model.predict(x) > 0.5).astype(int)` does that for one sigmoid output, "
    "`model.predict(x).argmax(axis=1)` for several outputs",
    "predict_proba": "`predict` does that",
    "fit_generator": "`fit` takes generators",
    "evaluate_generator": "`evaluate` takes generators",
    "predict_generator": "`predict` takes generators",
}
"""Methods of models that Keras 3 has no more, and what does the same."""
DROPPED = frozenset({"show_accuracy", "class_mode", "theano_mode"})
"""Arguments of `compile` and `fit` that Keras 3 has under no name, and that change no training."""
MODULES = re.compile(
    r"^((?:tensorflow\.)?keras\.layers)\.(?:core|convolutional|pooling|recurrent|embeddings|"
    r"normalization|advanced_activations|noise|merge|wrappers)$"
)
"""Modules of layers, all of which Keras 3 has in `keras.layers`."""


def older_arguments(model: ModelValue) -> dict[Span, dict[str, str]]:
    """Arguments that Keras 3 refuses by their names, with its own names for them, by their call.

    The name is "" where it has none.
    """
    optimizer = named(model.compiled, COMPILE).get("optimizer") if model.compiled else None
    layers = [layer for layer, _ in model.layers]
    inner = [value for layer in layers for value in layer.arguments]
    found = {
        call.span: _renamed(call.options)
        for call in (*layers, *inner, optimizer)
        if isinstance(call, KerasCall) and _can_be_renamed(call)
    }
    if model.compiled:
        found[model.compiled.span] = _dropped(model.compiled.options)
    for used in model.fits:
        # An estimator passes its own arguments on.
        found[model.wrapped or used.span] = _renamed(used.options) | _dropped(used.options)
    return {span: names for span, names in found.items() if names and span.line}


def _can_be_renamed(call: KerasCall) -> bool:
    # The third argument of Convolution2D(32, 3, 3) would be the strides.
    sides = call.name.startswith("Convolution") and len(call.arguments) > 2
    return call.name not in OWN_NAMES and not call.path.startswith("custom.") and not sides


def _renamed(options: dict[str, Any]) -> dict[str, str]:
    return {name: ARGUMENTS["*"][name] for name in options if name in ARGUMENTS["*"]}


def _dropped(options: dict[str, Any]) -> dict[str, str]:
    return dict.fromkeys(DROPPED & options.keys(), "")
