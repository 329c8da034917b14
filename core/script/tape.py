"""Training loops of a script's own: a tape, the gradients of a loss, and an optimizer's steps.

    with tf.GradientTape() as tape:
        loss = loss_fn(y, model(x))
    optimizer.apply_gradients(zip(tape.gradient(loss, model.weights), model.weights))

What such a loop does is what `fit` does with the same loss and optimizer, so every step is
recorded as a call of `fit` on the rows that it sees.
"""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from core.losses import LOSSES
from core.script.names import known_name
from core.script.values import Array, Graph, KerasCall, ModelValue, Span, Unknown, Used

if TYPE_CHECKING:
    from core.script.evaluate import Evaluator

ERRORS = {"square": "mean_squared_error", "absolute": "mean_absolute_error"}
"""The loss that the mean over these is."""
MEANS = {"reduce_mean", "mean"}
SQUARES, ABSOLUTES = {"square"}, {"abs", "absolute"}


def operated(kind: type, left: Any, right: Any) -> Any:
    """The result of an operator on what a script computes of a model's output."""
    graph, other = (left, right) if isinstance(left, Graph) else (right, left)
    if kind is ast.Sub and graph.kind == "output" and isinstance(other, Array):
        return replace(graph, kind="difference", y=other)
    if kind is ast.Pow and left is graph and graph.kind == "difference" and right == 2:
        return replace(graph, kind="square")
    return Unknown("what the script computes of the model's output is not understood")


def of_function(name: str, arguments: list[Any], call: Any, line: int) -> Any:
    """The result of a function, by its name, with what is computed of a model's output.

    Args:
        name: Of a function of TensorFlow, NumPy or Keras's losses.
        arguments: At least one is a `Graph`.
        call: The loss as `compile` takes it, if the function is one.
        line: Of the call.
    """
    graph = next(value for value in arguments if isinstance(value, Graph))
    if name in MEANS and graph.kind in ERRORS:
        return replace(graph, kind="loss", loss=ERRORS[graph.kind])
    if name in (*MEANS, "reduce_sum", "sum", "cast") and graph.kind == "loss":
        return graph
    if name in SQUARES and graph.kind == "difference":
        return replace(graph, kind="square")
    if name in ABSOLUTES and graph.kind == "difference":
        return replace(graph, kind="absolute")
    if name in ("squeeze", "reshape", "cast", "flatten") and graph.kind == "output":
        return graph
    if graph.kind == "output" and (call is not None or known_name(name, LOSSES)):
        labels = next((each for each in arguments if isinstance(each, Array)), None)
        return replace(graph, kind="loss", y=labels, loss=name if call is None else call)
    return Unknown(f"{name} of a model's output is not understood", line)


def gradients(value: Any, line: int) -> Any:
    """What `tape.gradient` gives."""
    if isinstance(value, Graph) and value.kind in ("loss", *ERRORS):
        loss = value.loss if value.kind == "loss" else ERRORS[value.kind]
        return replace(value, kind="gradients", loss=loss)
    if isinstance(value, Graph) or not isinstance(value, Unknown):
        return Unknown("the loss on the tape is not understood", line)
    return value


def applied(script: Evaluator, optimizer: KerasCall, value: Any, span: Span) -> None:
    """Record a step of an optimizer as a call of `fit`."""
    if not isinstance(value, Graph):
        step_of_unknown(script, optimizer, value, span)
        return
    script.essential()
    model = value.model
    options: dict[str, Any] = {"epochs": 1, "batch_size": "all"}
    rows: list[Any] = [value.x, value.y]
    for dataset in script.iterated:
        if value.x is dataset.x:
            rows, options = [dataset], {"epochs": 1}
    if model.compiled is None:
        model.compiled = Used([], {"optimizer": optimizer, "loss": value.loss}, span)
    model.fits.append(Used(rows, options, span))
    model.looped = True


def step_of_unknown(script: Evaluator, optimizer: KerasCall, value: Any, span: Span) -> None:
    """Record an optimizer of a loop whose loss or rows are not understood."""
    candidates = [model for model in script.models if model.compiled is None]
    if not candidates:
        return
    script.essential()
    model: ModelValue = candidates[-1]
    why = value if isinstance(value, Unknown) else Unknown("the loss on the tape is not known")
    model.compiled = Used([], {"optimizer": optimizer, "loss": why}, span)
    model.looped = True
