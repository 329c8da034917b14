"""Keras as a script uses it: layers, models, `compile` and `fit`, recorded instead of run."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from core.activations import ACTIVATIONS
from core.script import downloads, tape
from core.script.generators import FOLDERS, of_folder, of_windows
from core.script.names import CLASSES, known_name
from core.script.values import (
    Array,
    Bound,
    Dataset,
    Estimator,
    Exhausted,
    Fitted,
    Graph,
    Instance,
    KerasCall,
    ModelValue,
    Span,
    Symbol,
    Tensor,
    Unknown,
    Used,
    plain,
)
from core.script.words import words

if TYPE_CHECKING:
    from core.script.evaluate import Evaluator

SAVED = words("load_model model_from_json model_from_yaml from_config clone_model")
MERGES = {
    **{"concatenate": "Concatenate", "merge": "Concatenate", "add": "Add", "dot": "Dot"},
    **{"multiply": "Multiply", "average": "Average", "maximum": "Maximum", "subtract": "Subtract"},
}
"""Functions that join tensors, and the layers that do so."""
MOST_LAYERS = 500
"""Of a model: one that is added to itself has twice as many each time."""
METHODS = words(
    """
    add pop compile fit fit_generator train_on_batch evaluate predict predict_classes summary
    save save_weights load_weights get_weights set_weights build predict_proba get_layer score
    evaluate_generator predict_generator to_json get_config count_params
    """
)


def called(
    script: Evaluator, path: str, arguments: list[Any], options: dict, node: ast.Call
) -> Any:
    """The result of a function or class of Keras, by its path after "keras."."""
    parts, line = path.split("."), node.lineno
    name = parts[-1]
    if name == "Sequential":
        return sequential(script, arguments, options, node)
    if name in ("Model", "Functional"):
        return functional(script, arguments, options, node)
    if name == "Input":
        shape = options.get("shape", arguments[0] if arguments else None)
        if "batch_shape" in options and isinstance(options["batch_shape"], (tuple, list)):
            shape = options["batch_shape"][1:]
        return Tensor((), shape)
    if name == "load_data":
        return downloads.loaded(script, parts[-2] if len(parts) > 1 else "", line)
    if name == "to_categorical":
        return one_hot(script, arguments, options, line)
    if name in FOLDERS:
        return of_folder(name, options, line)
    if name == "TimeseriesGenerator":
        return of_windows(options, line)
    every = flat([*arguments, *options.values()])
    if any(isinstance(value, Graph) for value in every):
        return tape.of_function(name, every, None, line)
    if name == "concatenate" and not any(isinstance(value, Tensor) for value in every):
        return script.call(Symbol("numpy.concatenate"), arguments, options, node)
    if name[:1].islower() and any(isinstance(value, Tensor) for value in every):
        if name in MERGES:
            layer = KerasCall(MERGES[name], [], {}, Span.of(node), "keras.layers")
            return applied(script, layer, [[v for v in every if isinstance(v, Tensor)]], node)
        return operated(every, name, line, Span.of(node))
    if name in ("set_random_seed", "set_seed"):
        script.essential()
        if name == "set_random_seed" and parts[0] == "utils":
            script.draws.seed("both", plain(arguments[0]))
        return None
    if name in SAVED:
        unknown = Unknown("a saved model is not here", line)
        return _made(script, ModelValue("list", Span.of(node), unknown=unknown))
    if name in ("KerasClassifier", "KerasRegressor"):
        named = dict(options)
        build = named.pop("build_fn", named.pop("model", arguments[0] if arguments else None))
        return Estimator(build, named, Span.of(node))
    if name == "clear_session":
        return None
    if name == "image_data_format":
        return "channels_last"
    if name == "epsilon":
        return 1e-7
    if name == "normalize":
        axis = plain(options.get("axis", arguments[1] if len(arguments) > 1 else -1))
        return array_of(arguments[0]).then("scale", lambda v: _unit(v, axis), None, line)
    if name == "get" and arguments:
        return arguments[0]
    if parts[0] == "backend":
        if name == "set_value" and len(node.args) == 2:
            script.assign(node.args[0], arguments[1])
            script.essential()
            return None
        return Unknown(f"keras.backend.{name} is not understood", line)
    if name in ("enable_eager_execution", "plot_model"):
        return None
    return KerasCall(CLASSES.get(name, name), arguments, options, Span.of(node), f"keras.{path}")


def _unit(v: np.ndarray, axis: int) -> np.ndarray:
    norm = np.linalg.norm(v, 2, axis, keepdims=True)
    return v / np.where(norm == 0, 1, norm)


def array_of(value: Any) -> Array:
    """A value as an array."""
    return value if isinstance(value, Array) else Array.of(np.asarray(plain(value)))


def one_hot(script: Evaluator, arguments: list[Any], options: dict, line: int) -> Any:
    """What `to_categorical` gives."""
    given = options.get("y", options.get("x", arguments[0] if arguments else None))
    if isinstance(given, Unknown):
        return replace(given, done=(*given.done, "to_categorical"))
    labels = array_of(given)
    count = options.get("num_classes", options.get("nb_classes"))
    if len(arguments) > 1:
        count = arguments[1]
    if isinstance(count, Unknown):
        return count
    whole = labels.value.astype(int)
    classes = int(count) if count is not None else int(whole.max()) + 1
    if whole.min() < 0 or whole.max() >= classes:
        script.remarks.append(
            (
                line,
                f"to_categorical refuses labels outside 0 to {classes - 1} for {classes} classes.",
            )
        )
        return Unknown("to_categorical refuses these labels", line)
    script.budget.size(whole.size * classes)

    def encoded(v: np.ndarray) -> np.ndarray:
        v = v.astype(int)
        v = v[..., 0] if v.ndim > 1 and v.shape[-1] == 1 else v
        return np.eye(classes)[v]

    return labels.then("encode", encoded, None, line)


# --- models ---------------------------------------------------------------------------------------


def _made(script: Evaluator, model: ModelValue) -> ModelValue:
    script.models.append(model)
    return model


def sequential(script: Evaluator, arguments: list[Any], options: dict, node: ast.Call) -> Any:
    """A `Sequential` model."""
    layers = arguments[0] if arguments else options.get("layers")
    model = ModelValue("add" if not layers else "list", Span.of(node))
    if isinstance(layers, Unknown):
        model.unknown = layers
    elif isinstance(layers, (list, tuple)):
        for layer in layers:
            added(script, model, layer, None)
    script.essential()
    return _made(script, model)


def added(script: Evaluator, model: ModelValue, layer: Any, span: Span | None) -> None:
    """Add a layer; `span` is that of the statement that adds it, if there is one."""
    more = len(layer.layers) if isinstance(layer, ModelValue) else 1
    if len(model.layers) + more > MOST_LAYERS:
        raise Exhausted(f"it has more than {MOST_LAYERS:,} layers")
    if isinstance(layer, KerasCall):
        model.layers.append((layer, span or layer.span))
    elif isinstance(layer, ModelValue):
        model.layers.extend([(each, span or each.span) for each, _ in layer.layers])
        model.shape = model.shape or layer.shape
        model.unknown = model.unknown or layer.unknown
        if layer in script.models:
            script.models.remove(layer)
    elif isinstance(layer, Tensor):
        model.shape = layer.shape
    else:
        reason = layer.reason if isinstance(layer, Unknown) else "it is not a layer"
        where = span or model.span
        model.layers.append((KerasCall("?", [], {}, where, reason), where))


def functional(script: Evaluator, arguments: list[Any], options: dict, node: ast.Call) -> Any:
    """A model of tensors."""
    given = dict(zip(("inputs", "outputs"), arguments, strict=False))
    given |= {{"input": "inputs", "output": "outputs"}.get(k, k): v for k, v in options.items()}
    model = ModelValue("functional", Span.of(node))
    outputs = given.get("outputs")
    if isinstance(outputs, (list, tuple)) and len(outputs) == 1:
        outputs = outputs[0]
    if isinstance(outputs, Tensor):
        model.layers = list(outputs.layers)
        model.shape = outputs.shape
    elif isinstance(outputs, Unknown):
        model.unknown = outputs
    else:
        several(model, outputs, node.lineno)
    script.essential()
    return _made(script, model)


def several(model: ModelValue, outputs: Any, line: int) -> None:
    """Say that a model has several outputs; all layers that lead to them are its layers."""
    given = list(outputs.values()) if isinstance(outputs, dict) else outputs
    tensors = [each for each in given or () if isinstance(each, Tensor)]
    if tensors:
        model.layers = list(joined(tensors).layers)
        model.shape, model.outputs = tensors[0].shape, len(tensors)
    count = f"{len(tensors)} outputs" if tensors else "outputs that are not known"
    model.unknown = Unknown(f"a model with {count} cannot be trained here", line)


def joined(tensors: list[Tensor]) -> Tensor:
    """Several tensors as one, with the layers of all of them, each once."""
    layers: dict[tuple[int, Span], tuple[KerasCall, Span]] = {}
    for tensor in tensors:
        layers.update({(id(layer), span): (layer, span) for layer, span in tensor.layers})
    return Tensor(tuple(layers.values()), tensors[0].shape)


def applied(script: Evaluator, function: Any, arguments: list[Any], node: ast.Call) -> Any:
    """A layer or model called on a tensor, as functional models do; a loss on a tape."""
    first = arguments[0] if arguments else None
    span = Span.of(node)
    if any(isinstance(value, Graph) for value in arguments):
        return tape.of_function(function.name, arguments, function, node.lineno)
    if isinstance(first, Unknown):
        return first
    if isinstance(first, (list, tuple)) and first and all(isinstance(t, Tensor) for t in first):
        first = joined(list(first))
    inner = function.model if isinstance(function, Instance) else function
    if isinstance(first, Array) and isinstance(inner, ModelValue):
        return Graph("output", inner, first)
    if not isinstance(first, Tensor):
        return Unknown("it is not called on a tensor", node.lineno)
    script.essential()
    if isinstance(function, ModelValue):
        if len(first.layers) + len(function.layers) > MOST_LAYERS:
            raise Exhausted(f"it has more than {MOST_LAYERS:,} layers")
        parts = tuple((layer, span) for layer, _ in function.layers)
        if function in script.models:
            script.models.remove(function)
        if function.unknown:
            parts = ((KerasCall("?", [], {}, span, function.unknown.reason), span),)
        return Tensor((*first.layers, *parts), first.shape or function.shape)
    return Tensor((*first.layers, (function, span)), first.shape)


def flat(values: list[Any]) -> list[Any]:
    """Values, and those in lists among them."""
    every: list[Any] = []
    for value in values:
        every.extend(value if isinstance(value, (list, tuple)) else [value])
    return every


def operated(values: list[Any], name: str, line: int, span: Span | None = None) -> Any:
    """What a function or operator makes of tensors: an activation, or what is no layer of Keras."""
    tensors = [value for value in values if isinstance(value, Tensor)]
    if not tensors:
        return Unknown(f"{name} is not understood", line)
    where = span or Span(line, 0, line, 0)
    bare = name.rpartition(".")[2]
    if len(values) == 1 and known_name(bare, ACTIVATIONS):
        layer = KerasCall("Activation", [bare], {}, where, "keras.layers.Activation")
    else:
        layer = KerasCall(name, [], {}, where, f"custom.{name}")
    whole = joined(tensors)
    return Tensor((*whole.layers, (layer, where)), whole.shape)


def attribute(owner: Any, name: str, line: int) -> Any:
    """An attribute of a model, a layer, a tensor, an estimator or a data set."""
    if isinstance(owner, ModelValue):
        if name == "layers":
            return [layer for layer, _ in owner.layers]
        if name == "optimizer" and owner.compiled is not None:
            return _optimizer(owner.compiled, line)
        if name in ("output", "outputs"):
            return Tensor(tuple(owner.layers), owner.shape)
        if name in ("input", "inputs"):
            return Tensor((), owner.shape)
    if isinstance(owner, KerasCall):
        if name == "output":
            return Tensor(((owner, owner.span),), None)
        if name == "input":
            return Tensor((), None)
    if name in METHODS or isinstance(owner, (KerasCall, Dataset, Estimator, Fitted)):
        return Bound(owner, name)
    return Unknown(f".{name} is not understood", line)


def _optimizer(compiled: Used, line: int) -> Any:
    current = compiled.options.get("optimizer", [*compiled.arguments, None][0])
    if isinstance(current, str):
        current = KerasCall(current, [], {}, compiled.span)
        if compiled.arguments:
            compiled.arguments[0] = current
        else:
            compiled.options["optimizer"] = current
    return current if isinstance(current, KerasCall) else Unknown("it is not known", line)
