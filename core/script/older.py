"""What a script says as in Keras 1 or 2, and what Keras 3 says instead."""

from __future__ import annotations

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


def older_arguments(model: ModelValue) -> dict[Span, dict[str, str]]:
    """Arguments that Keras 3 refuses by their names, with its own names for them, by their call."""
    optimizer = named(model.compiled, COMPILE).get("optimizer") if model.compiled else None
    layers = [layer for layer, _ in model.layers]
    inner = [value for layer in layers for value in layer.arguments]
    found = {
        call.span: _renamed(call.options)
        for call in (*layers, *inner, optimizer)
        if isinstance(call, KerasCall) and _is_of_keras(call)
    }
    for used in model.fits:
        # An estimator passes its own arguments on.
        found[model.wrapped or used.span] = _renamed(used.options)
    return {span: names for span, names in found.items() if names and span.line}


def _is_of_keras(call: KerasCall) -> bool:
    return call.name not in OWN_NAMES and not call.path.startswith("custom.")


def _renamed(options: dict[str, Any]) -> dict[str, str]:
    return {name: ARGUMENTS["*"][name] for name in options if name in ARGUMENTS["*"]}
