"""Looking up by name or kind, with an error that says what there is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

Key, Value = TypeVar("Key"), TypeVar("Value")


def entry(what: str, entries: Mapping[Key, Value], key: Key) -> Value:
    """entries[key]. Raises ValueError with the known keys where it is not one of them."""
    if key not in entries:
        known = ", ".join(_name(each) for each in entries)
        raise ValueError(f"unknown {what} {_name(key)!r}; known are {known}")
    return entries[key]


def _name(key: object) -> str:
    return key.__name__ if isinstance(key, type) else str(key)
