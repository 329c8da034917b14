"""Keras as a script uses it: layers, models, `compile` and `fit`, recorded instead of run."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from core.script import learn
from core.script.budget import elements_of
from core.script.draws import Stream
from core.script.names import CLASSES
from core.script.values import (
    Array,
    Bound,
    Dataset,
    Estimator,
    Fitted,
    KerasCall,
    Missing,
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

IMAGES = {"mnist": "MNIST", "fashion_mnist": "Fashion-MNIST"}
SAVED = words("load_model model_from_json model_from_yaml from_config clone_model")
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
        return _sequential(script, arguments, options, node)
    if name in ("Model", "Functional"):
        return _functional(script, arguments, options, node)
    if name == "Input":
        shape = options.get("shape", arguments[0] if arguments else None)
        if "batch_shape" in options and isinstance(options["batch_shape"], (tuple, list)):
            shape = options["batch_shape"][1:]
        return Tensor((), shape)
    if name == "load_data":
        return _data_set(script, parts[-2] if len(parts) > 1 else "", line)
    if name == "to_categorical":
        return _one_hot(script, arguments, options, line)
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
    if name == "normalize":
        axis = plain(options.get("axis", arguments[1] if len(arguments) > 1 else -1))
        return _array(arguments[0]).then("scale", lambda v: _unit(v, axis), None, line)
    if name == "get" and arguments:
        return arguments[0]
    if parts[0] == "backend":
        if name == "set_value" and len(node.args) == 2:
            script.assign(node.args[0], arguments[1])
            script.essential()
            return None
        return Unknown(f"keras.backend.{name} is not understood", line)
    if name in ("clear_session", "enable_eager_execution", "plot_model"):
        return None
    return KerasCall(CLASSES.get(name, name), arguments, options, Span.of(node), f"keras.{path}")


def _unit(v: np.ndarray, axis: int) -> np.ndarray:
    norm = np.linalg.norm(v, 2, axis, keepdims=True)
    return v / np.where(norm == 0, 1, norm)


def _array(value: Any) -> Array:
    return value if isinstance(value, Array) else Array.of(np.asarray(plain(value)))


def _one_hot(script: Evaluator, arguments: list[Any], options: dict, line: int) -> Any:
    given = options.get("y", options.get("x", arguments[0] if arguments else None))
    if isinstance(given, Unknown):
        return replace(given, done=(*given.done, "to_categorical"))
    labels = _array(given)
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


def _data_set(script: Evaluator, name: str, line: int) -> Any:
    """MNIST and Fashion-MNIST as enlarged digits; the others are not here."""
    if name not in IMAGES:
        script.wanted.append((name or "the data set", line))
        return Unknown(f"the data set {name} is not here", line)
    learn.load(script.budget)
    from sklearn.datasets import load_digits

    digits = load_digits()
    # 8 x 8 pixels from 0 to 16 become 28 x 28 from 0 to 255, with a margin of 2 as in MNIST.
    images = np.pad(np.kron(digits.images, np.ones((3, 3))), ((0, 0), (2, 2), (2, 2)))
    images = np.round(images * 255 / 16).astype(np.uint8)
    labels = digits.target.astype(np.uint8)
    words = f"8 x 8 digits, enlarged, in place of {IMAGES[name]}"
    parts = (slice(0, 1_437), slice(1_437, None))
    return tuple((Array.of(images[p], words), Array.of(labels[p], words)) for p in parts)


# --- models ---------------------------------------------------------------------------------------


def _made(script: Evaluator, model: ModelValue) -> ModelValue:
    script.models.append(model)
    return model


def _sequential(script: Evaluator, arguments: list[Any], options: dict, node: ast.Call) -> Any:
    layers = arguments[0] if arguments else options.get("layers")
    model = ModelValue("add" if not layers else "list", Span.of(node))
    if isinstance(layers, Unknown):
        model.unknown = layers
    elif isinstance(layers, (list, tuple)):
        for layer in layers:
            _add(script, model, layer, None)
    script.essential()
    return _made(script, model)


def _add(script: Evaluator, model: ModelValue, layer: Any, span: Span | None) -> None:
    """Add a layer; `span` is that of the statement that adds it, if there is one."""
    if isinstance(layer, KerasCall):
        model.layers.append((layer, span or layer.span))
    elif isinstance(layer, ModelValue):
        model.layers.extend((each, span or each.span) for each, _ in layer.layers)
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


def _functional(script: Evaluator, arguments: list[Any], options: dict, node: ast.Call) -> Any:
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
        model.unknown = Unknown("a model with several outputs cannot be trained here", node.lineno)
    script.essential()
    return _made(script, model)


def applied(script: Evaluator, function: Any, arguments: list[Any], node: ast.Call) -> Any:
    """A layer or model called on a tensor, as functional models do."""
    first = arguments[0] if arguments else None
    span = Span.of(node)
    if isinstance(first, Unknown):
        return first
    if isinstance(first, (list, tuple)) and first and all(isinstance(t, Tensor) for t in first):
        before = max((t.layers for t in first), key=len)
        first = Tensor(before, first[0].shape)
    if not isinstance(first, Tensor):
        return Unknown("it is not called on a tensor", node.lineno)
    script.essential()
    if isinstance(function, ModelValue):
        added = tuple((layer, span) for layer, _ in function.layers)
        if function in script.models:
            script.models.remove(function)
        if function.unknown:
            added = ((KerasCall("?", [], {}, span, function.unknown.reason), span),)
        return Tensor((*first.layers, *added), first.shape)
    return Tensor((*first.layers, (function, span)), first.shape)


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


def _kept(value: Any) -> Any:
    """A value as it is now: an array may be changed later."""
    if isinstance(value, Array):
        return replace(value)
    if isinstance(value, (list, tuple)):
        return type(value)(_kept(item) for item in value)
    return value


def method(
    script: Evaluator, owner: Any, name: str, arguments: list[Any], options: dict, node: ast.Call
) -> Any:
    """The result of a method of a model, an estimator or a data set."""
    if isinstance(owner, Dataset):
        return _of_dataset(owner, name, arguments, options)
    if isinstance(owner, Estimator):
        return _of_estimator(script, owner, name, arguments, options, node)
    span = Span.of(node)
    if isinstance(owner, KerasCall):
        if name == "adapt":
            owner.changed["adapted"] = _kept(arguments[0])
            script.essential()
            return None
        reason = f"{owner.name} is a class of the script's own, which is not evaluated"
        owner = _own_model(script, owner, Unknown(reason, node.lineno))
    used = Used([_kept(a) for a in arguments], {k: _kept(v) for k, v in options.items()}, span)
    if name in ("add", "pop", "compile", "fit", "fit_generator", "train_on_batch"):
        script.essential()
    if name == "add":
        _add(script, owner, arguments[0] if arguments else options.get("layer"), span)
        return None
    if name == "compile":
        owner.compiled = used
        return None
    if name == "pop":
        return owner.layers.pop()[0] if owner.layers else None
    if name in ("fit", "fit_generator"):
        owner.fits.append(used)
        return Unknown("the history is not known", node.lineno)
    elif name == "train_on_batch":
        whole = {"epochs": 1, "batch_size": "all", "shuffle": False, **used.options}
        owner.fits.append(Used(used.arguments[:2], whole, span))
    elif name in ("evaluate", "score"):
        owner.checks.append(used)
    elif name in ("load_weights", "set_weights"):
        script.remarks.append((node.lineno, "The weights that it loads are not here."))
    return Unknown("what the trained model gives is not known", node.lineno)


def _own_model(script: Evaluator, call: KerasCall, unknown: Unknown) -> ModelValue:
    """The model that a class of the script's own makes."""
    for model in script.models:
        if model.span == call.span:
            return model
    return _made(script, ModelValue("list", call.span, unknown=unknown))


