"""Values of settings as text: in links, and in words for a reader."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.entries import KerasEntry
from core.fields import Numerical, settings
from core.initialisers import INITIALISER
from core.layers import LAYERS, Dense, Dropout, Layer
from core.regularisers import REGULARISER

SEPARATOR, NEXT_LAYER = "~", "~~"


@dataclass(frozen=True)
class Layers:
    """Some layers; a link writes the fields of each in order, without trailing defaults."""

    @property
    def expected(self) -> str:
        example = Dense(3, "relu"), Dropout(0.25)
        return f"layers such as `{self.text(example)}`"

    def text(self, layers: tuple[Layer, ...]) -> str:
        return NEXT_LAYER.join(map(_layer_text, layers))

    def parse(self, text: str) -> tuple[Layer, ...]:
        return tuple(map(_layer_of, text.split(NEXT_LAYER))) if text else ()


def _layer_text(layer: Layer) -> str:
    values = [getattr(layer, name) for name in settings(layer)]
    defaults = layer.defaults()
    for name in reversed(settings(layer)):
        if values[-1] != defaults.get(name):
            break
        values.pop()
    return SEPARATOR.join([type(layer).__name__, *map(as_text, values)])


def _layer_of(text: str) -> Layer:
    name, *texts = text.split(SEPARATOR)
    kind = LAYERS[name]
    fields = settings(kind)
    if len(texts) > len(fields):
        raise ValueError(text)
    values = zip(fields.items(), texts, strict=False)
    try:
        return kind(**{name: setting.kind.parse(text) for (name, setting), text in values})
    except TypeError:
        raise ValueError(text) from None


def in_words(value: Any) -> str:
    """A value in words, for a reader."""
    if isinstance(value, Layer):
        return " ".join([value.label.lower(), *_arguments(value, value.defaults())])
    if isinstance(value, KerasEntry):
        return " ".join([value.label.lower(), *_arguments(value, {})])
    if isinstance(value, np.ndarray):
        return f"{value.size} numbers"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(in_words, value)) or "none"
    if value is None:
        return "none"
    return f"{value:g}" if isinstance(value, float) else as_text(value).replace("_", " ")


def _arguments(value: KerasEntry, defaults: dict[str, Any]) -> Iterator[str]:
    """The fields in words; those that were added later only where they are not at their default."""
    for name, setting in settings(value).items():
        own = getattr(value, name)
        if not setting.added:
            yield in_words(own)
        elif own != defaults.get(name):
            yield f"{setting.label.lower()} {in_words(own)}"


def as_text(value: Any) -> str:
    """A value as the text of a parameter of the URL; the `parse` of its kind restores it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return "none"
    if isinstance(value, np.ndarray):
        return Numerical().text(value)
    for kind in (INITIALISER, REGULARISER):
        if isinstance(value, tuple(kind.entries.values())):
            return kind.text(value)
    if isinstance(value, (list, tuple)):
        if value and isinstance(value[0], Layer):
            return Layers().text(tuple(value))
        return ("." if value and isinstance(value[0], str) else "_").join(map(as_text, value))
    return repr(value) if isinstance(value, float) else str(value)
