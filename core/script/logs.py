"""The curves of a training that a person has already done: Keras's console output, or a history."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

MOST_EPOCHS = 10_000
FIGURE = re.compile(r"\b([A-Za-z_][\w]*):\s*([-+]?(?:\d+\.?\d*(?:[eE][-+]?\d+)?|nan|inf))(?![\w.])")
EPOCH = re.compile(r"\bEpoch\s+(\d+)\s*/\s*(\d+)")
SPELLINGS = {"acc": "accuracy", "val_acc": "val_accuracy"}
SINGLE = re.compile(r"[A-Za-z_]\w*\s*=\s*(?=\{)")


@dataclass(frozen=True)
class Curves:
    """Figures by name, one an epoch.

    Attributes:
        epochs: The number of epochs that the training was to take, if the output says it.
        values: "loss", "accuracy", "val_loss" and the like; all as long as the longest but for
            what the output leaves out.
    """

    epochs: int | None
    values: dict[str, tuple[float, ...]]


def curves(text: str) -> Curves | None:
    """The curves in console output or in the text of `history.history`; None if there are none."""
    return _of_dictionary(text) or _of_output(text)


def _of_dictionary(text: str) -> Curves | None:
    start, end = text.find("{"), text.rfind("}")
    if start < 0 or end < start or end - start > 1_000_000:
        return None
    inner = re.sub(
        r"\b(?:array|np\.array|np\.float32|np\.float64)\(([^()]*)\)", r"\1", text[start : end + 1]
    )
    inner = re.sub(r"\bnan\b", "None", inner)
    try:
        given = ast.literal_eval(inner)
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        return None
    values: dict[str, tuple[float, ...]] = {}
    for name, figures in given.items() if isinstance(given, dict) else ():
        if isinstance(name, str) and isinstance(figures, (list, tuple)) and figures:
            numbers = [float("nan") if f is None else f for f in figures[:MOST_EPOCHS]]
            if all(isinstance(number, (int, float)) for number in numbers):
                values[SPELLINGS.get(name, name)] = tuple(float(number) for number in numbers)
    return Curves(None, values) if values else None


def _of_output(text: str) -> Curves | None:
    epochs, total = [], None
    current: dict[str, float] = {}
    for line in re.split(r"[\n\r\x08]+", text):
        if found := EPOCH.search(line):
            if current:
                epochs.append(current)
            current, total = {}, int(found.group(2))
        # The last figures of an epoch are those at its end.
        for name, figure in FIGURE.findall(line):
            if name.lower() not in ("eta", "epoch"):
                current[SPELLINGS.get(name, name)] = float(figure)
    if current:
        epochs.append(current)
    epochs = [epoch for epoch in epochs[:MOST_EPOCHS] if "loss" in epoch]
    if not epochs:
        return None
    names = list(dict.fromkeys(name for epoch in epochs for name in epoch))
    whole = [name for name in names if all(name in epoch for epoch in epochs)]
    return Curves(total, {name: tuple(epoch[name] for epoch in epochs) for name in whole})