def _of_dataset(owner: Dataset, name: str, arguments: list[Any], options: dict) -> Any:
    if name == "batch":
        return replace(owner, batch=[*arguments, *options.values()][0])
    if name == "shuffle":
        return replace(owner, shuffled=True)
    if name in ("prefetch", "cache"):
        return owner
    return Unknown(f".{name} of a data set is not understood")


def _of_estimator(
    script: Evaluator,
    owner: Estimator,
    name: str,
    arguments: list[Any],
    options: dict,
    node: ast.Call,
) -> Any:
    if name != "fit":
        return Unknown("what the trained model gives is not known", node.lineno)
    taken = {"epochs", "nb_epoch", "batch_size", "verbose", "callbacks", "validation_split"}
    taken |= {"class_weight", "shuffle", "validation_data"}
    training = {k: v for k, v in owner.options.items() if k in taken}
    building = {k.removeprefix("model__"): v for k, v in owner.options.items() if k not in taken}
    for key in ("optimizer", "loss", "metrics"):
        if not isinstance(building.get(key), str):
            building.pop(key, None)
    model = script.call(owner.build, [], building, node)
    if not isinstance(model, ModelValue):
        raise Missing(model if isinstance(model, Unknown) else Unknown("it makes no model"))
    x, *rest = arguments
    for scaler in owner.scalers:
        x = script.call(Bound(scaler, "fit_transform"), [x], {}, node)
    script.call(Bound(model, "fit"), [x, *rest], {**training, **options}, node)
    return owner


# --- tensorflow -----------------------------------------------------------------------------------


def tensorflow_called(
    script: Evaluator, path: str, arguments: list[Any], options: dict, node: ast.Call
) -> Any:
    """The result of a function of TensorFlow, by its path after "tensorflow."."""
    name, line = path.rpartition(".")[2], node.lineno
    if path.startswith("data.Dataset.from_tensor_slices"):
        first = arguments[0]
        if isinstance(first, (tuple, list)) and len(first) == 2:
            return Dataset(_kept(first[0]), _kept(first[1]))
        return Unknown("this data set is not understood", line)
    if name in ("set_seed", "set_random_seed"):
        return None
    if name in ("constant", "convert_to_tensor", "cast", "Variable", "float32"):
        value = _array(arguments[0])
        kinds = [each for each in (*arguments[1:], *options.values()) if each is not None]
        kind = next((plain(k) for k in kinds if isinstance(k, (Symbol, str))), None)
        return value if kind is None else value.then("other", lambda v: v.astype(kind), None, line)
    if name == "one_hot":
        return _one_hot(script, arguments, options, line)
    if path in ("random.normal", "random.uniform"):
        script.draws.unseeded = True
        shape = plain(options.get("shape", arguments[0] if arguments else ()))
        script.budget.size(elements_of(shape))
        names = ("mean", "stddev") if name == "normal" else ("minval", "maxval")
        given = {"mean": 0.0, "stddev": 1.0, "minval": 0.0, "maxval": 1.0}
        given |= dict(zip(names, plain(arguments[1:3]), strict=False)) | plain(options)
        low, high = (given[each] for each in names)
        stream = Stream(np.random.default_rng(0), False)
        return Array.of(getattr(stream.generator, name)(low, high, shape).astype(np.float32))
    return Unknown(f"tensorflow.{path} is not understood", line)
