"""One epoch of a stack of runs as one compiled program, and the programs kept for reuse."""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from concurrent.futures import Future

import keras
import numpy as np
import tensorflow as tf

from core.activations import activation
from core.engine import keras_models, layouts
from core.engine.grouping import structure
from core.experiment import Experiment
from core.losses import loss

KEPT = 24
"""Compiled programs kept for reuse; the one used longest ago goes first."""

_kept: OrderedDict[tuple, Future[Program]] = OrderedDict()
_guard = threading.Lock()


def program(experiment: Experiment, lanes: int) -> Program:
    """The program for the structure of this experiment and this many lanes, made where not kept.

    Any thread may ask. Programs of different structures are compiled at the same time; who asks for
    one that is being compiled waits for it.
    """
    key = (structure(experiment), lanes)
    with _guard:
        found = _kept.get(key)
        made = _kept.setdefault(key, Future())
        _kept.move_to_end(key)
        while len(_kept) > KEPT:
            _kept.popitem(last=False)
    if found is None:
        try:
            made.set_result(Program(experiment, lanes))
        except BaseException as error:
            made.set_exception(error)
            with _guard:
                if _kept.get(key) is made:
                    del _kept[key]
    return made.result()


class _RatePerRun(keras.optimizers.schedules.LearningRateSchedule):
    """A learning rate (lanes,), which broadcasts along the last axis of every stacked variable."""

    def __init__(self, lanes: int):
        self.rates = tf.Variable(tf.zeros(lanes))

    def __call__(self, step):
        return self.rates.value()


