"""Registries: looking up entries by name, and entries that stand for a class of Keras."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import MISSING, fields
from typing import Any, ClassVar, TypeVar

from core.fields import Checked

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
        keras_name: Of Keras's class.
        keras_arguments: Keras's names of the fields whose names differ, by field name.
        positional: The fields that a script writes as positional arguments.
        label, help: Of its control.
    """

    keras_name: ClassVar[str]
    keras_arguments: ClassVar[Mapping[str, str]] = {}
    positional: ClassVar[tuple[str, ...]] = ()
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
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, (int, float)):
        if value == int(value) and abs(value) < 1e16:
            return f"{int(value):_}"
        return repr(value)
    return f'"{value}"' if isinstance(value, str) else repr(value)
