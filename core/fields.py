"""The fields of an experiment, each declared once for validation, JSON, links and controls.

    units: int = field(Int(1, 1_024), label="Units", help="Outputs of the layer.")

A `Kind` defines which values a field can have, how a link writes them and how an error message
describes them.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any, ClassVar, Protocol

import numpy as np

MOST_NAMED = 8
"""The most options that an error message names."""
PERCENT = "percent"
SETTING = "setting"
"""The key of a field's `Setting` in the field's metadata."""


class InvalidExperiment(ValueError):
    """A value that an experiment cannot have.

    The message cuts a value of more than 200 characters, which may be the content of a whole file.

    Args:
        field: The name of the field.
        value: The value that is not allowed.
        expected: The values that are, such as "a whole number from 1 to 9".
    """

    def __init__(self, field: str, value: object, expected: str):
        shown = repr(value)
        if len(shown) > 200:
            shown = f"{shown[:200]}..."
        super().__init__(f"{field} is {shown}; it should be {expected}.")
        self.field, self.value, self.expected = field, value, expected

    def __reduce__(self):
        return type(self), (self.field, self.value, self.expected)


class Kind(Protocol):
    """The values that a field can have.

    Kinds that have a single control also have `parse`, from its text in a link to the value, which
    raises a ValueError, KeyError or OverflowError if the text is not an allowed value.
    """

    @property
    def expected(self) -> str:
        """The allowed values in words, for an error: "a whole number from 1 to 9"."""

    def check(self, name: str, value: object) -> Any:
        """The value, converted to the field's type.

        Args:
            name: Of the field, for the error message.
            value: To be checked.

        Raises:
            InvalidExperiment: If the value is not allowed.
        """


@dataclass(frozen=True)
class Int:
    """A whole number from `low` to `high`; `step` is the step of its control."""

    low: int
    high: int
    step: int = 1

    @property
    def expected(self) -> str:
        return f"a whole number from {self.low:,} to {self.high:,}"

    def check(self, name: str, value: Any) -> int:
        try:
            whole = int(value)
        except (TypeError, ValueError, OverflowError):
            raise InvalidExperiment(name, value, self.expected) from None
        if isinstance(value, (bool, str)) or whole != value or not self.low <= whole <= self.high:
            raise InvalidExperiment(name, value, self.expected)
        return whole

    def parse(self, text: str) -> int:
        return self.check("value", int(text))


@dataclass(frozen=True)
class Float:
    """A finite number.

    Attributes:
        low, high: The bounds.
        step: Of its control.
        above: Whether `low` itself is excluded.
        format: Of its control, as for printf; PERCENT for a share in percent.
    """

    low: float
    high: float
    step: float = 0.05
    above: bool = False
    format: str = "%g"

    @property
    def expected(self) -> str:
        if self.above:
            return f"a number above {self.low:,g} up to {self.high:,g}"
        return f"a number from {self.low:,g} to {self.high:,g}"

    def check(self, name: str, value: Any) -> float:
        number = real(name, value, self.expected)
        if not self.low <= number <= self.high or (self.above and number == self.low):
            raise InvalidExperiment(name, value, self.expected)
        return number + 0.0  # -0.0 is equal to 0.0, but written differently

    def parse(self, text: str) -> float:
        return self.check("value", float(text))


@dataclass(frozen=True)
class Bool:
    """Yes or no."""

    expected: ClassVar[str] = "yes or no"

    def check(self, name: str, value: Any) -> bool:
        if not isinstance(value, bool):
            raise InvalidExperiment(name, value, "true or false")
        return value

    def parse(self, text: str) -> bool:
        return {"yes": True, "no": False}[text]


@dataclass(frozen=True, eq=False)
class Choice:
    """One of several names.

    Attributes:
        entries: The names, or a registry with the names as keys. A registry is looked up each
            time, so that entries added later can be chosen too.
    """

    entries: Collection[str]

    @property
    def options(self) -> tuple[str, ...]:
        return tuple(self.entries)

    @property
    def expected(self) -> str:
        return f"one of {named(self.options)}"

    def check(self, name: str, value: Any) -> str:
        if not isinstance(value, str) or value not in self.entries:
            raise InvalidExperiment(name, value, self.expected)
        return value

    def parse(self, text: str) -> str:
        return self.check("value", text)


@dataclass(frozen=True, eq=False)
class MultiChoice:
    """Any number of the names in `entries`; a link joins them with dots."""

    entries: Collection[str]

    @property
    def options(self) -> tuple[str, ...]:
        return tuple(self.entries)

    @property
    def expected(self) -> str:
        return f"some of {named(self.options)}"

    def check(self, name: str, value: Any) -> list[str]:
        if not isinstance(value, (list, tuple)) or not set(value) <= set(self.entries):
            raise InvalidExperiment(name, value, self.expected)
        return list(value)

    def parse(self, text: str) -> list[str]:
        return self.check("value", text.split(".") if text else [])


@dataclass(frozen=True, eq=False)
class Names(MultiChoice):
    """Any number of the names in `entries`, each once, as a tuple."""

    def check(self, name: str, value: object) -> Any:
        names = tuple(super().check(name, value))
        if len(set(names)) != len(names):
            raise InvalidExperiment(name, value, "each of them once")
        return names

    def parse(self, text: str) -> Any:
        return self.check("value", super().parse(text))


@dataclass(frozen=True)
class Optional:
    """A value of `kind`, or None, which a link writes as "none"."""

    kind: Any

    @property
    def expected(self) -> str:
        return f"{self.kind.expected}, or none"

    def check(self, name: str, value: Any) -> Any:
        return None if value is None else self.kind.check(name, value)

    def parse(self, text: str) -> Any:
        return None if text == "none" else self.kind.parse(text)


@dataclass(frozen=True, eq=False)
class Instances:
    """Instances of the classes in a registry, which is looked up each time: one each at most."""

    classes: Mapping[str, type]

    @property
    def expected(self) -> str:
        return (
            f"at most one of each of {', '.join(kind.__name__ for kind in self.classes.values())}"
        )

    def check(self, name: str, value: Any) -> tuple[Any, ...]:
        known = tuple(self.classes.values())
        if not isinstance(value, (list, tuple)) or not all(isinstance(v, known) for v in value):
            raise InvalidExperiment(name, value, self.expected)
        if len({type(each) for each in value}) < len(value):
            raise InvalidExperiment(name, value, self.expected)
        return tuple(value)


@dataclass(frozen=True, eq=False)
class Instance:
    """An instance of one of the classes in a registry, which is looked up each time."""

    classes: Mapping[str, type]

    @property
    def expected(self) -> str:
        return f"one of {', '.join(kind.__name__ for kind in self.classes.values())}"

    def check(self, name: str, value: Any) -> Any:
        if not isinstance(value, tuple(self.classes.values())):
            raise InvalidExperiment(name, value, self.expected)
        return value


@dataclass(frozen=True)
class Numbers:
    """`fewest` to `most` finite numbers; a link joins them with underscores.

    Attributes:
        fewest, most: How many there can be.
        distinct: Whether no number can be there twice.
        low: The smallest that a number can be.
    """

    fewest: int
    most: int
    distinct: bool = True
    low: float = -math.inf

    @property
    def expected(self) -> str:
        many = f"{self.fewest} to {self.most:,}" if self.fewest < self.most else f"{self.most:,}"
        kind = "different numbers" if self.distinct else "numbers"
        return f"{many} {kind}" + (f" from {self.low:g}" if math.isfinite(self.low) else "")

    def check(self, name: str, value: Any) -> tuple[float, ...]:
        try:
            numbers = tuple(real(name, each, self.expected) for each in value)
        except TypeError:
            raise InvalidExperiment(name, value, self.expected) from None
        if not self.fewest <= len(numbers) <= self.most:
            raise InvalidExperiment(name, value, self.expected)
        if (self.distinct and len(set(numbers)) != len(numbers)) or min(
            numbers, default=0
        ) < self.low:
            raise InvalidExperiment(name, value, self.expected)
        return numbers

    def parse(self, text: str) -> tuple[float, ...]:
        return self.check("value", [float(number) for number in text.split("_") if text])


@dataclass(frozen=True)
class Numerical:
    """A read-only float32 array of one or two axes; a link writes its shape and its values."""

    expected: ClassVar[str] = "finite numbers in one or two axes, such as 2x1_0.5_-0.5 in a link"

    def check(self, name: str, value: Any) -> np.ndarray:
        try:
            array = np.array(value, np.float32)
        except (TypeError, ValueError):
            raise InvalidExperiment(name, value, self.expected) from None
        if array.ndim not in (1, 2) or not np.isfinite(array).all():
            raise InvalidExperiment(name, value, self.expected)
        array.flags.writeable = False
        return array

    def text(self, value: np.ndarray) -> str:
        return "_".join(["x".join(map(str, value.shape)), *map(str, value.ravel())])

    def parse(self, text: str) -> np.ndarray:
        shape, *numbers = text.split("_")
        sizes = [int(size) for size in shape.split("x")]
        return self.check("value", np.array(numbers, np.float32).reshape(sizes))


@dataclass(frozen=True)
class Ranges:
    """`fewest` to `most` (low, high) pairs."""

    fewest: int
    most: int

    @property
    def expected(self) -> str:
        return f"{self.fewest} to {self.most} (low, high) pairs"

    def check(self, name: str, value: Any) -> tuple[tuple[float, float], ...]:
        try:
            pairs = [(low, high) for low, high in value]
        except (TypeError, ValueError):
            raise InvalidExperiment(name, value, self.expected) from None
        if not self.fewest <= len(pairs) <= self.most:
            raise InvalidExperiment(name, value, self.expected)
        finite = "finite numbers"
        checked = tuple((real(name, a, finite), real(name, b, finite)) for a, b in pairs)
        for pair in checked:
            if pair[0] > pair[1]:
                raise InvalidExperiment(name, pair, "a low bound not above its high one")
        return checked


@dataclass(frozen=True)
class Setting:
    """The declaration of a field.

    Attributes:
        kind: The values that it can have.
        label: Of its control.
        help: Of its control.
        matters: Whether the field has an effect, as a function of the instance that it belongs to.
        added: Whether JSON leaves the field out at its default: one that a class was given later,
            so that experiments without it keep their JSON and their digest.
        advanced: Whether its control is behind "More settings", as it is rarely changed.
    """

    kind: Kind
    label: str = ""
    help: str = ""
    matters: Callable[[Any], bool] = lambda owner: True
    added: bool = False
    advanced: bool = False


def field(kind: Kind, default: Any = dataclasses.MISSING, **described: Any) -> Any:
    """A dataclass field with a `Setting`.

    Args:
        kind: The values that it can have.
        default: Its default; a required field without one.
        **described: `label`, `help`, `matters`, `added` and `advanced` of the `Setting`.
    """
    return dataclasses.field(default=default, metadata={SETTING: Setting(kind, **described)})


def settings(owner: type | Any) -> Mapping[str, Setting]:
    """The settings of a dataclass, or of an instance of one, by field name."""
    return _settings(owner if isinstance(owner, type) else type(owner))


@cache
def _settings(owner: type) -> Mapping[str, Setting]:
    # Kept, since each instance is checked by them when it is made.
    return MappingProxyType(
        {
            each.name: each.metadata[SETTING]
            for each in dataclasses.fields(owner)
            if SETTING in each.metadata
        }
    )


class Checked:
    """A base class of dataclasses that checks and converts the fields on initialisation.

    Raises:
        InvalidExperiment: If the value of a field is not allowed.
    """

    def __post_init__(self) -> None:
        for name, setting in settings(self).items():
            object.__setattr__(self, name, setting.kind.check(name, getattr(self, name)))


def real(name: str, value: Any, expected: str) -> float:
    """The value as a finite float; `name` and `expected` are for the error message.

    Raises:
        InvalidExperiment: If the value is not a finite number.
    """
    if isinstance(value, (bool, str)):
        raise InvalidExperiment(name, value, expected)
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        raise InvalidExperiment(name, value, expected) from None
    if not math.isfinite(number):
        raise InvalidExperiment(name, value, expected)
    return number


def named(options: tuple[str, ...]) -> str:
    """The first few options, and how many more there are."""
    more = len(options) - MOST_NAMED
    return ", ".join(options[:MOST_NAMED]) + (f" or {more} more" if more > 0 else "")
