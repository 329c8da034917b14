"""Which list a name, a method or an attribute is on."""

from __future__ import annotations

import ast
import random
from typing import TYPE_CHECKING, Any

from core.script import arrays, builtin, classes, fitting, frames, generators, learn, model, tensors
from core.script import options as options_
from core.script.draws import PYTHON, SIZED, Stream
from core.script.values import (
    Array,
    Bound,
    Dataset,
    Estimator,
    Fitted,
    Instance,
    KerasCall,
    ModelValue,
    Parent,
    Parser,
    Symbol,
    Tensor,
    Unknown,
    plain,
)
from core.script.words import words

if TYPE_CHECKING:
    from core.script.evaluate import Evaluator

SILENT = words("matplotlib seaborn warnings time logging IPython plotly tqdm pprint")
"""Libraries that only show something."""


def call(
    script: Evaluator, symbol: Symbol, arguments: list[Any], options: dict, node: ast.Call
) -> Any:
    """The result of a call of a name of a library."""
    root, _, rest = symbol.path.partition(".")
    line = node.lineno
    if root == "builtins":
        return builtin.called(script, rest, arguments, options, node)
    if root == "numpy":
        return arrays.called(script, rest, arguments, options, node)
    if root == "keras":
        return model.called(script, rest, arguments, options, node)
    if root == "tensorflow":
        return tensors.called(script, rest, arguments, options, node)
    if root == "sklearn":
        return learn.called(script, symbol.path, arguments, options, node)
    if root == "pandas":
        return frames.called(script, rest, arguments, options, node)
    if root == "math":
        return builtin.math_called(rest, arguments, line)
    if root == "random":
        if rest == "seed":
            script.essential()
            script.draws.seed("python", plain(arguments[0]) if arguments else None)
            return None
        return script.draws.draw(script.budget, script.draws.python, rest, arguments, options, line)
    if root == "collections" and rest in ("OrderedDict",):
        return builtin.called(script, "dict", arguments, options, node)
    if symbol.path == "argparse.ArgumentParser":
        return options_.parser(node)
    if symbol.path in ("io.StringIO", "StringIO.StringIO", "StringIO"):
        return Bound(arguments[0], "read") if isinstance(arguments[0], str) else arguments[0]
    if root == "tqdm" and arguments:
        return arguments[0]
    if root in SILENT:
        return None
    return Unknown(f"{symbol.path} is not run", line)


def called(
    script: Evaluator, function: Any, arguments: list[Any], options: dict, node: ast.Call
) -> Any:
    """The result of a call of a value that is neither a name nor a method."""
    if isinstance(function, Unknown):
        return function
    if isinstance(function, Instance):
        return classes.applied(script, function, arguments, options, node)
    if isinstance(function, (KerasCall, ModelValue)):
        return model.applied(script, function, [*arguments, *options.values()], node)
    return Unknown("this call is not understood", node.lineno)


def method(
    script: Evaluator, bound: Bound, arguments: list[Any], options: dict, node: ast.Call
) -> Any:
    """The result of a method."""
    owner, name, line = bound.owner, bound.name, node.lineno
    if isinstance(owner, Parent):
        return classes.inherited_call(script, owner, name, arguments, options, node)
    if isinstance(owner, Dataset):
        return generators.method(script, owner, name, arguments, options, node)
    if isinstance(owner, (ModelValue, KerasCall, Estimator)):
        return fitting.method(script, owner, name, arguments, options, node)
    if isinstance(owner, Bound):
        return frames.of_text(owner, name, arguments, options)
    if isinstance(owner, Fitted):
        return learn.method(script, owner, name, arguments, options, line)
    if isinstance(owner, Parser):
        return options_.method(owner, name, arguments, options)
    if isinstance(owner, Stream):
        return script.draws.draw(script.budget, owner, name, arguments, options, line)
    for value in arguments:
        if isinstance(value, Unknown) and not isinstance(owner, (list, dict)):
            return value
    if isinstance(owner, Array):
        return arrays.method(script, owner, name, arguments, options, line)
    if builtin.is_frame(owner):
        return frames.method(script, owner, name, arguments, options, node)
    if isinstance(owner, (str, list, dict)):
        return builtin.method(script, owner, name, arguments, options, line)
    return Unknown(f".{name} is not understood", line)


def attribute(script: Evaluator, owner: Any, name: str, line: int) -> Any:
    """An attribute of a value."""
    if isinstance(owner, (ModelValue, KerasCall, Tensor, Dataset, Estimator)):
        return model.attribute(owner, name, line)
    if isinstance(owner, Array):
        return arrays.attribute(owner, name, line)
    if isinstance(owner, Fitted):
        return learn.attribute(owner, name, line)
    if isinstance(owner, Parser):
        return Bound(owner, name)
    if isinstance(owner, Stream):
        known = PYTHON if isinstance(owner.generator, random.Random) else {*SIZED, *_ORDERS}
        return Bound(owner, name) if name in known else Unknown(f".{name} is not understood", line)
    if builtin.is_frame(owner) or (isinstance(owner, Bound) and owner.name in ("str", "cat")):
        return frames.attribute(owner, name, line)
    # A data set of scikit-learn: its parts are attributes as well.
    if isinstance(owner, dict) and name in owner:
        return owner[name]
    if isinstance(owner, (int, float)) or type(owner).__module__ == "numpy":
        return arrays.attribute(Array.of(owner), name, line) if hasattr(owner, "dtype") else owner
    return builtin.attribute(owner, name, line)


_ORDERS = {"shuffle", "permutation"}
