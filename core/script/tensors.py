"""TensorFlow as a script uses it besides Keras: tensors, data sets and functions of them."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

import numpy as np

from core.script import generators, model, tape
from core.script.budget import elements_of
from core.script.draws import Stream
from core.script.values import (
    Array,
    Graph,
    KerasCall,
    Span,
    Symbol,
    Tensor,
    Unknown,
    plain,
)

if TYPE_CHECKING:
    from core.script.evaluate import Evaluator

CASTS = {"constant", "convert_to_tensor", "cast", "Variable", "float32"}
SEEDS = {"set_seed", "set_random_seed"}
NUMPY = {
    **{"reduce_mean": "mean", "reduce_sum": "sum", "reduce_max": "max", "reduce_min": "min"},
    **{"concat": "concatenate", "multiply": "multiply", "add": "add", "subtract": "subtract"},
    **{"divide": "divide", "square": "square", "sqrt": "sqrt", "abs": "abs", "exp": "exp"},
    **{"sin": "sin", "cos": "cos", "range": "arange", "linspace": "linspace", "ones": "ones"},
    **{"zeros": "zeros", "reshape": "reshape", "expand_dims": "expand_dims", "stack": "stack"},
    **{"squeeze": "squeeze", "transpose": "transpose", "argmax": "argmax", "matmul": "matmul"},
    **{"ones_like": "ones_like", "zeros_like": "zeros_like", "where": "where"},
}
"""Functions of TensorFlow that NumPy has as well, by NumPy's names."""


def called(
    script: Evaluator, path: str, arguments: list[Any], options: dict, node: ast.Call
) -> Any:
    """The result of a function of TensorFlow, by its path after "tensorflow."."""
    name, line = path.rpartition(".")[2], node.lineno
    every = [*arguments, *options.values()]
    if path.startswith("data.Dataset.from_tensor_slices"):
        return generators.dataset(every[0], Span.of(node))
    if path.startswith("data.Dataset.zip"):
        return _zipped(every, Span.of(node))
    if path == "GradientTape":
        return KerasCall("GradientTape", [], {}, Span.of(node), path)
    if name in SEEDS:
        return None
    if any(isinstance(value, Graph) for value in every):
        return tape.of_function(name, every, None, line)
    if any(isinstance(value, Tensor) for value in model.flat(every)):
        return model.operated(model.flat(every), f"tf.{name}", line, Span.of(node))
    if name in CASTS:
        value = model.array_of(arguments[0])
        kinds = [each for each in (*arguments[1:], *options.values()) if each is not None]
        kind = next((plain(k) for k in kinds if isinstance(k, (Symbol, str))), None)
        return value if kind is None else value.then("other", lambda v: v.astype(kind), None, line)
    if name == "one_hot":
        renamed = {"depth": "num_classes", "indices": "y"}
        return model.one_hot(
            script, arguments, {renamed.get(k, k): v for k, v in options.items()}, line
        )
    if path in ("random.normal", "random.uniform"):
        return _drawn(script, name, arguments, options)
    if name in ("function", "device") or path.startswith(("distribute", "config", "summary")):
        return arguments[0] if name == "function" and arguments else None
    if name in NUMPY and path in (name, f"math.{name}"):
        named = {"dtype": None, "keepdims": None} | options
        given = {k: v for k, v in named.items() if v is not None}
        symbol = Symbol(f"numpy.{NUMPY[name]}")
        return script.call(symbol, arguments, given, node)
    return Unknown(f"tensorflow.{path} is not understood", line)


def _zipped(values: list[Any], span: Span) -> Any:
    parts = model.flat(values)
    sets = [each for each in parts if hasattr(each, "batch") and hasattr(each, "x")]
    if len(sets) == 2 == len(parts):
        first, second = sets
        return generators.dataset((first.x, second.x), span)
    return Unknown("this data set is not understood", span.line)


def _drawn(script: Evaluator, name: str, arguments: list[Any], options: dict) -> Array:
    """Random numbers of TensorFlow, which are others here than in the script."""
    script.draws.unseeded = True
    shape = plain(options.get("shape", arguments[0] if arguments else ()))
    script.budget.size(elements_of(shape))
    names = ("mean", "stddev") if name == "normal" else ("minval", "maxval")
    given = {"mean": 0.0, "stddev": 1.0, "minval": 0.0, "maxval": 1.0}
    given |= dict(zip(names, plain(arguments[1:3]), strict=False)) | plain(options)
    low, high = (given[each] for each in names)
    stream = Stream(np.random.default_rng(0), False)
    return Array.of(getattr(stream.generator, name)(low, high, shape).astype(np.float32))
