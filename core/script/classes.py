"""Classes of a script, evaluated as its functions are: attributes, methods, models of its own."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from core.script import model as keras
from core.script.values import (
    Bound,
    Class,
    Function,
    Instance,
    Missing,
    ModelValue,
    Parent,
    Span,
    Symbol,
    Tensor,
    Unknown,
)

if TYPE_CHECKING:
    from core.script.evaluate import Evaluator
    from core.script.execute import Interpreter

MODELS = {"Model", "Sequential", "Functional"}
"""Classes of Keras from which a model of the script's own derives."""


def defined(script: Interpreter, node: ast.ClassDef) -> Class:
    """The class that a statement defines."""
    bases = tuple(script.value(base) for base in node.bases)
    kind = Class(node.name, {}, tuple(b for b in bases if isinstance(b, (Class, Symbol))))
    annotated = []
    for statement in node.body:
        if isinstance(statement, ast.FunctionDef):
            kind.names[statement.name] = replace(script.function(statement), home=kind)
        elif isinstance(statement, (ast.Assign, ast.AnnAssign)):
            targets = (
                [statement.target] if isinstance(statement, ast.AnnAssign) else statement.targets
            )
            names = [target.id for target in targets if isinstance(target, ast.Name)]
            if isinstance(statement, ast.AnnAssign):
                annotated += names
            script.scopes.append({**kind.names})
            try:
                script.execute(statement)
            finally:
                scope = script.scopes.pop()
            kind.names.update({name: scope[name] for name in names if name in scope})
    kind.fields = tuple(annotated)
    return kind


def made(
    script: Evaluator, kind: Class, arguments: list[Any], options: dict, node: ast.Call
) -> Instance:
    """An object of a class."""
    span = Span.of(node)
    made_ = Instance(kind.name, arguments, options, span, f"custom.{kind.name}", kind=kind)
    start = kind.find("__init__")
    if isinstance(start, Function):
        bound = replace(start, first=(made_,))
        script.called(bound, arguments, options, node.lineno)
    elif kind.library in MODELS:
        _as_model(script, made_, arguments, options, node)
    else:
        made_.names.update(zip(kind.fields, arguments, strict=False))
        made_.names.update({k: v for k, v in options.items() if k in kind.fields})
    return made_


def _as_model(
    script: Evaluator, owner: Instance, arguments: list[Any], options: dict, node: ast.Call
) -> None:
    """Keras's own constructor of a model, for an object of a class that derives from it."""
    if owner.kind.library == "Sequential":
        owner.model = keras.sequential(script, arguments, options, node)
    elif len(arguments) == 2 or {"inputs", "outputs"} <= options.keys():
        owner.model = keras.functional(script, arguments, options, node)


def model_of(script: Evaluator, owner: Instance, line: int) -> ModelValue | None:
    """The model that an object of a class of the script is; None if it is none."""
    if owner.kind.library not in MODELS:
        return None
    if owner.model is None:
        owner.model = ModelValue("class", owner.span)
        script.models.append(owner.model)
        result = traced(script, owner, Tensor((), None), line)
        if isinstance(result, Tensor):
            owner.model.layers = list(result.layers)
        else:
            reason = f"what the model {owner.name} gives is not understood"
            owner.model.unknown = (
                result if isinstance(result, Unknown) else Unknown(reason, owner.span.line)
            )
            if isinstance(result, (tuple, list, dict)):
                keras.several(owner.model, result, owner.span.line)
        if owner.kind.find("train_step") is not None:
            said = f"The train_step of {owner.name} is left out: it is trained as Keras's own is."
            script.remarks.append((owner.span.line, said))
    return owner.model


def traced(script: Evaluator, owner: Instance, tensor: Tensor, line: int) -> Any:
    """What the method `call` of a model makes of a tensor."""
    method = owner.kind.find("call")
    if not isinstance(method, Function):
        return Unknown(f"the class {owner.name} has no method call", line)
    names = [each.arg for each in (*method.node.args.args, *method.node.args.kwonlyargs)]
    options = {"training": True} if "training" in names else {}
    try:
        return script.called(replace(method, first=(owner,)), [tensor], options, line)
    except Missing as missing:
        return missing.unknown


def applied(
    script: Evaluator, owner: Instance, arguments: list[Any], options: dict, node: ast.Call
) -> Any:
    """The result of a call of an object of a class of the script."""
    method = owner.kind.find("__call__")
    if isinstance(method, Function):
        return script.called(replace(method, first=(owner,)), arguments, options, node.lineno)
    model = model_of(script, owner, node.lineno)
    if model is not None and model.style != "class":
        return keras.applied(script, model, arguments, node)
    if model is not None and arguments and isinstance(arguments[0], Tensor):
        # Its layers become those of the model around it.
        if model in script.models:
            script.models.remove(model)
        result = traced(script, owner, arguments[0], node.lineno)
        return result if isinstance(result, Tensor) else Unknown("it is no chain", node.lineno)
    return keras.applied(script, owner, [*arguments, *options.values()], node)


def attribute(script: Evaluator, owner: Any, name: str, line: int) -> Any:
    """An attribute or method of a class of the script, of an object of it, or of `super()`."""
    if isinstance(owner, Parent):
        return _inherited(script, owner, name)
    kind = owner if isinstance(owner, Class) else owner.kind
    if isinstance(owner, Instance) and name in owner.names:
        return owner.names[name]
    found = kind.find(name)
    if isinstance(found, Function):
        return _method(script, owner, found, line)
    if found is not None or name in kind.names:
        return found
    if isinstance(owner, Instance):
        if model := model_of(script, owner, line):
            return keras.attribute(model, name, line)
        if kind.library:
            return Bound(owner, name)
    return Unknown(f"{kind.name} has no {name} that is known", line)


def _method(script: Evaluator, owner: Any, found: Function, line: int) -> Any:
    marks = {
        getattr(each, "id", getattr(each, "attr", ""))
        for each in getattr(found.node, "decorator_list", ())
    }
    if "staticmethod" in marks:
        return found
    kind = owner if isinstance(owner, Class) else owner.kind
    if "classmethod" in marks:
        return replace(found, first=(kind,))
    if isinstance(owner, Class):
        return found
    bound = replace(found, first=(owner,))
    return script.called(bound, [], {}, line) if "property" in marks else bound


def _inherited(script: Evaluator, owner: Parent, name: str) -> Any:
    for base in owner.home.bases:
        if isinstance(base, Class) and isinstance(found := base.find(name), Function):
            return replace(found, first=(owner.instance,))
    return Bound(owner, name)


def inherited_call(
    script: Evaluator, owner: Parent, name: str, arguments: list[Any], options: dict, node: Any
) -> Any:
    """The result of a method of a library's class, called by `super()`."""
    instance = owner.instance
    if name == "__init__" and isinstance(instance, Instance):
        if instance.kind.library in MODELS:
            _as_model(script, instance, arguments, options, node)
        return None
    if isinstance(instance, Instance) and instance.model is not None:
        return script.call(
            keras.attribute(instance.model, name, node.lineno), arguments, options, node
        )
    return Unknown(f"super().{name} is not understood", node.lineno)
