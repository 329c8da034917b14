"""Registries: looking up entries by name, and entries that stand for a class of Keras."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any, ClassVar, TypeVar

from core.fields import Checked, InvalidExperiment, settings
from core.fields import named as listed

Key = TypeVar("Key")
Value = TypeVar("Value")


def entry(what: str, entries: Mapping[Key, Value], key: Key) -> Value:
    """The entry of a registry with this key.

    Args:
        what: What an entry is, for the error message, such as "loss".
        entries: The registry.
        key: Of the entry.

    Raises:
        ValueError: If there is no such key; the message names the keys.
    """
    if key not in entries:
        raise ValueError(f"unknown {what} {key!r}; known are {', '.join(map(str, entries))}")
    return entries[key]


def named(entries: Iterable[Any]) -> dict[str, Any]:
    """A registry of the entries by their attribute `name`."""
    return {each.name: each for each in entries}


class KerasEntry(Checked):
    """A frozen dataclass that stands for a class of Keras; its fields are the arguments.

    Attributes:
        keras_module: Where Keras has the class, such as "layers".
        keras_name: Of Keras's class.
        keras_arguments: Keras's names of the fields whose names differ, by field name.
        positional: The fields that a script writes as positional arguments.
        by_name: Whether Keras takes the name for the class with its defaults.
        label, help: Of its control.
    """

    keras_module: ClassVar[str]
    keras_name: ClassVar[str]
    keras_arguments: ClassVar[Mapping[str, str]] = {}
    positional: ClassVar[tuple[str, ...]] = ()
    by_name: ClassVar[bool] = True
    label: ClassVar[str]
    help: ClassVar[str]

    def keras_options(self) -> dict[str, Any]:
        """The keyword arguments of Keras's class."""
        names = [each.name for each in fields(self)]  # type: ignore[arg-type]
        return {self.keras_arguments.get(name, name): getattr(self, name) for name in names}

    def script(self) -> str:
        """The Python code of a call to Keras's class, without arguments at their defaults."""
        arguments = [written(getattr(self, name)) for name in self.positional]
        for each in fields(self):  # type: ignore[arg-type]
            value = getattr(self, each.name)
            if each.name not in self.positional and value != each.default:
                name = self.keras_arguments.get(each.name, each.name)
                arguments.append(f"{name}={written(value)}")
        return f"{self.keras_name}({', '.join(arguments)})"

    @classmethod
    def defaults(cls) -> dict[str, Any]:
        """The defaults of the fields that have one, by field name."""
        return {f.name: f.default for f in fields(cls) if f.default is not MISSING}  # type: ignore[arg-type]


def written(value: object) -> str:
    """A value as Python code; whole numbers have no fraction and underscores as separators."""
    if isinstance(value, KerasEntry):
        return f"keras.{value.keras_module}.{value.script()}"
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, (int, float)):
        if value == int(value) and abs(value) < 1e16:
            return f"{int(value):_}"
        return repr(value)
    return f'"{value}"' if isinstance(value, str) else repr(value)


# --- entries as values of a field ---------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class EntryOf:
    """A name in a registry of classes, for the class with its defaults, or an instance of one.

    An instance with its defaults becomes the name, so that there is one form of each value. A link
    writes the name and, behind colons, the arguments: "random_uniform:-0.1:0.1".

    Attributes:
        entries: The classes by name; looked up each time.
        none: Whether the value can be None as well, which a link writes as "none".
    """

    entries: Mapping[str, type[KerasEntry]]
    none: bool = False

    @property
    def options(self) -> tuple[str, ...]:
        return (*(("none",) if self.none else ()), *self.entries)

    @property
    def expected(self) -> str:
        return f"one of {listed(self.options)}"

    def check(self, name: str, value: Any) -> Any:
        if value is None and self.none:
            return value
        if isinstance(value, str) and value in self.entries:
            return value if self.entries[value].by_name else self.entries[value]()
        if not isinstance(value, tuple(self.entries.values())):
            raise InvalidExperiment(name, value, self.expected)
        kind: Any = type(value)
        return self.name(value) if kind.by_name and value == kind() else value

    def name(self, value: Any) -> str:
        """The name of a value's entry."""
        if value is None:
            return "none"
        if isinstance(value, str):
            return value
        return next(name for name, kind in self.entries.items() if kind is type(value))

    def instance(self, value: Any) -> Any:
        """The instance that a value stands for, or None."""
        return entry("entry", self.entries, value)() if isinstance(value, str) else value

    def text(self, value: Any) -> str:
        """A value as a link writes it."""
        if value is None or isinstance(value, str):
            return self.name(value)
        described = settings(value).items()
        arguments = [_argument(setting.kind, getattr(value, name)) for name, setting in described]
        return ":".join([self.name(value), *arguments])

    def parse(self, text: str) -> Any:
        name, *arguments = text.split(":")
        if name == "none" and self.none and not arguments:
            return None
        kind = self.entries[name]
        described = settings(kind)
        if len(arguments) > len(described):
            raise ValueError(text)
        pairs = zip(described.items(), arguments, strict=False)
        values = {name: setting.kind.parse(argument) for (name, setting), argument in pairs}  # type: ignore[attr-defined]
        return self.check("value", kind(**values))


def _argument(kind: Any, value: Any) -> str:
    if hasattr(kind, "text"):
        return kind.text(value)
    return repr(value) if isinstance(value, float) else str(value)


class ByClass(Mapping[str, type]):
    """The classes of a registry by the name of the class, which JSON writes."""

    def __init__(self, entries: Mapping[str, type]):
        self._entries = entries

    def __getitem__(self, name: str) -> type:
        for kind in self._entries.values():
            if kind.__name__ == name:
                return kind
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return (kind.__name__ for kind in self._entries.values())

    def __len__(self) -> int:
        return len(self._entries)
