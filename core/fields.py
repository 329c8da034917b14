"""What a field of an experiment can hold, said once: checks, JSON, links and controls follow it.

    units: int = field(Int(1, 1_024), label="Units", help="Outputs of the layer.")

A `Kind` knows the values that are allowed, how a link writes them and how an error names them.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

MOST_NAMED = 8
"""Options that a message names."""
SETTING = "setting"
"""Key of a field's `Setting` in its metadata."""


class InvalidExperiment(ValueError):
    """A value that cannot be trained: says which field, what it was and what would be right.

    A value of more than 200 characters is cut in the message: it may be a stranger's whole file.
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
    """The values that a field can have."""

    @property
    def expected(self) -> str:
        """What would be right, for an error: "a whole number from 1 to 9"."""

    def check(self, name: str, value: object) -> Any:
        """The value in its own type. Raises InvalidExperiment where it is not allowed."""

    def parse(self, text: str) -> Any:
        """The value that a link writes so. Raises ValueError, KeyError or OverflowError."""


@dataclass(frozen=True)
class Int:
    """A whole number from `low` to `high`; `step` is that of its control."""

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
    """A finite number from `low` to `high`; `above`: `low` itself is not allowed.

    `step` and `format` are those of its control.
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
        return number

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
    """One of some names: a tuple of them, or the mapping that holds an entry for each.

    A mapping is looked at each time, so that an entry that is added later is a choice as well.
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
    """Any number of names; a link joins them by dots."""

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


@dataclass(frozen=True)
class Optional:
    """A value of `kind`, or None."""

    kind: Kind

    @property
    def expected(self) -> str:
        return f"{self.kind.expected}, or none"

    def check(self, name: str, value: Any) -> Any:
        return None if value is None else self.kind.check(name, value)

    def parse(self, text: str) -> Any:
        return None if text == "none" else self.kind.parse(text)


@dataclass(frozen=True, eq=False)
class Instance:
    """A value of one of the classes in a mapping by name, which is looked at each time."""

    classes: Mapping[str, type]

    @property
    def expected(self) -> str:
        return f"one of {', '.join(kind.__name__ for kind in self.classes.values())}"

    def check(self, name: str, value: Any) -> Any:
        if not isinstance(value, tuple(self.classes.values())):
            raise InvalidExperiment(name, value, self.expected)
        return value

    def parse(self, text: str) -> Any:
        raise ValueError(text)


@dataclass(frozen=True)
class Numbers:
    """Different finite numbers, `fewest` to `most` of them; a link joins them by underscores."""

    fewest: int
    most: int

    @property
    def expected(self) -> str:
        many = f"{self.fewest} to {self.most:,}" if self.fewest < self.most else f"{self.most:,}"
        return f"{many} different numbers"

    def check(self, name: str, value: Any) -> tuple[float, ...]:
        try:
            numbers = tuple(real(name, each, self.expected) for each in value)
        except TypeError:
            raise InvalidExperiment(name, value, self.expected) from None
        if not self.fewest <= len(numbers) <= self.most or len(set(numbers)) != len(numbers):
            raise InvalidExperiment(name, value, self.expected)
        return numbers

    def parse(self, text: str) -> tuple[float, ...]:
        return self.check("value", [float(number) for number in text.split("_")])


@dataclass(frozen=True)
class Ranges:
    """(low, high) pairs, `fewest` to `most` of them; a link joins the bounds by underscores."""

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

    def parse(self, text: str) -> tuple[tuple[float, float], ...]:
        numbers = [float(number) for number in text.split("_")]
        if len(numbers) % 2:
            raise ValueError(text)
        return self.check("value", list(zip(numbers[::2], numbers[1::2], strict=True)))


@dataclass(frozen=True)
class Setting:
    """A field as people see it: what it can hold, its label, and the help of its control.

    matters: whether it has an effect, asked of the value that it is a field of.
    """

    kind: Kind
    label: str = ""
    help: str = ""
    matters: Callable[[Any], bool] = lambda owner: True


def field(kind: Kind, default: Any = dataclasses.MISSING, **described: Any) -> Any:
    """A dataclass field that holds a `kind`; described: label, help and matters of its Setting."""
    return dataclasses.field(default=default, metadata={SETTING: Setting(kind, **described)})


def settings(owner: type | Any) -> dict[str, Setting]:
    """The settings of a class or of a value of it, by the name of their field."""
    return {
        each.name: each.metadata[SETTING]
        for each in dataclasses.fields(owner)
        if SETTING in each.metadata
    }


class Checked:
    """A dataclass whose fields are checked by their kinds, and brought into their types, when made.

    Raises InvalidExperiment.
    """

    def __post_init__(self) -> None:
        for name, setting in settings(self).items():
            object.__setattr__(self, name, setting.kind.check(name, getattr(self, name)))


def real(name: str, value: Any, expected: str) -> float:
    """A finite number. Raises InvalidExperiment for anything else."""
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
    """The first few of them, and how many more there are."""
    more = len(options) - MOST_NAMED
    return ", ".join(options[:MOST_NAMED]) + (f" or {more} more" if more > 0 else "")
