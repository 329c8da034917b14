"""The arrays that a script trains on as `core.experiment.Data` has them.

What a script does to its rows is expressed by the settings of `Data` only where those give the very
numbers that the script computes; where they do not, the table holds the rows as the script
prepares them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from core.data import fit_scaler
from core.experiment import Data, Table
from core.losses import LOSSES
from core.script.values import Array, Exhausted, Missing, Unknown, plain
from core.table import MOST_ROWS

MOST_CLASSES = 1_000
"""More different labels are not classes."""
FEW_CLASSES = 20
"""Whole numbers with more different values than this are a quantity for a squared error."""
SPLITS = ("split", "permute", "shuffle-rows")


class Refused(ValueError):
    """What Keras would refuse, or what cannot be a table here; the message says why."""


@dataclass
class Rows:
    """The arrays of `fit`, and those held out.

    Attributes:
        x, y: What is trained on.
        held_out: Inputs and labels that the script evaluates on, or None.
        fraction: `validation_split`.
        flat: Whether the first layer flattens the inputs.
        line: Of the call of `fit`.
    """

    x: Any
    y: Any
    held_out: tuple[Any, Any] | None = None
    fraction: float = 0.0
    flat: bool = False
    line: int = 0


@dataclass
class Prepared:
    """What was read of the data: the data, or why there are none."""

    data: Data | None = None
    features: int | None = None
    rows: int | None = None
    unknown: Unknown | None = None
    refused: str = ""
    remarks: list[str] = field(default_factory=list)
    stand_in: str = ""


def arrays(value: Any) -> Array:
    """An argument of `fit` as an array of numbers.

    Raises:
        Refused: If it is none.
    """
    if isinstance(value, (list, tuple)) and len(value) == 1 and isinstance(value[0], Array):
        value = value[0]
    if isinstance(value, dict):
        raise Refused("each input or output has an array of its own")
    if not isinstance(value, Array):
        given = value.to_numpy() if hasattr(value, "to_numpy") else plain(value)
        try:
            value = Array.of(np.asarray(given))
        except ValueError:
            raise Refused("its rows have different lengths") from None
    if value.value.ndim == 0:
        raise Refused("it is a single value, not rows")
    if value.value.dtype == object:
        try:
            value = Array.of(value.value.astype(float))
        except (TypeError, ValueError, OverflowError):
            raise Refused("it has text in it, which Keras cannot train on") from None
    if value.value.dtype.kind not in "iufb":
        raise Refused("it has text in it, which Keras cannot train on")
    return value


def prepared(rows: Rows, loss: str | None) -> Prepared:
    """The data of a script; `loss` is a key of the losses, where it is known."""
    known = Prepared()
    for value in (rows.x, rows.y, *(rows.held_out or ())):
        if isinstance(value, Unknown):
            known.unknown = value
            return known
    if rows.x is None or rows.y is None:
        known.unknown = Unknown("fit does not get inputs and labels")
        return known
    try:
        _fill(known, rows, loss)
    except Missing as missing:
        known.unknown = missing.unknown
    except Exhausted as error:
        known.unknown = Unknown(str(error), rows.line)
    except ValueError as error:
        known.refused = str(error).rstrip(".")
    return known


def _flat(array: Array, flat: bool) -> Array:
    if array.value.ndim == 1:
        return array.then("other", lambda v: v.reshape(-1, 1))
    if array.value.ndim > 2 and flat:
        return array.then("other", lambda v: v.reshape(len(v), -1))
    return array


def _fill(known: Prepared, rows: Rows, loss: str | None) -> None:
    x, y = arrays(rows.x), arrays(rows.y)
    known.stand_in = x.stand_in
    x = _flat(x, rows.flat)
    known.rows = len(x.value)
    known.features = int(np.prod(x.value.shape[1:]))
    if len(x.value) != len(y.value):
        raise Refused(f"{len(x.value):,} rows of inputs have {len(y.value):,} labels")
    if not len(x.value):
        raise Refused("it has no rows")
    if x.value.ndim != 2:
        raise Refused(f"inputs of shape {x.value.shape} are not rows of numbers")
    for name, array in (("inputs", x), ("labels", y)):
        if not np.isfinite(array.value.astype(float)).all():
            raise Refused(f"the {name} have missing values (NaN), which Keras trains into NaN")
    xs, ys = [x], [y]
    if rows.held_out is not None:
        held_x, held_y = (arrays(value) for value in rows.held_out)
        held_x = _flat(held_x, rows.flat)
        if len(held_x.value) and held_x.value.shape[1:] == x.value.shape[1:]:
            xs.append(held_x)
            ys.append(held_y)
    ordering = _ordering(xs, ys)
    removed = ("scale", *ordering.removed)
    held_out = _held_out(rows, xs)
    raw, scaling = _scaling(xs, removed, held_out, ordering)
    labels = _labels(ys, ordering, loss)
    if len(raw) > MOST_ROWS:
        raise Refused(f"it has {len(raw):,} rows; at most {MOST_ROWS:,} can be trained on here")
    options: dict[str, Any] = {
        **scaling,
        **ordering.options,
        **labels.options,
        "hold_out": held_out,
    }
    if held_out and not ordering.whole:
        options["held_out"] = "last"
    known.data = Data(source=labels.table(raw), **options)


@dataclass
class _Ordering:
    """How the rows are ordered: the kinds of steps that `Data` has settings for.

    Attributes:
        whole: Whether those trained on and those held out are the parts of one random split.
    """

    options: dict[str, Any]
    removed: tuple[str, ...]
    whole: bool


def _ordering(xs: list[Array], ys: list[Array]) -> _Ordering:
    keys = {
        kind: [[s.key for s in array.steps if s.kind == kind] for array in (*xs, *ys)]
        for kind in SPLITS
    }
    split = keys["split"]
    # The two parts of one random split, of inputs and labels alike: all rows, in order.
    whole = len(xs) == 2 and all(len(each) == 1 for each in split)
    whole = whole and len({each[0][0] for each in split}) == 1
    whole = whole and [each[0][1] for each in split] == ["train", "test", "train", "test"]
    options: dict[str, Any] = {"shuffling": "none"}
    removed: tuple[str, ...] = ("split",) if whole else ()
    for kind, name in (("permute", "permutation"), ("shuffle-rows", "rows")):
        same = keys[kind]
        if same[0] and all(each == same[0] for each in same):
            options["shuffling"] = name
            removed = (*removed, kind)
    return _Ordering(options, removed, whole)


def _joined(arrays_: list[Array], removed: tuple[str, ...], ordering: _Ordering) -> np.ndarray:
    """All rows without the steps of these kinds, those trained on before those held out."""
    if ordering.whole:
        return arrays_[0].without(removed)
    return np.concatenate([array.without(removed) for array in arrays_])


def _held_out(rows: Rows, xs: list[Array]) -> float:
    if len(xs) == 2:
        held = len(xs[1].value)
        return held / (len(xs[0].value) + held)
    count = len(xs[0].value)
    if not rows.fraction:
        return 0.0
    if not 0 < rows.fraction < 1:
        raise Refused("validation_split is not between 0 and 1")
    return (count - int(count * (1 - rows.fraction))) / count


def _scaling(
    xs: list[Array], removed: tuple[str, ...], held_out: float, ordering: _Ordering
) -> tuple[np.ndarray, dict[str, Any]]:
    """The inputs before scaling and the settings that scale them; "none" if none of them does."""
    kept = tuple(kind for kind in removed if kind != "scale")
    final = _joined(xs, kept, ordering).astype(float)
    if any(step.kind == "scale" for array in xs for step in array.steps):
        raw = _joined(xs, removed, ordering).astype(float)
        if raw.shape == final.shape:
            # What the script trains on, with the rows of its own split.
            trained = xs[0].value.astype(float)
            before = xs[0].without(("scale",)).astype(float)
            if len(xs) == 1:
                # Those that `validation_split` holds out have no part in the scaling of `Data`.
                count = len(trained) - round(held_out * len(trained))
                before, trained = before[:count], trained[:count]
            for options in _scalings(before, trained):
                if _gives(options, before, trained):
                    return raw, options
    return final, {"scaling": "none"}


def _scalings(before: np.ndarray, trained: np.ndarray) -> list[dict[str, Any]]:
    options: list[dict[str, Any]] = [{"scaling": "standardise"}, {"scaling": "min-max"}]
    largest = np.unravel_index(np.argmax(np.abs(trained)), trained.shape)
    if trained[largest] != 0 and before[largest] / trained[largest] > 0:
        divisor = float(np.float64(f"{before[largest] / trained[largest]:.10g}"))
        options.insert(0, {"scaling": "divide", "divisor": divisor})
    return options


def _gives(options: dict[str, Any], before: np.ndarray, trained: np.ndarray) -> bool:
    """Whether the settings turn the one into the other, to about what float32 holds."""
    table = Table(inputs=np.zeros((2, 1)), labels=np.array([0, 1]))
    offset, scale = fit_scaler(Data(source=table, **options), before.astype(np.float32))
    scaled = (before - offset) / scale
    return np.allclose(scaled, trained, rtol=1e-4, atol=1e-5 * (1 + np.abs(trained).max()))


# --- labels ---------------------------------------------------------------------------------------


@dataclass
class _Labels:
    options: dict[str, Any]
    classes: np.ndarray | None = None
    targets: np.ndarray | None = None

    def table(self, inputs: np.ndarray) -> Table:
        """The table with these inputs."""
        if self.classes is not None:
            return Table(inputs, self.classes)
        return Table(inputs, targets=self.targets)


def _labels(ys: list[Array], ordering: _Ordering, loss: str | None) -> _Labels:
    final = _joined(ys, ordering.removed, ordering).astype(float)
    if final.ndim == 2 and final.shape[1] == 1:
        final = final[:, 0]
    if final.ndim == 2:
        one_hot = ((final == 0) | (final == 1)).all() and (final.sum(axis=1) == 1).all()
        if one_hot:
            return _one_hot(final, _before_encoding(ys, ordering))
        if ((final == 0) | (final == 1)).all():
            return _Labels({"label_values": (0.0, 1.0)}, final.astype(int))
    if final.ndim > 2:
        raise Refused(f"labels of shape {final.shape} cannot be trained on here")
    if final.ndim == 2 or _continuous(final, loss):
        return _targets(ys, final, ordering)
    values, classes = np.unique(final, return_inverse=True)
    if len(values) > MOST_CLASSES:
        return _targets(ys, final, ordering)
    raw = _before_encoding(ys, ordering)
    if raw is not None:
        given, places = np.unique(raw, return_inverse=True)
        indexed = np.array_equal(places, classes) and np.array_equal(values, np.arange(len(values)))
        if indexed and not np.array_equal(given, values):
            return _Labels({"encoding": "index", "label_values": given.tolist()}, classes)
    return _Labels({"encoding": "as-is", "label_values": values.tolist()}, classes)


def _targets(ys: list[Array], final: np.ndarray, ordering: _Ordering) -> _Labels:
    """Continuous targets, and the setting that scales them as the script does."""
    columns = final.reshape(len(final), -1)
    if any(step.kind == "scale" for array in ys for step in array.steps):
        raw = _joined(ys, ("scale", *ordering.removed), ordering).astype(float)
        raw = raw.reshape(len(raw), -1)
        trained = ys[0].value.astype(float).reshape(len(ys[0].value), -1)
        before = ys[0].without(("scale",)).astype(float).reshape(trained.shape)
        for options in _scalings(before, trained):
            if options["scaling"] != "min-max" and _gives(options, before, trained):
                named = {f"target_{key}": value for key, value in options.items()}
                return _Labels(named, targets=raw)
    return _Labels({}, targets=columns)


def _continuous(labels: np.ndarray, loss: str | None) -> bool:
    entry = LOSSES.get(loss or "")
    if entry is not None and entry.cross_entropy:
        return False
    different = np.unique(labels)
    fractions = (different != np.rint(different)).any()
    return bool(fractions and len(different) > 2) or len(different) > FEW_CLASSES


def _before_encoding(ys: list[Array], ordering: _Ordering) -> np.ndarray | None:
    """Numeric labels before they were encoded, or None where they were not."""
    if not any(step.kind == "encode" for array in ys for step in array.steps):
        return None
    # Steps after the encoding, such as a choice of columns, may not fit the labels before it.
    try:
        raw = _joined(ys, ("encode", *ordering.removed), ordering)
    except (ValueError, IndexError):
        return None
    if raw.ndim == 2 and raw.shape[1] == 1:
        raw = raw[:, 0]
    return raw.astype(float) if raw.ndim == 1 and raw.dtype.kind in "iufb" else None


def _one_hot(final: np.ndarray, raw: np.ndarray | None) -> _Labels:
    classes, width = final.argmax(axis=1), final.shape[1]
    if raw is not None:
        given, places = np.unique(raw, return_inverse=True)
        if len(given) == width and np.array_equal(places, classes):
            return _Labels({"encoding": "one-hot", "label_values": given.tolist()}, classes)
    if classes.max() + 1 != width:
        raise Refused("a column of the one-hot labels has no rows")
    values = [float(k) for k in range(width)]
    return _Labels({"encoding": "one-hot", "label_values": values}, classes)
