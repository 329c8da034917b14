"""Reading a network that Keras saved: `model.save("model.keras")`.

Only the description of the layers and of `compile` is read, never weights, and nothing of it is
executed.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from typing import Any

import numpy as np

from core.script.execute import Interpreter
from core.script.normalise import Normalised
from core.script.reading import Reader, Reading, Upload, uploaded
from core.script.uploads import LARGEST, BadUpload
from core.script.values import NOWHERE, KerasCall, ModelValue, Unknown, Used

LARGEST_CONFIG = 2_000_000
"""Bytes of the description."""


def read_saved(
    content: bytes, table: Upload | None = None, answers: Mapping[str, Any] | None = None
) -> Reading:
    """Read a network that Keras saved.

    Args:
        content: Of a `.keras` file.
        table: Its rows: arrays named x and y, as `numpy.savez` saves them, or a table.
        answers: To the questions of an earlier reading, by their keys.

    Returns:
        The reading; it has no lines, as there is no script.

    Raises:
        BadUpload: If it is no such file.
    """
    script = Interpreter(uploaded(table))
    script.models.append(_model(_config(content)))
    return Reader(Normalised([]), script, dict(answers or {})).reading()


def _config(content: bytes) -> dict[str, Any]:
    """The description in a `.keras` file."""
    if len(content) > LARGEST:
        raise BadUpload(f"the file has {len(content):,} bytes; at most {LARGEST:,} are read")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive, archive.open("config.json") as file:
            text = file.read(LARGEST_CONFIG + 1)
        if len(text) > LARGEST_CONFIG:
            raise BadUpload("its description is too large")
        config = json.loads(text)
    except BadUpload:
        raise
    except (ValueError, KeyError, OSError, zipfile.BadZipFile, RecursionError) as error:
        raise BadUpload(f"it is no file of model.save: {str(error)[:100]}") from None
    if not isinstance(config, dict) or not isinstance(config.get("config"), dict):
        raise BadUpload("its description is not that of a model")
    return config


def _model(config: dict[str, Any]) -> ModelValue:
    model = ModelValue("list", NOWHERE)
    layers = config["config"].get("layers")
    if not isinstance(layers, list):
        name = str(config.get("class_name"))[:60]
        model.unknown = Unknown(f"{name} does not say its layers")
        layers = []
    for layer in layers:
        if not isinstance(layer, dict) or not isinstance(layer.get("config"), dict):
            raise BadUpload("its description has a layer that is none")
        if layer.get("class_name") == "InputLayer":
            shape = layer["config"].get("batch_shape")
            model.shape = tuple(shape[1:]) if isinstance(shape, list) else None
            continue
        nodes = layer.get("inbound_nodes") or []
        if len(nodes) > 1 or json.dumps(nodes).count("keras_history") > 1:
            model.unknown = Unknown("its layers are no chain")
        model.layers.append((_call(layer), NOWHERE))
    compiled = config.get("compile_config")
    if isinstance(compiled, dict):
        options = {name: _value(compiled.get(name)) for name in ("optimizer", "loss", "metrics")}
        model.compiled = Used([], options, NOWHERE)
    return model


def _call(described: dict[str, Any]) -> KerasCall:
    options = {str(k): _value(v) for k, v in described["config"].items()}
    registered = described.get("registered_name") or ""
    path = f"custom.{registered}" if ">" in registered else "keras"
    return KerasCall(str(described.get("class_name")), [], options, NOWHERE, path)


def _value(value: Any) -> Any:
    """A value of the description; objects are calls of their classes."""
    if isinstance(value, dict) and "class_name" in value:
        inner = value.get("config")
        return _call({**value, "config": inner if isinstance(inner, dict) else {}})
    if isinstance(value, dict) and "builtin" in value.get("module", ""):
        return value.get("config")
    if isinstance(value, float):
        # Keras keeps rates in float32: 0.001 is saved as 0.0010000000474974513.
        return float(np.format_float_scientific(np.float32(value)))
    if isinstance(value, list):
        return [_value(each) for each in value]
    return value
