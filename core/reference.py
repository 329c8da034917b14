"""Training one run of an experiment with plain Keras: `compile`, `fit` and `evaluate`."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np

from core.callbacks import EarlyStopping
from core.data import prepare
from core.engine import keras_models
from core.experiment import Experiment
from core.history import CURVES, Epoch, History, at
from core.training import layer_seeds

EVALUATED = 1_000
"""Batch size of the evaluation; it is faster than with Keras's default of 32."""


def fit(
    experiment: Experiment,
    seed: int = 0,
    on_epoch: Callable[[Epoch], object] | None = None,
    should_stop: Callable[[], bool] | None = None,
    run: int = 0,
) -> History:
    """Train one run with `model.fit`.

    Data and initial weights are those of the same run of `core.training.train`. The order of the
    batches and the dropout masks are Keras's own; without both, the results agree.

    Args:
        experiment: To be trained.
        seed: Of the run.
        on_epoch: Called after each epoch.
        should_stop: Called after each batch; the training stops when it returns true.
        run: Index of the run.

    Returns:
        A history of one run without `health`, whose key epochs are 0 and the last.
    """
    keras.utils.set_random_seed(seed)
    training, rows = experiment.training, prepare(experiment.data, seed, run)
    model = _compiled(experiment, seed, run)
    held_out = (rows.held_out_x, rows.held_out_y) if len(rows.held_out_x) else None
    initial = model.get_weights()
    report = _Report(rows, training.epochs, on_epoch, should_stop)
    callbacks = {type(each): keras_models.keras_callback(each) for each in training.callbacks}
    started = time.perf_counter()
    metrics = model.fit(
        rows.x,
        rows.y,
        batch_size=training.batch_size,
        epochs=training.epochs,
        shuffle=training.shuffle,
        validation_data=held_out,
        class_weight=class_weight(experiment),
        callbacks=[*callbacks.values(), report],
        verbose=0,
    ).history
    seconds = time.perf_counter() - started - report.seconds
    columns = {
        name: np.array(values, np.float32)[:, None]
        for name, values in {**_scored(metrics), **report.evaluated}.items()
    }
    curves: dict[str, Any] = {name: columns.get(name) for name in CURVES}
    part = "val" if held_out else "evaluated"
    stopping = callbacks.get(EarlyStopping)
    ended = None
    if stopping is not None and stopping.best_weights is not None:
        ended = np.array([stopping.best_epoch + 1])
    final = [np.stack(pair)[..., None] for pair in zip(initial, model.get_weights(), strict=True)]
    return History(
        experiment=experiment,
        seed=seed,
        **curves,
        health=None,
        final_loss=at(columns[f"{part}_loss"], ended),
        final_score=at(columns[f"{part}_score"], ended),
        key_epochs=np.array([0, len(columns["loss"])]),
        weights=tuple(final),
        final_epochs=ended,
        cancelled=report.cancelled and len(columns["loss"]) < training.epochs,
        seconds=seconds,
        compile_seconds=0.0,
        first=run,
    )


def class_weight(experiment: Experiment) -> dict[int, float] | None:
    """Keras's argument of `fit`: the weight of each label."""
    weights = experiment.training.class_weight
    if not weights:
        return None
    return {int(t): w for t, w in zip(experiment.data.targets, weights, strict=True)}


def accepts(experiment: Experiment, runs: int, seed: int = 0, first: int = 0) -> np.ndarray:
    """Whether `model.fit` trains an epoch on each run's data without raising an exception.

    Returns:
        bool (runs,), of run `first` and those after it.
    """
    model = _compiled(experiment, seed, 0)
    accepted = np.ones(runs, bool)
    for run in range(runs):
        rows = prepare(experiment.data, seed, first + run)
        try:
            model.fit(rows.x, rows.y, batch_size=experiment.training.batch_size, verbose=0)
        # Any exception means that Keras does not accept the data.
        except Exception:
            accepted[run] = False
    return accepted


def _compiled(experiment: Experiment, seed: int, run: int) -> keras.Model:
    training = experiment.training
    model = keras_models.keras_model(experiment, layer_seeds(experiment, seed, run))
    model.compile(
        loss=keras_models.keras_loss(experiment),
        optimizer=keras_models.keras_optimizer(experiment, training.optimizer.learning_rate),
        metrics=[_metric(experiment)],
    )
    return model


def _metric(experiment: Experiment) -> str | keras.metrics.Metric:
    """Keras's metric that is the score."""
    metric = experiment.task.metric
    return _R2Score(name=metric) if metric == "r2_score" else metric


class _R2Score(keras.metrics.R2Score):
    """With one output for several targets compared with each of them, as losses do."""

    def update_state(self, y_true, y_pred, sample_weight=None):
        y_pred = keras.ops.broadcast_to(y_pred, keras.ops.shape(y_true))
        super().update_state(y_true, y_pred, sample_weight)


def _scored(figures: Mapping[str, Any]) -> dict[str, Any]:
    """Keras's figures by the names of CURVES: but for the loss, the score.

    Keras adds the learning rate to them where a callback lowers it.
    """
    return {
        name if name.endswith("loss") else f"{'val_' * name.startswith('val_')}score": value
        for name, value in figures.items()
        if name != "learning_rate"
    }


class _Report(keras.callbacks.Callback):
    """Evaluates the training rows after each epoch and reports the epoch's figures.

    Attributes:
        evaluated: Loss and score on the training rows after each epoch.
        seconds: Time that evaluations and reports took, which is not part of the training.
        cancelled: Whether `should_stop` ended the training.
    """

    def __init__(self, rows, epochs, on_epoch, should_stop):
        super().__init__()
        self.rows, self.epochs = rows, epochs
        self.on_epoch, self.should_stop = on_epoch, should_stop
        self.evaluated = {"evaluated_loss": [], "evaluated_score": []}
        self.seconds, self.cancelled = 0.0, False

    def on_train_batch_end(self, batch, logs=None):
        # An epoch of plain Keras can take many seconds, so a stop must not wait for its end.
        if self.should_stop is not None and self.should_stop():
            self.model.stop_training = self.cancelled = True

    def on_epoch_end(self, epoch, logs=None):
        started = time.perf_counter()
        x, y = self.rows.x, self.rows.y
        values = self.model.evaluate(x, y, batch_size=EVALUATED, verbose=0)
        evaluated = dict(zip(self.evaluated, values, strict=True))
        for name, value in evaluated.items():
            self.evaluated[name].append(value)
        if self.on_epoch is not None:
            figures = {**_scored(logs), **evaluated}
            figures = {n: np.array([figures[n]], np.float32) for n in CURVES if n in figures}
            self.on_epoch(Epoch(epoch + 1, self.epochs, **dict.fromkeys(CURVES) | figures))
        self.seconds += time.perf_counter() - started
