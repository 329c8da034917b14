"""The scripts in tests/scripts with what they train, and a reading compared with that."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from core.data import prepare
from core.losses import LOSSES
from core.script.names import known_name, snake
from support.recording import array_record

FOLDER = Path(__file__).parent.parent / "scripts"
PATHS = sorted(path for path in FOLDER.iterdir() if path.suffix in (".py", ".txt", ".ipynb"))
RENAMED = {"lr": "learning_rate"}


def truth_of(path: Path) -> dict[str, Any]:
    """What a script trains."""
    return json.loads(path.with_suffix(".json").read_text())


def _layers(truth: dict[str, Any]) -> list[dict[str, Any]]:
    """The layers but the input."""
    return [layer for layer in truth["layers"] if layer["class"] != "InputLayer"]


def _value(layer: Any, name: str) -> Any:
    options = {type(layer).keras_arguments.get(k, k): v for k, v in vars(layer).items()}
    value = options.get(name, "absent")
    if value is None and name.endswith("regularizer"):
        return "absent"
    value = value if isinstance(value, (int, float, str, bool)) else type(value).__name__
    return snake(value) if isinstance(value, str) else value


def fields_of(reading: Any, truth: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Every field of the truth, with what the reading has for it; None where it has nothing."""
    fields: dict[str, tuple[Any, Any]] = {}
    expected = _layers(truth)
    read = reading.model.layers if reading.model else None
    fields["layers"] = (len(expected), None if read is None else len(read))
    for index, layer in enumerate(expected):
        own = read[index] if read is not None and index < len(read) else None
        for name, value in layer.items():
            got = (
                None
                if own is None
                else type(own).keras_name
                if name == "class"
                else _value(own, name)
            )
            if name == "use_bias" and value is True and got in ("absent", True):
                got = True
            wanted = snake(value) if isinstance(value, str) and name != "class" else value
            fields[f"layer {index} {name}"] = (wanted, got)
    training = reading.training
    for name in ("batch_size", "epochs", "shuffle"):
        fields[name] = (truth[name], getattr(training, name, None))
    fields["loss"] = (
        known_name(truth["loss"], LOSSES) or truth["loss"],
        getattr(training, "loss", None),
    )
    if truth.get("from_logits"):
        fields["from_logits"] = (True, getattr(training, "from_logits", None))
    optimizer = getattr(training, "optimizer", None)
    for name, value in truth["optimizer"].items():
        if name == "class":
            fields["optimizer"] = (value, getattr(optimizer, "keras_name", None))
        elif hasattr(optimizer, name) or name == "learning_rate":
            got = getattr(optimizer, name, None)
            plain = got is None or isinstance(got, (int, float))
            fields[f"optimizer {name}"] = (value, got if plain else type(got).__name__)
    fields |= _data(reading, truth)
    return fields


def _data(reading: Any, truth: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    data = reading.data
    shape, labels = truth["x"]["shape"], truth["y"]["shape"]
    if data is None:
        names = ("rows", "features", "label columns", "x", "y")
        return dict.fromkeys(names, ("known", None))
    rows = prepare(data, 0, 0)
    held = truth["validation_split"] * shape[0]
    trained = shape[0] - round(held) if "held_out" not in truth else shape[0]
    fields: dict[str, tuple[Any, Any]] = {
        "rows": (trained, len(rows.x)),
        "features": (shape[1], rows.x.shape[1]),
        "label columns": (labels[1], rows.y.shape[1]),
    }
    if "held_out" in truth:
        fields["held-out rows"] = (truth["held_out"]["x"]["shape"][0], len(rows.held_out_x))
    if not truth.get("unseeded"):
        x, y = rows.x, rows.y
        if held:
            x, y = np.concatenate([x, rows.held_out_x]), np.concatenate([y, rows.held_out_y])
        fields["x"] = ("same", _same(array_record(x), truth["x"]))
        fields["y"] = ("same", _same(array_record(y), truth["y"]))
    return fields


def _same(record: dict[str, Any], expected: dict[str, Any]) -> str:
    scale = 1e-4 * (abs(expected["sum"]) + expected["shape"][0])
    for name, value in expected.items():
        if not np.allclose(
            record[name], value, rtol=1e-4, atol=scale if name[-3:] == "sum" else 1e-4
        ):
            return f"{name} {record[name]} instead of {value}"
    return "same"


def agrees(expected: Any, got: Any) -> bool:
    """Whether a field was read right."""
    if isinstance(expected, float) and isinstance(got, (int, float)):
        return bool(np.isclose(expected, got, rtol=1e-5))
    return expected == got
