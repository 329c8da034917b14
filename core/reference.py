"""The same experiment through plain Keras: `compile`, `fit`, `evaluate`, one run."""

from __future__ import annotations

import time
from collections.abc import Callable

import keras
import numpy as np

from core import models
from core.data import prepare
from core.experiment import Experiment
from core.history import Epoch, History
from core.training import layer_seeds


def fit(
    experiment: Experiment,
    seed: int = 0,
    on_epoch: Callable[[Epoch], object] | None = None,
    should_stop: Callable[[], bool] | None = None,
    run: int = 0,
) -> History:
    """Train run `run` of the seed with `model.fit`.

    Data and initial weights are those of the same run of `core.training.train`. The order of the
    batches and dropout are Keras's own; with `shuffle` off and no dropout, both train alike.
    """
    keras.utils.set_random_seed(seed)
    training, rows = experiment.training, prepare(experiment.data, seed, run)
    model = _compiled(experiment, seed, run)
    held_out = (rows.held_out_x, rows.held_out_y) if len(rows.held_out_x) else None
    initial = model.get_weights()
    report = _Report(training.epochs, on_epoch, should_stop)
    started = time.perf_counter()
    past = model.fit(
        rows.x,
        rows.y,
        batch_size=training.batch_size,
        epochs=training.epochs,
        shuffle=training.shuffle,
        validation_data=held_out,
        callbacks=[report],
        verbose=0,
    ).history
    seconds = time.perf_counter() - started
    loss, accuracy = model.evaluate(*(held_out or (rows.x, rows.y)), verbose=0)
    columns = {name: np.array(values, np.float32)[:, None] for name, values in past.items()}
    final = [np.stack(pair)[..., None] for pair in zip(initial, model.get_weights(), strict=True)]
    return History(
        experiment=experiment,
        seed=seed,
        loss=columns["loss"],
        accuracy=columns["accuracy"],
        val_loss=columns.get("val_loss"),
        val_accuracy=columns.get("val_accuracy"),
        health=None,
        final_loss=np.array([loss], np.float32),
        final_accuracy=np.array([accuracy], np.float32),
        key_epochs=np.array([0, len(columns["loss"])]),
        weights=tuple(final),
        cancelled=len(columns["loss"]) < training.epochs,
        seconds=seconds,
        compile_seconds=0.0,
    )


def accepts(experiment: Experiment, runs: int, seed: int = 0) -> np.ndarray:
    """bool (runs,): `model.fit` trains an epoch on the run's rows and labels without an error."""
    model = _compiled(experiment, seed, 0)
    accepted = np.ones(runs, bool)
    for run in range(runs):
        rows = prepare(experiment.data, seed, run)
        try:
            model.fit(rows.x, rows.y, batch_size=experiment.training.batch_size, verbose=0)
        # Whatever Keras raises is the answer to the question.
        except Exception:
            accepted[run] = False
    return accepted


def _compiled(experiment: Experiment, seed: int, run: int) -> keras.Model:
    training = experiment.training
    model = models.keras_model(experiment, layer_seeds(experiment, seed, run))
    model.compile(
        loss=training.loss,
        optimizer=models.keras_optimizer(experiment, training.optimizer.learning_rate),
        metrics=["accuracy"],
    )
    return model


class _Report(keras.callbacks.Callback):
    def __init__(self, epochs, on_epoch, should_stop):
        super().__init__()
        self.epochs, self.on_epoch, self.should_stop = epochs, on_epoch, should_stop

    def on_train_batch_end(self, batch, logs=None):
        # An epoch of plain Keras can take many seconds, so it is asked within the epoch too.
        if self.should_stop is not None and self.should_stop():
            self.model.stop_training = True

    def on_epoch_end(self, epoch, logs=None):
        if self.on_epoch is not None:
            names = ("loss", "accuracy", "val_loss", "val_accuracy")
            figures = (np.array([logs[n]], np.float32) if n in logs else None for n in names)
            self.on_epoch(Epoch(epoch + 1, self.epochs, *figures))
