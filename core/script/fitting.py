"""`compile`, `fit` and the other methods of models, estimators and generators, recorded."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from core.script import classes, tape
from core.script.generators import generated
from core.script.older import GONE
from core.script.values import (
    Array,
    Bound,
    Estimator,
    Instance,
    KerasCall,
    Missing,
    ModelValue,
    Span,
    Unknown,
    Used,
)

if TYPE_CHECKING:
    from core.script.evaluate import Evaluator

BUILDING = frozenset({"add", "pop", "compile", "fit", "fit_generator", "train_on_batch"})
"""Methods of a model that decide what is trained."""
FITTING = frozenset(
    """
    epochs nb_epoch batch_size verbose callbacks validation_split class_weight shuffle
    validation_data
    """.split()  # noqa: SIM905
)
"""Options of an estimator that its `fit` takes; all others are those of the function."""


def kept(value: Any) -> Any:
    """A value as it is now: an array may be changed later."""
    if isinstance(value, Array):
        return replace(value)
    if isinstance(value, (list, tuple)):
        return type(value)(kept(item) for item in value)
    return value


def method(
    script: Evaluator, owner: Any, name: str, arguments: list[Any], options: dict, node: ast.Call
) -> Any:
    """The result of a method of a model, of an object of Keras or of an estimator."""
    if isinstance(owner, Estimator):
        return _of_estimator(script, owner, name, arguments, options, node)
    span = Span.of(node)
    if isinstance(owner, KerasCall):
        return _of_object(script, owner, name, arguments, options, span)
    used = Used([kept(a) for a in arguments], {k: kept(v) for k, v in options.items()}, span)
    if name in GONE:
        script.remarks.append((node.lineno, f"Keras 3 has no {name} any more: {GONE[name]}."))
    if name in BUILDING:
        script.essential()
    if name == "add":
        from core.script.model import added

        added(script, owner, arguments[0] if arguments else options.get("layer"), span)
        return None
    if name == "compile":
        owner.compiled = used
        return None
    if name == "pop":
        return owner.layers.pop()[0] if owner.layers else None
    if name in ("fit", "fit_generator"):
        owner.fits.append(used)
        return Unknown("the history is not known", node.lineno)
    if name == "train_on_batch":
        whole = {"epochs": 1, "batch_size": "all", **used.options}
        owner.fits.append(Used(used.arguments[:2], whole, span))
        owner.looped = True
    elif name in ("evaluate", "score"):
        owner.checks.append(used)
    elif name in ("load_weights", "set_weights"):
        script.remarks.append((node.lineno, "The weights that it loads are not here."))
    return Unknown("what the trained model gives is not known", node.lineno)


def _of_object(
    script: Evaluator, owner: KerasCall, name: str, arguments: list[Any], options: dict, span: Span
) -> Any:
    """The result of a method of a layer, an optimizer, a tape or a generator of images."""
    if isinstance(owner, Instance) and (model := classes.model_of(script, owner, span.line)):
        return script.call(Bound(model, name), arguments, options, _called_at(span))
    if name == "adapt" and arguments:
        owner.changed["adapted"] = kept(arguments[0])
        script.essential()
        return None
    if name == "gradient":
        return tape.gradients(arguments[0] if arguments else options.get("target"), span.line)
    if name in ("apply_gradients", "apply"):
        given = arguments[0] if arguments else options.get("grads_and_vars")
        tape.applied(script, owner, given, span)
        return None
    if name.startswith("flow"):
        return generated(script, owner, name, arguments, options, span.line)
    return Unknown(f"{owner.name}.{name} is not evaluated", span.line)


def _compiled_by(owner: Estimator) -> Used | None:
    """The call of `compile` that scikeras makes of its options, if there are any."""
    given = {k: v for k, v in owner.options.items() if k in ("optimizer", "loss", "metrics")}
    if not given:
        return None
    named = {
        name.removeprefix("optimizer__"): value
        for name, value in owner.options.items()
        if name.startswith("optimizer__")
    }
    if named and isinstance(given.get("optimizer"), str):
        given["optimizer"] = KerasCall(given["optimizer"], [], named, owner.span)
    return Used([], given, owner.span)


def _called_at(span: Span) -> ast.Call:
    """A call without a text, at a place."""
    made = ast.Call(ast.Name("", ast.Load()), [], [])
    made.lineno, made.col_offset, made.end_lineno, made.end_col_offset = span
    return made


def _of_estimator(
    script: Evaluator,
    owner: Estimator,
    name: str,
    arguments: list[Any],
    options: dict,
    node: ast.Call,
) -> Any:
    if name == "set_params":
        owner.options.update(options)
        return owner
    if name != "fit":
        return Unknown("what the trained model gives is not known", node.lineno)
    training = {k: v for k, v in owner.options.items() if k in FITTING}
    building = {k.removeprefix("model__"): v for k, v in owner.options.items() if k not in FITTING}
    for key in ("optimizer", "loss", "metrics"):
        if not isinstance(building.get(key), (str, Unknown)):
            building.pop(key, None)
    build = owner.build
    model = build if isinstance(build, ModelValue) else script.call(build, [], building, node)
    if not isinstance(model, ModelValue):
        raise Missing(model if isinstance(model, Unknown) else Unknown("it makes no model"))
    model.wrapped = owner.span
    if model.compiled is None:
        model.compiled = _compiled_by(owner)
    x, *rest = [*arguments, *(options.pop(key) for key in ("X", "y") if key in options)]
    for scaler in owner.scalers:
        x = script.call(Bound(scaler, "fit_transform"), [x], {}, node)
    script.call(Bound(model, "fit"), [x, *rest], {**training, **options}, node)
    return owner
