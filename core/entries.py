"""One entry for one thing: registries, looked up by name, and what an entry says of itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import MISSING, fields
from typing import Any, ClassVar, TypeVar

from core.fields import Checked

Key = TypeVar("Key")
Value = TypeVar("Value")


def entry(what: str, entries: Mapping[Key, Value], key: Key) -> Value:
    """entries[key].

    Raises:
        ValueError: naming the known keys, where it is not one of them.
    """
    if key not in entries:
        raise ValueError(f"unknown {what} {key!r}; known are {', '.join(map(str, entries))}")
    return entries[key]


def named(entries: Iterable[Any]) -> dict[str, Any]:
    """The entries by their own names."""
    return {each.name: each for each in entries}


class KerasEntry(Checked):
    """A frozen dataclass that stands for a class of Keras, with its fields as the arguments.

    keras_name: of the class; keras_arguments: Keras's names for the fields that are named
    differently here; positional: the fields that a script writes without a name.
    label, help: in a control.
    """

    keras_name: ClassVar[str]
    keras_arguments: ClassVar[Mapping[str, str]] = {}
    positional: ClassVar[tuple[str, ...]] = ()
    label: ClassVar[str]
    help: ClassVar[str]

    def keras_options(self) -> dict[str, Any]:
        """The arguments of Keras's class by Keras's names."""
        return {self.keras_arguments.get(n, n): getattr(self, n) for n in self._names()}

    def script(self) -> str:
        """The call that makes it, with the arguments that are not at their defaults."""
        arguments = [written(getattr(self, name)) for name in self.positional]
        for each in fields(self):  # type: ignore[arg-type]
            value = getattr(self, each.name)
            if each.name not in self.positional and value != each.default:
                name = self.keras_arguments.get(each.name, each.name)
                arguments.append(f"{name}={written(value)}")
        return f"{self.keras_name}({', '.join(arguments)})"

    def _names(self) -> list[str]:
        return [each.name for each in fields(self)]  # type: ignore[arg-type]

    @classmethod
    def defaults(cls) -> dict[str, Any]:
        """The fields that have a default, with it."""
        return {f.name: f.default for f in fields(cls) if f.default is not MISSING}  # type: ignore[arg-type]


def written(value: object) -> str:
    """A value as one writes it in Python: whole numbers without a fraction, long ones in groups."""
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, (int, float)):
        if value == int(value) and abs(value) < 1e16:
            return f"{int(value):_}"
        return repr(value)
    return f'"{value}"' if isinstance(value, str) else repr(value)
