"""The values that the evaluator of a script works with, besides Python's own.

Numbers, strings, lists and dictionaries are themselves, data frames are those of pandas, and an
array is an `Array`, which remembers how it was made. What cannot be known is `Unknown`, and
whatever is made of it is unknown for the same reason.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np


class Span(NamedTuple):
    """Where a node is in the normalised text; lines count from 1 and columns, in bytes, from 0."""

    line: int
    column: int
    end_line: int
    end_column: int

    @classmethod
    def of(cls, node: ast.AST) -> Span:
        """The span of a node that has one."""
        return cls(node.lineno, node.col_offset, node.end_lineno, node.end_col_offset)  # type: ignore[attr-defined]


NOWHERE = Span(0, 0, 0, 0)


@dataclass(frozen=True)
class Unknown:
    """A value that cannot be known.

    Attributes:
        reason: Why, as a sentence without a full stop.
        line: Of the normalised text, where it became unknown.
        done: The scalers and encoders that the script applies to it.
        choices: The values among which it is, if the script lists them.
        likely: What is proposed for it; None for what is usual.
    """

    reason: str
    line: int = 0
    done: tuple[str, ...] = ()
    choices: tuple[Any, ...] = ()
    likely: Any = None


@dataclass(frozen=True)
class Symbol:
    """A name of a library, by its dotted path: "numpy.random.seed"."""

    path: str

    @property
    def parts(self) -> tuple[str, ...]:
        return tuple(self.path.split("."))

    @property
    def leaf(self) -> str:
        return self.path.rpartition(".")[2]

    @property
    def root(self) -> str:
        return self.path.partition(".")[0]


@dataclass(eq=False)
class KerasCall:
    """A call of a class of Keras: a layer, an optimizer, a loss, an initialiser and the like.

    Attributes:
        name: Of the class.
        arguments: The positional arguments.
        options: The keyword arguments.
        span: Of the call.
        path: The dotted path by which the script names it.
    """

    name: str
    arguments: list[Any]
    options: dict[str, Any]
    span: Span
    path: str = ""
    changed: dict[str, Any] = field(default_factory=dict)
    """Attributes that the script assigns afterwards, such as `layer.trainable`."""


@dataclass(eq=False)
class Tensor:
    """A symbolic tensor of a functional model: the layers that lead to it from its input."""

    layers: tuple[tuple[KerasCall, Span], ...]
    shape: Any
    calls: tuple[Span, ...] = ()


class Used(NamedTuple):
    """A call of a method of a model, with its evaluated arguments."""

    arguments: list[Any]
    options: dict[str, Any]
    span: Span


@dataclass(eq=False)
class ModelValue:
    """A model while the script builds, compiles and fits it.

    Attributes:
        layers: The layers in order, each with the span of the statement or call that adds it.
        style: "list", "add", "functional" or "class": how layers are added.
        span: Of the call that makes the model.
        compiled, fits: The calls of `compile`, the last one, and of `fit`.
        unknown: Why its layers are not known, if they are not.
        looped: Whether a loop of the script's own trains it, by single updates.
        outputs: How many it has.
        cut: Why the number of its calls of `fit` is not known, if it is not.
        wrapped: The call of the `KerasClassifier` that fits it, if one does.
    """

    style: str
    span: Span
    layers: list[tuple[KerasCall, Span]] = field(default_factory=list)
    shape: Any = None
    compiled: Used | None = None
    fits: list[Used] = field(default_factory=list)
    checks: list[Used] = field(default_factory=list)
    unknown: Unknown | None = None
    name: str = ""
    looped: bool = False
    outputs: int = 1
    cut: Unknown | None = None
    wrapped: Span | None = None


@dataclass(eq=False)
class Estimator:
    """A KerasClassifier or KerasRegressor: a function that builds a model, and `fit`'s options."""

    build: Any
    options: dict[str, Any]
    span: Span
    scalers: tuple[Any, ...] = ()


@dataclass(eq=False)
class Fitted:
    """A scaler or encoder of scikit-learn."""

    instance: Any
    kind: str


@dataclass(eq=False)
class Dataset:
    """A `tf.data.Dataset` of two arrays.

    Attributes:
        span: Of the call that takes the arrays.
        batched: Of the call of `batch`.
    """

    x: Any
    y: Any
    batch: Any = None
    shuffled: bool = False
    span: Span | None = None
    batched: Span | None = None


@dataclass(eq=False)
class Batches:
    """What gives `fit` its batches one by one: a generator, whose rows are not known.

    Attributes:
        reason: Why they are not, as a sentence without a full stop.
        line: Of the normalised text, where it is made.
        batch: The rows of a batch, if they are known.
    """

    reason: str
    line: int
    batch: Any = None


@dataclass(eq=False)
class Function:
    """A function of the script, or a lambda.

    Attributes:
        home: The class that defines it, if it is a method.
        first: The arguments before those of a call: the object of a method.
        yields: Whether it is a generator.
    """

    node: ast.FunctionDef | ast.Lambda
    defaults: dict[str, Any]
    closure: dict[str, Any]
    home: Class | None = None
    first: tuple[Any, ...] = ()
    yields: bool = False


@dataclass(eq=False)
class Class:
    """A class of the script.

    Attributes:
        names: Its own attributes and methods.
        bases: The classes that it derives from: of the script, or symbols of libraries.
        fields: Annotated attributes in order, which the constructor of a data class takes.
    """

    name: str
    names: dict[str, Any]
    bases: tuple[Any, ...] = ()
    fields: tuple[str, ...] = ()

    def find(self, name: str) -> Any:
        """An attribute or method of it or of a class of the script that it derives from."""
        if name in self.names:
            return self.names[name]
        for base in self.bases:
            if isinstance(base, Class) and (found := base.find(name)) is not None:
                return found
        return None

    @property
    def library(self) -> str:
        """The name of the library's class that it derives from, or ""."""
        for base in self.bases:
            name = base.library if isinstance(base, Class) else base.leaf
            if name and name != "object":
                return name
        return ""


