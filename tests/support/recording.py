"""What a script trains, recorded by running it with a `fit` that trains nothing.

    python -m support.recording tests/scripts/xor_literals.py ...    # writes the JSON beside each

Only our own scripts are run here; the app never runs one.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import MagicMock

import numpy as np


def array_record(array) -> dict:
    """Shape, first and last row, and sums of an array, which tell it from others."""
    values = np.asarray(array, dtype=np.float32)
    flat = values.reshape(len(values), -1).astype(float)
    weights = np.cos(np.arange(flat.size)).reshape(flat.shape)
    return {
        "shape": [len(flat), flat.shape[1]],
        "first": flat[0, :5].tolist(),
        "last": flat[-1, :5].tolist(),
        "sum": float(flat.sum()),
        "checksum": float((flat * weights).sum()),
    }


def _named(value) -> str:
    name = getattr(value, "__name__", None) or type(value).__name__
    return {"BinaryCrossentropy": "binary_crossentropy"}.get(name, name)


def _layer(layer) -> dict:
    config = layer.get_config()
    record = {"class": type(layer).__name__}
    for key in ("units", "rate", "activation", "use_bias", "negative_slope"):
        if key in config and isinstance(config[key], (int, float, str, bool)):
            record[key] = config[key]
    for key in ("kernel_initializer", "kernel_regularizer"):
        if isinstance(config.get(key), dict):
            record[key] = config[key]["class_name"]
    return record


def record(source: str) -> dict:
    """What a script trains, by running it."""
    import keras

    found: dict = {}
    trained: list = []

    def compile_(self, optimizer="rmsprop", loss=None, loss_weights=None, metrics=None, **rest):
        chosen = keras.optimizers.get(optimizer)
        config = chosen.get_config()
        kept = {k: v for k, v in config.items() if isinstance(v, (int, float, bool))}
        found["optimizer"] = {"class": type(chosen).__name__, **kept}
        if isinstance(config["learning_rate"], dict):
            found["optimizer"]["schedule"] = config["learning_rate"]["class_name"]
        found["loss"] = keras.losses.get(loss).__name__ if isinstance(loss, str) else loss.name
        found["from_logits"] = bool(getattr(loss, "_fn_kwargs", {}).get("from_logits", False))
        self.optimizer = chosen

    def fit(self, x=None, y=None, batch_size=None, epochs=1, verbose="auto", **options):
        if not self.built:
            self.build(np.shape(x if np.ndim(x) > 1 else np.reshape(x, (-1, 1))))
        found["layers"] = [_layer(layer) for layer in self.layers if layer.name[:5] != "input"]
        found["batch_size"] = batch_size or 32
        # Of several models the last is what counts.
        found["epochs"] = (found["epochs"] if trained == [self] else 0) + epochs
        trained[:] = [self]
        found["shuffle"] = options.get("shuffle", True)
        found["weights"] = [list(w.shape) for w in self.weights]
        found["x"], found["y"] = array_record(x), array_record(y)
        held = options.get("validation_data")
        if held is not None:
            found["held_out"] = {"x": array_record(held[0]), "y": array_record(held[1])}
        found["validation_split"] = options.get("validation_split", 0.0)
        found["class_weight"] = {str(k): v for k, v in (options.get("class_weight") or {}).items()}
        found["callbacks"] = [type(c).__name__ for c in options.get("callbacks", [])]
        return SimpleNamespace(history=MagicMock(), epoch=[])

    saved = keras.Model.compile, keras.Model.fit, keras.Model.evaluate, keras.Model.predict
    keras.Model.compile, keras.Model.fit = compile_, fit
    keras.Sequential.compile, keras.Sequential.fit = compile_, fit
    keras.Model.evaluate = lambda self, *a, **k: (0.0, 0.0)
    keras.Model.predict = lambda self, x, *a, **k: np.zeros((len(x), 1))
    sys.modules.setdefault("matplotlib", MagicMock())
    sys.modules.setdefault("matplotlib.pyplot", MagicMock())
    try:
        exec(compile(source, "script", "exec"), {"__name__": "__main__"})
    finally:
        keras.Model.compile, keras.Model.fit, keras.Model.evaluate, keras.Model.predict = saved
        del keras.Sequential.compile, keras.Sequential.fit
    return found


def main(paths: list[str]) -> None:
    for path in map(Path, paths):
        try:
            truth = record(path.read_text())
        except Exception as error:
            print(f"{path.name}: {type(error).__name__}: {error}", file=sys.stderr)
            continue
        path.with_suffix(".json").write_text(json.dumps(truth, indent=1) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
