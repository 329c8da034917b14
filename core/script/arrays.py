"""NumPy as a script may use it: pure functions and methods on a list, bounded in size."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from core.script.budget import ELEMENTS, Budget, elements_of, shape_of
from core.script.values import Array, Bound, KerasCall, Missing, Symbol, Unknown, plain
from core.script.words import words

if TYPE_CHECKING:
    from core.script.evaluate import Evaluator

FUNCTIONS = words(
    """
    abs absolute all allclose any arccos arcsin arctan arctan2 argmax argmin argsort around
    array_equal average bincount cbrt ceil clip column_stack concatenate copy corrcoef cos
    cosh count_nonzero cov cumsum cumprod deg2rad diff digitize divide dot dstack equal exp
    exp2 expm1 fabs flip fliplr flipud floor fmod greater greater_equal hstack hypot interp
    isclose isfinite isnan less less_equal linalg.norm log log10 log1p log2 logical_and
    logical_not logical_or logical_xor matmul max maximum mean median min minimum mod multiply
    nan_to_num nanmax nanmean nanmin nanstd negative not_equal percentile power prod product
    ptp quantile rad2deg radians reciprocal remainder rint roll round searchsorted sign sin
    sinc sinh size sort sqrt square stack std subtract sum swapaxes take tan tanh transpose
    trunc true_divide add unique var vstack where row_stack vsplit hsplit split array_split
    ndim shape r_ c_ heaviside amax amin delete append insert stack in1d isin nonzero
    flatnonzero argwhere
    """
)
"""Functions whose result is about as large as their arguments."""
KEEPING = words("reshape ravel squeeze expand_dims asarray array float32 float64 copy")
"""Functions of one array that keep its values in their order."""
METHODS = words(
    """
    all any argmax argmin argsort astype clip copy cumsum dot flatten item max mean min
    nonzero prod ptp ravel repeat reshape round squeeze std sum swapaxes take tolist transpose
    var sort numpy toarray todense
    """
)
KEPT = {"astype", "copy", "flatten", "ravel", "reshape", "squeeze"}
ATTRIBUTES = words("shape T size ndim dtype flat")
SIZES: dict[str, Callable[..., float]] = {
    "zeros": lambda shape, *_, **__: elements_of(shape),
    "ones": lambda shape, *_, **__: elements_of(shape),
    "empty": lambda shape, *_, **__: elements_of(shape),
    "full": lambda shape, *_, **__: elements_of(shape),
    "eye": lambda n, m=None, *_, **__: n * (m or n),
    "identity": lambda n, *_, **__: n * n,
    "linspace": lambda a, b, num=50, *_, **__: num,
    "logspace": lambda a, b, num=50, *_, **__: num,
    "arange": lambda *a, **_: _arange(*a),
    "repeat": lambda a, repeats, *_, **__: np.size(a) * np.max(repeats),
    "tile": lambda a, reps, *_, **__: np.size(a) * elements_of(reps),
    "meshgrid": lambda *a, **_: len(a) * np.prod([float(np.size(x)) for x in a]),
    "outer": lambda a, b, *_, **__: np.size(a) * np.size(b),
    "zeros_like": lambda a, *_, **__: np.size(a),
    "ones_like": lambda a, *_, **__: np.size(a),
    "full_like": lambda a, *_, **__: np.size(a),
}
"""Functions that make arrays, with the number of elements of the result."""


def _arange(*values: float) -> float:
    start, stop, step = (0, values[0], 1) if len(values) == 1 else (*values, 1)[:3]
    return abs((stop - start) / step)


def operated(
    budget: Budget, operator: Callable, left: Any, right: Any, product: bool, line: int
) -> Any:
    """The result of an operator of which one operand is an array."""
    one, other = _bounded(plain(left)), _bounded(plain(right))
    shapes = shape_of(left), shape_of(right)
    if product:
        sides = shapes[0][-1:] + shapes[1][-1:]
        budget.size(max(np.size(one) * (sides[-1] if sides else 1) / 64, np.size(one)))
        return _wrapped(operator(one, other))
    shape = np.broadcast_shapes(*shapes)
    budget.size(elements_of(shape))
    result = operator(one, other)
    if not isinstance(result, np.ndarray):
        return result
    if isinstance(left, Array) and shape == shapes[0] and np.size(other) < np.size(one):
        return left.then("scale", lambda v: operator(v, other), None, line)
    if isinstance(left, Array) and shape == shapes[0] and np.size(one) == 1:
        return left.then("scale", lambda v: operator(v, other), None, line)
    if isinstance(right, Array) and shape == shapes[1] and np.size(one) < np.size(other):
        return right.then("scale", lambda v: operator(one, v), None, line)
    return Array.of(result)


def _bounded(value: Any) -> Any:
    """An array of objects as one of numbers or texts: whole numbers of Python have no bound."""
    if not isinstance(value, np.ndarray) or value.dtype != object:
        return value
    try:
        return value.astype(float)
    except (TypeError, ValueError):
        return value.astype(str)


def compared(operator: Callable, left: Any, right: Any) -> Any:
    """The result of a comparison."""
    if isinstance(left, Symbol) or isinstance(right, Symbol):
        if isinstance(left, Symbol) and isinstance(right, Symbol):
            return operator(left.path, right.path)
        raise Missing(Unknown("the comparison is not understood"))
    if isinstance(left, (KerasCall, Bound)) or isinstance(right, (KerasCall, Bound)):
        raise Missing(Unknown("the comparison is not understood"))
    result = operator(plain(left), plain(right))
    return _wrapped(result)


def _wrapped(result: Any) -> Any:
    """A result of NumPy as a value of the evaluator."""
    if isinstance(result, np.ndarray):
        if result.dtype.kind not in "biufUS":
            raise Missing(Unknown(f"arrays of type {result.dtype} are not understood"))
        return Array.of(result)
    if isinstance(result, (list, tuple)):
        return type(result)(_wrapped(item) for item in result)
    if isinstance(result, np.bool_):
        return bool(result)
    return result


def subscripted(script: Evaluator, owner: Any, index: Any, line: int) -> Any:
    """The part of a value in square brackets."""
    from core.script import frames
    from core.script.builtin import is_frame

    for value in (owner, index):
        if isinstance(value, Unknown):
            return value
    if isinstance(owner, Bound) and owner.name in ("loc", "iloc", "iat", "at"):
        return frames.located(owner, plain(index))
    if is_frame(owner):
        return frames.selected(owner, plain(index), line)
    if isinstance(owner, Symbol):
        if owner.path in ("numpy.c_", "numpy.r_"):
            parts = [plain(each) for each in (index if isinstance(index, tuple) else (index,))]
            return Array.of(getattr(np, owner.leaf)[tuple(parts)])
        return Unknown(f"{owner.path}[...] is not understood", line)
    if isinstance(owner, Array):
        return _indexed(script.budget, owner, index, line)
    if isinstance(owner, (list, tuple, str, dict, range)) and not isinstance(index, Array):
        return owner[index]
    if isinstance(owner, dict) or hasattr(owner, "history"):
        return owner[plain(index)]
    return Unknown("this part is not understood", line)


def _indexed(budget: Budget, owner: Array, index: Any, line: int) -> Any:
    where = plain(index)
    result = owner.value[where]
    if not isinstance(result, np.ndarray):
        return result
    budget.size(result.size)
    kind, key = "other", None
    if isinstance(index, Array) and len(index.value) == len(owner.value):
        for step in index.steps:
            if step.kind == "permute-index":
                kind, key = "permute", step.key
    made = owner.then(kind, lambda v: v[where], key, line)
    return made


def called(
    script: Evaluator,
    name: str,
    arguments: list[Any],
    options: dict[str, Any],
    node: ast.Call,
) -> Any:
    """The result of a function of NumPy, by its path after "numpy."."""
    line = node.lineno
    if name.startswith("random."):
        return _random(script, name.removeprefix("random."), arguments, options, line)
    if options.keys() & {"out", "like", "object", "subok"}:
        return Unknown(f"these arguments of numpy.{name} are not understood", line)
    first = arguments[0] if arguments else None
    if name in ("loadtxt", "genfromtxt", "load", "fromfile"):
        from core.script.frames import loaded

        return loaded(script, name, first, options, line)
    if name in ("set_printoptions", "seterr", "save", "savetxt", "savez"):
        return None
    values, named = [_bounded(plain(each)) for each in arguments], plain(options)
    if name in KEEPING and isinstance(first, Array):
        if name == "reshape":
            return _reshaped(first, values[1:] or [named["newshape"]], line)
        rest = values[1:]
        return first.then("other", lambda v: getattr(np, name)(v, *rest, **named), None, line)
    if (encoded := _encoded(name, arguments, values, named, line)) is not None:
        return encoded
    if name in SIZES:
        script.budget.size(SIZES[name](*values, **named))
    elif name in ("array", "asarray", *FUNCTIONS, *KEEPING) or name in _TYPES:
        script.budget.size(sum(_count(value) for value in values))
    else:
        return Unknown(f"numpy.{name} is not understood", line)
    if name in ("dot", "matmul"):
        return script.operate(ast.MatMult, arguments[0], arguments[1], line)
    if name in _PAIRS and len(arguments) == 2:
        one, other = arguments
        return operated(script.budget, getattr(np, name), one, other, False, line)
    if name == "append" and len(values) == 2 and "axis" not in named:
        return Array.of(np.append(values[0], values[1]))
    function: Any = np
    for part in _RENAMED.get(name, name).split("."):
        function = getattr(function, part)
    if name in ("c_", "r_"):
        return Unknown(f"numpy.{name} is not understood", line)
    return _wrapped(function(*values, **named))


def _encoded(
    name: str, arguments: list[Any], values: list[Any], named: dict, line: int
) -> Array | None:
    """Labels after `argmax` over their columns, or `searchsorted` among their values."""
    if name == "argmax" and isinstance(arguments[0], Array) and arguments[0].value.ndim == 2:
        axis = named.get("axis", values[1] if len(values) > 1 else None)
        if axis in (1, -1):
            return arguments[0].then("encode", lambda v: v.argmax(axis=1), None, line)
    if name == "searchsorted" and len(arguments) > 1 and isinstance(arguments[1], Array):
        return arguments[1].then("encode", lambda v: np.searchsorted(values[0], v), None, line)
    return None


_TYPES = words("float16 float32 float64 int8 int16 int32 int64 uint8")
_PAIRS = words("add subtract multiply divide true_divide power maximum minimum")
_RENAMED = {"product": "prod", "row_stack": "vstack", "in1d": "isin", "float": "float64"}


def _count(value: Any) -> int:
    if isinstance(value, (list, tuple)):
        return min(sum(_count(item) for item in value), 10 * ELEMENTS)
    return int(np.size(value))


def _random(
    script: Evaluator, name: str, arguments: list[Any], options: dict[str, Any], line: int
) -> Any:
    draws = script.draws
    if name == "seed":
        script.essential()
        draws.seed("numpy", plain(arguments[0]) if arguments else None)
        return None
    if name in ("RandomState", "default_rng", "Generator"):
        seed = [*arguments, *options.values(), None][0]
        return draws.stream("RandomState" if name == "RandomState" else "default_rng", plain(seed))
    return draws.draw(script.budget, draws.numpy, name, arguments, options, line)


def _reshaped(array: Array, sides: list[Any], line: int) -> Array:
    shape = sides[0] if len(sides) == 1 and isinstance(sides[0], (tuple, list)) else sides
    shape = tuple(int(side) for side in shape)
    fixed = elements_of(shape[1:])
    if array.stand_in and -1 not in shape and fixed and array.value.size % fixed == 0:
        # The stand-in has fewer rows than what the script names.
        shape = (-1, *shape[1:])
    # Rows may be split off before or after: only the rest of the shape is fixed.
    if shape and shape[0] == len(array.value):
        shape = (-1, *shape[1:])
    return array.then("other", lambda v: v.reshape(shape), None, line)


def attribute(array: Array, name: str, line: int) -> Any:
    """An attribute of an array."""
    if name == "shape":
        return tuple(int(side) for side in array.value.shape)
    if name == "T":
        return array.then("other", lambda v: v.T, None, line)
    if name in ("size", "ndim"):
        return int(getattr(array.value, name))
    if name == "dtype":
        return str(array.value.dtype)
    if name == "values":
        return array
    if name in METHODS:
        return Bound(array, name)
    return Unknown(f"{name} of an array is not understood", line)


def method(
    script: Evaluator, array: Array, name: str, arguments: list[Any], options: dict, line: int
) -> Any:
    """The result of a method of an array."""
    values, named = [plain(each) for each in arguments], plain(options)
    if "out" in named:
        return Unknown("out= is not understood", line)
    if name == "reshape":
        return _reshaped(array, values or [named.get("shape", named.get("newshape"))], line)
    if name in ("numpy", "toarray", "todense"):
        return array
    if name == "repeat":
        script.budget.size(SIZES["repeat"](array.value, *values, **named))
    if name == "dot":
        return script.operate(ast.MatMult, array, arguments[0], line)
    if (encoded := _encoded(name, [array, *arguments], [array, *values], named, line)) is not None:
        return encoded
    if name in KEPT:
        named.pop("copy", None)
        return array.then("other", lambda v: getattr(v, name)(*values, **named), None, line)
    if name == "sort":
        array.changed(np.sort(array.value, *values, **named))
        return None
    script.budget.size(array.value.size)
    return _wrapped(getattr(_bounded(array.value), name)(*values, **named))
