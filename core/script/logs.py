"""The curves of a training that a person has already done: Keras's console output, or a history."""

from __future__ import annotations

import ast
import contextlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from core.history import History

MOST_EPOCHS = 10_000
NEAR = 0.05
"""The mean difference of two curves below which they look alike."""
FIGURE = re.compile(r"\b([A-Za-z_][\w]*):\s*([-+]?(?:\d+\.?\d*(?:[eE][-+]?\d+)?|nan|inf))(?![\w.])")
EPOCH = re.compile(r"\bEpoch\s+\d+\s*/\s*(\d{1,9})\b")
COUNTED = re.compile(r"(?<![\w/.])(\d{1,9})/\1 +[\[\u2501\u2500].*")
"""The bar of an epoch that is over: "768/768 [====]" and what stands behind it."""
SPELLINGS = {"acc": "accuracy", "val_acc": "val_accuracy"}


@dataclass(frozen=True)
class Curves:
    """Figures by name, one an epoch.

    Attributes:
        epochs: The number of epochs that the training was to take, if the output says it.
        values: "loss", "accuracy", "val_loss" and the like; all as long as the longest but for
            what the output leaves out.
        rows, steps: Rows or updates of an epoch, whichever the output counts.
    """

    epochs: int | None
    values: dict[str, tuple[float, ...]]
    rows: int | None = None
    steps: int | None = None


def curves(text: str) -> Curves | None:
    """The curves in console output or in the text of `history.history`; None if there are none."""
    return _of_dictionary(text) or _of_output(text)


def alike(pasted: Curves, history: History) -> np.ndarray | None:
    """Which runs look like pasted curves: their figures differ by less than NEAR on average.

    The score is compared where both have it, or else the loss, relative to its largest value. Both
    are as `model.fit` prints them.

    Args:
        pasted: The curves of one training.
        history: Of the same network.

    Returns:
        bool (runs,); None where there is nothing to compare.
    """
    for name, curve in ((history.named("score"), history.score), ("loss", history.loss)):
        if name not in pasted.values or curve is None:
            continue
        figures = np.array(pasted.values[name])[: len(curve), None]
        with np.errstate(invalid="ignore"):
            differences = np.abs(curve[: len(figures)] - figures)
            if name == "loss":
                finite = figures[np.isfinite(figures)]
                differences = differences / np.abs(finite).max(initial=1e-9)
            near: np.ndarray = differences.mean(axis=0) < NEAR
        return near
    return None


def remarks(pasted: Curves) -> list[str]:
    """What the curves of one training show by themselves, in sentences."""
    longest = max(map(len, pasted.values.values()))
    said = [f"{longest:,} epochs with {', '.join(pasted.values)}."]
    loss = np.array(pasted.values.get("loss", ()))
    if not np.isfinite(loss).all():
        first = int(np.flatnonzero(~np.isfinite(loss))[0]) + 1
        return [*said, f"The loss is not a number from epoch {first:,} on: it has diverged."]
    for name in ("accuracy", "val_accuracy"):
        curve = np.array(pasted.values.get(name, ()))
        same = int(np.argmax(curve[::-1] != curve[-1])) if len(curve) else 0
        if len(curve) > 2 and (curve == curve[-1]).all():
            same = len(curve)
        if same > 2:
            said.append(f"The {name} is {curve[-1]:g} in each of the last {same:,} epochs.")
    if len(loss) > 2 and loss[-1] > loss[0]:
        said.append(f"The loss rises from {loss[0]:g} to {loss[-1]:g}.")
    elif len(loss) > 2 and loss[0] - loss[-1] < 0.01 * abs(loss[0]):
        said.append(f"The loss falls by less than 1%, from {loss[0]:g} to {loss[-1]:g}.")
    return said


def as_frame(pasted: Curves, history: History) -> pd.DataFrame:
    """Pasted curves as a table with the columns of `History.curves`; run is 0."""
    frame = history.curves()
    shown = frame[frame["run"] == 0].reset_index(drop=True)
    for name in shown.columns.difference(["run", "epoch"]):
        # A log has no figures that are evaluated after the epoch on the training rows.
        figures = pasted.values.get(history.named(name), ())[: len(shown)]
        shown[name] = [*figures, *[np.nan] * (len(shown) - len(figures))]
    return shown


def _of_dictionary(text: str) -> Curves | None:
    start, end = text.find("{"), text.rfind("}")
    if start < 0 or end < start or end - start > 1_000_000:
        return None
    inner = re.sub(
        r"\b(?:array|np\.array|np\.float32|np\.float64)\(([^()]*)\)", r"\1", text[start : end + 1]
    )
    inner = re.sub(r"\binf\b", "1e999", re.sub(r"\bnan\b", "None", inner))
    try:
        given = ast.literal_eval(inner)
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        return None
    values: dict[str, tuple[float, ...]] = {}
    for name, figures in given.items() if isinstance(given, dict) else ():
        if isinstance(name, str) and isinstance(figures, (list, tuple)) and figures:
            numbers = [float("nan") if f is None else f for f in figures[:MOST_EPOCHS]]
            if all(isinstance(number, (int, float)) for number in numbers):
                # A whole number that is too large for a float is no figure.
                with contextlib.suppress(OverflowError):
                    values[SPELLINGS.get(name, name)] = tuple(float(number) for number in numbers)
    return Curves(None, values) if values else None


def _of_output(text: str) -> Curves | None:
    epochs, total = [], None
    current: dict[str, float] = {}
    for line in re.split(r"[\n\r\x08]+", text):
        if found := EPOCH.search(line):
            if current:
                epochs.append(current)
            current, total = {}, int(found.group(1))
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
    values = {name: tuple(epoch[name] for epoch in epochs) for name in whole}
    return Curves(total, values, *_counted(text))


def _counted(text: str) -> tuple[int | None, int | None]:
    """The rows or the updates of an epoch, of which one is counted by the bar of its progress."""
    found = COUNTED.search(text)
    if found is None:
        return None, None
    count, line = int(found.group(1)), found.group(0)
    if "[" not in line:  # the bar of Keras 3
        return None, count
    # Keras counted rows until 2.3, and called the accuracy acc until 2.2; later versions count
    # updates. A step of microseconds may be a row of Keras 2.3 or a fast update.
    fast, old = "us/step" in line, " acc:" in line
    if "/step" not in line or (fast and old):
        return count, None
    return None, None if fast or old else count