@dataclass(eq=False)
class Instance(KerasCall):
    """An object of a class of the script.

    It is recorded as calls of Keras's classes are, since it may be a layer, a loss or a callback.

    Attributes:
        kind: Its class.
        names: Its attributes.
        model: The model that it is, once that is known.
    """

    kind: Class = field(default_factory=lambda: Class("", {}))
    names: dict[str, Any] = field(default_factory=dict)
    model: ModelValue | None = None


@dataclass(eq=False)
class Parser:
    """An `argparse.ArgumentParser`, with the defaults of its arguments."""

    span: Span
    defaults: dict[str, Any] = field(default_factory=dict)


@dataclass(eq=False)
class Parent:
    """`super()` in a method of a class of the script."""

    home: Class
    instance: Any


@dataclass(eq=False)
class Graph:
    """What a script computes of a model's output on a tape.

    Attributes:
        kind: "output", "difference", "square", "absolute", "loss" or "gradients".
        model: Whose output it is.
        x, y: The rows.
        loss: As `compile` takes it, where it is known.
    """

    kind: str
    model: ModelValue
    x: Any
    y: Any = None
    loss: Any = None


@dataclass(eq=False)
class Bound:
    """A method of a value, before it is called."""

    owner: Any
    name: str


class Step(NamedTuple):
    """A step from one array to another.

    Attributes:
        kind: "scale" where it moves or stretches the values of an array, "encode" where it turns
            labels into other numbers or into columns, "shuffle-rows" for `random.shuffle` on the
            rows, "permute" for an order that is drawn anew in every execution, "split" for such a
            random split, "other" for all else.
        apply: The array after the step, of the one before it.
        key: Equal for steps that belong together, as those of inputs and labels of one split.
        line: Of the normalised text.
    """

    kind: str
    apply: Callable[[np.ndarray], np.ndarray]
    key: Any = None
    line: int = 0


@dataclass(eq=False)
class Array:
    """A NumPy array, with the steps that lead to it.

    Attributes:
        value: What it is.
        root: The array before the first step; it is not changed afterwards.
        steps: From `root` to `value`.
        stand_in: What it stands in for, if the script's own rows are not here.
    """

    value: np.ndarray
    root: np.ndarray
    steps: tuple[Step, ...] = ()
    stand_in: str = ""

    @classmethod
    def of(cls, value: np.ndarray, stand_in: str = "") -> Array:
        """An array that is not traced any further back."""
        return cls(value, value, (), stand_in)

    def then(self, kind: str, apply: Callable, key: Any = None, line: int = 0) -> Array:
        """The array after one more step."""
        return Array(
            apply(self.value),
            self.root,
            (*self.steps, Step(kind, apply, key, line)),
            self.stand_in,
        )

    def without(self, kinds: tuple[str, ...]) -> np.ndarray:
        """What it would be without the steps of these kinds."""
        value = self.root
        for step in self.steps:
            if step.kind not in kinds:
                value = step.apply(value)
        return value

    def changed(self, value: np.ndarray) -> None:
        """Give it another value, with no steps back."""
        self.value, self.root, self.steps = value, value.copy(), ()


MOST_ITEMS = 500_000
"""Of lists in lists: one that is in another many times may stand for very many."""


def plain(value: Any) -> Any:
    """Arrays in a value as NumPy's own; symbols of types as types.

    Raises:
        Missing: If a part of it is unknown.
        Exhausted: If it has too many parts.
    """
    return _plain(value, [MOST_ITEMS])


def _plain(value: Any, left: list[int]) -> Any:
    if isinstance(value, (list, tuple, dict)):
        left[0] -= len(value)
        if left[0] < 0:
            raise Exhausted("it has too many items")
    if isinstance(value, Array):
        return value.value
    if isinstance(value, Unknown):
        raise Missing(value)
    if isinstance(value, Symbol):
        if value.path in TYPES:
            return TYPES[value.path]
        raise Missing(Unknown(f"{value.path} is not a value"))
    if isinstance(value, (list, tuple)):
        items = [_plain(item, left) for item in value]
        return items if isinstance(value, list) else tuple(items)
    if isinstance(value, dict):
        return {key: _plain(item, left) for key, item in value.items()}
    return value


TYPES: dict[str, Any] = {
    **{f"builtins.{kind.__name__}": kind for kind in (int, float, bool, str)},
    **{
        f"numpy.{name}": getattr(np, name)
        for name in ("float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8")
    },
    "numpy.uint32": np.uint32,
    "numpy.bool_": np.bool_,
    "numpy.float": float,
    "numpy.int": int,
    "numpy.bool": bool,
    "numpy.nan": np.nan,
    "numpy.NaN": np.nan,
    "numpy.inf": np.inf,
    "numpy.pi": np.pi,
    "numpy.e": np.e,
    "numpy.newaxis": None,
    "math.pi": np.pi,
    "math.e": np.e,
    "tensorflow.float32": np.float32,
    "tensorflow.float64": np.float64,
    "tensorflow.int32": np.int32,
    "tensorflow.int64": np.int64,
}
"""The values of symbols that stand for one."""


class Missing(Exception):
    """What is being computed needs an unknown value."""

    def __init__(self, unknown: Unknown):
        super().__init__(unknown.reason)
        self.unknown = unknown


class Exhausted(Exception):
    """The script takes more steps, time or memory to evaluate than it may."""