class Program:
    """The stacked variables of `lanes` runs and the compiled call that trains them an epoch."""

    def __init__(self, experiment: Experiment, lanes: int):
        self.experiment, self.lanes = experiment, lanes
        data = experiment.data
        slots = layouts.slots(experiment.model, data.source.features)
        self.variables = [keras.Variable(tf.zeros((*slot.shape, lanes))) for slot in slots]
        self.trained = [v for v, slot in zip(self.variables, slots, strict=True) if slot.trained]
        self.kernels = [i for i, v in enumerate(self.trained) if len(v.shape) == 3]
        self.rate = _RatePerRun(lanes)
        self.optimizer = keras_models.keras_optimizer(experiment, self.rate)
        self.optimizer.build(self.trained)
        self.memory = [variable.numpy() for variable in self.optimizer.variables]
        self.loss = keras.losses.get(experiment.training.loss)
        self.accuracy = _accuracy(experiment)
        features, width = data.source.features, data.target_width

        def stacked(rows, columns):
            return tf.zeros((rows, columns, lanes))

        arrays = [stacked(data.training_rows, features), stacked(data.training_rows, width)]
        arrays += [stacked(data.held_out_rows, features), stacked(data.held_out_rows, width)]
        order = tf.zeros(data.training_rows, tf.int32)
        self.batch_size = min(experiment.training.batch_size, data.training_rows)
        self.steps = -(-data.training_rows // self.batch_size)
        self._compiled = tf.function(self._epoch, jit_compile=True, autograph=False)
        # A call that takes no step compiles the program, and leaves the variables as they are.
        self._compiled(*arrays, order, tf.zeros(lanes, tf.uint32), tf.constant(0))

    def epoch(self, arrays: list[tf.Tensor], order: np.ndarray, dropout_keys: np.ndarray) -> dict:
        """Train for one epoch, then evaluate.

        arrays: x, y, held_out_x, held_out_y, float32 (rows, columns, lanes).
        order: int32 (training rows,); dropout_keys: uint32 (lanes,), different every epoch.
        Returns float32 figures: those of `core.history.CURVES` of (lanes,), val_loss and
        val_accuracy with held-out rows only; those of `core.history.Health` of
        (dense layers, lanes).
        """
        figures = self._compiled(
            *arrays, tf.constant(order), tf.constant(dropout_keys), tf.constant(self.steps)
        )
        return {name: figure.numpy() for name, figure in figures.items()}

    def reset(self, weights: list[np.ndarray], learning_rates: np.ndarray) -> None:
        """Set the variables, (*shape, lanes) each, and the rates, (lanes,), for new runs."""
        for variable, value in zip(self.variables, weights, strict=True):
            variable.assign(value)
        for variable, value in zip(self.optimizer.variables, self.memory, strict=True):
            variable.assign(value)
        self.rate.rates.assign(learning_rates)

    def weights(self) -> list[np.ndarray]:
        return [variable.numpy() for variable in self.variables]

    # --- traced once, then compiled ---

    def _epoch(self, x, y, held_out_x, held_out_y, order, dropout_keys, steps):
        rows, size = x.shape[0], self.batch_size
        full = self.steps * size == rows
        order = tf.pad(order, [[0, self.steps * size - rows]])
        layers = self.experiment.model.layers

        def step(number, totals):
            places = number * size + tf.range(size)
            batch = tf.gather(order, places)
            batch_x, batch_y = tf.gather(x, batch), tf.gather(y, batch)
            counts = tf.ones((size, 1)) if full else _counts(places < rows)
            keys = dropout_keys + tf.cast(number, tf.uint32) * tf.constant(0xC2B2AE35, tf.uint32)
            before = [tf.identity(self.trained[i].value) for i in self.kernels]
            with tf.GradientTape() as tape:
                out = layouts.forward(layers, self.variables, batch_x, counts, keys)[-1]
                losses, hits = self._judged(batch_y, out)
                mean = tf.reduce_sum(losses * counts, 0) / tf.reduce_sum(counts)
            gradients = tape.gradient(mean, [variable.value for variable in self.trained])
            # Once a loss is not a number, Keras's weights are not either; XLA can lose sight of it.
            lost = tf.where(tf.math.is_nan(mean), mean, 0.0)
            gradients = [gradient + lost for gradient in gradients]
            self.optimizer.apply(gradients, self.trained)
            slopes = [_square_sum(gradients[i]) for i in self.kernels]
            changes = [
                _square_sum(self.trained[i].value - old)
                for i, old in zip(self.kernels, before, strict=True)
            ]
            found = {
                "loss": tf.reduce_sum(losses * counts, 0),
                "accuracy": tf.reduce_sum(hits * counts, 0),
                "slopes": tf.stack(slopes),
                "changes": tf.stack(changes),
            }
            return number + 1, {name: total + found[name] for name, total in totals.items()}

        none, none_each = tf.zeros(self.lanes), tf.zeros((len(self.kernels), self.lanes))
        totals = {"loss": none, "accuracy": none, "slopes": none_each, "changes": none_each}
        _, totals = tf.while_loop(lambda number, _: number < steps, step, (0, totals))
        norms = tf.stack([tf.sqrt(_square_sum(self.trained[i].value)) for i in self.kernels])
        figures = {
            "loss": totals["loss"] / rows,
            "accuracy": totals["accuracy"] / rows,
            "gradient_norm": tf.sqrt(totals["slopes"] / self.steps),
            "update_ratio": tf.sqrt(totals["changes"] / self.steps) / norms,
            **self._evaluated(x, y),
        }
        if held_out_x.shape[0]:
            held_out = self._evaluated(held_out_x, held_out_y)
            figures |= {f"val_{k}": held_out[f"evaluated_{k}"] for k in ("loss", "accuracy")}
        return figures

    def _evaluated(self, x, y):
        """Loss, accuracy and what the layers put out over all rows, with nothing trained."""
        rows, dense = x.shape[0], self.experiment.model.dense
        size = min(rows, max(2**15 // self.lanes, 16))

        def step(start, seen):
            # The last slice starts early enough to be full; its rows seen before do not count.
            place = tf.minimum(start, rows - size)
            counts = _counts(place + tf.range(size) >= start)
            # tf.slice with a constant size: XLA pads a slice of unknown size to the whole array.
            slice_x, slice_y = (tf.slice(a, (place, 0, 0), (size, *a.shape[1:])) for a in (x, y))
            *outputs, out = layouts.forward(self.experiment.model.layers, self.variables, slice_x)
            losses, hits = self._judged(slice_y, out)
            outputs.append(tf.transpose(out, (0, 2, 1)))
            free = [_free(d.activation, o) for d, o in zip(dense, outputs, strict=True)]
            return start + size, {
                "loss": seen["loss"] + tf.reduce_sum(losses * counts, 0),
                "accuracy": seen["accuracy"] + tf.reduce_sum(hits * counts, 0),
                "low": extreme(tf.minimum, seen["low"], tf.reduce_min, outputs),
                "high": extreme(tf.maximum, seen["high"], tf.reduce_max, outputs),
                "free": extreme(tf.maximum, seen["free"], tf.reduce_max, free),
            }

        def extreme(pick, so_far, reduce, outputs):
            return [pick(a, reduce(o, 0)) for a, o in zip(so_far, outputs, strict=True)]

        def each_unit(value):
            return [tf.fill((layer.units, self.lanes), value) for layer in dense]

        none = tf.zeros(self.lanes)
        seen = {"loss": none, "accuracy": none}
        seen |= {"low": each_unit(np.inf), "high": each_unit(-np.inf), "free": each_unit(0.0)}
        _, seen = tf.while_loop(lambda start, _: start < rows, step, (0, seen))
        ends = zip(seen["low"], seen["high"], strict=True)
        dead = [tf.cast((low == 0) & (high == 0), tf.float32) for low, high in ends]
        return {
            "evaluated_loss": seen["loss"] / rows,
            "evaluated_accuracy": seen["accuracy"] / rows,
            "dead": tf.stack([tf.reduce_mean(d, 0) for d in dead]),
            "saturated": tf.stack([1 - tf.reduce_mean(f, 0) for f in seen["free"]]),
            "output_min": tf.stack([tf.reduce_min(a, 0) for a in seen["low"]]),
            "output_max": tf.stack([tf.reduce_max(b, 0) for b in seen["high"]]),
        }

    def _judged(self, y, out):
        """Loss and whether the decision is right, (batch, lanes) each, as Keras judges them."""
        y = tf.transpose(y, (0, 2, 1))
        hits = tf.cast(self.accuracy(y, out), tf.float32)
        if self.experiment.model.output.units == 1:
            hits = tf.reduce_mean(hits, axis=-1)
        if loss(self.experiment.training.loss).class_numbers:
            y = y[..., 0]
        return self.loss(y, out), hits


def _counts(rows):
    """bool (rows,) as float32 (rows, 1), to weigh (rows, lanes)."""
    return tf.cast(rows, tf.float32)[:, None]


def _square_sum(kernel):
    return tf.reduce_sum(tf.square(kernel), axis=(0, 1))


def _free(name, output):
    """1 where an output is not near a bound of its activation's range, else 0."""
    low, high = activation(name).unsaturated
    if math.isinf(low):
        return tf.ones_like(output)
    return tf.cast((output > low) & (output < high), tf.float32)


def _accuracy(experiment: Experiment):
    """The metric that Keras takes for "accuracy", by the shapes of labels and output."""
    if experiment.model.output.units == 1:
        return keras.metrics.binary_accuracy
    if experiment.data.target_width == 1:
        return keras.metrics.sparse_categorical_accuracy
    return keras.metrics.categorical_accuracy
