"""One epoch of a stack of runs as one compiled program, and the programs kept for reuse."""

from __future__ import annotations

import threading
from collections import OrderedDict
from concurrent.futures import Future
from functools import partial

import keras
import numpy as np
import tensorflow as tf

from core.activations import Activation
from core.engine import keras_models, layouts
from core.engine.grouping import structure
from core.engine.layouts import Layout, layout_for
from core.engine.rows import Rows, empty_rows
from core.engine.weights import Weights
from core.experiment import Experiment
from core.losses import loss
from core.optimizers import CLIPPING
from core.schedules import Schedule

KEPT = 24
"""Compiled programs kept for reuse; the one used longest ago goes first."""

_kept: OrderedDict[tuple, Future[Program]] = OrderedDict()
_guard = threading.Lock()


def program(experiment: Experiment, lanes: int, whole: int | None = None) -> Program:
    """The program for the structure of this experiment and this many lanes, made where not kept.

    `whole` is the number of lanes of the stack that these are a part of, if they are one.

    Any thread may ask. Programs of different structures are compiled at the same time; who asks for
    one that is being compiled waits for it.
    """
    key = (structure(experiment), lanes, whole or lanes)
    with _guard:
        found = _kept.get(key)
        made = _kept.setdefault(key, Future())
        _kept.move_to_end(key)
        while len(_kept) > KEPT:
            _kept.popitem(last=False)
    if found is None:
        try:
            made.set_result(Program(experiment, lanes, whole))
        except BaseException as error:
            made.set_exception(error)
            with _guard:
                if _kept.get(key) is made:
                    del _kept[key]
    return made.result()


class _RatePerRun(keras.optimizers.schedules.LearningRateSchedule):
    """A learning rate a run, which broadcasts along the runs of every stacked variable.

    Args:
        layout: Of the variables.
        lanes: Number of runs.
        schedule: What multiplies the rates of all runs; None for nothing.
    """

    def __init__(self, layout: type[Layout], lanes: int, schedule: Schedule | None):
        self.rates = tf.Variable(tf.zeros(layout.unit_shape(1, lanes)))
        self.factor = None if schedule is None else keras_models.keras_schedule(schedule, 1.0)

    def __call__(self, step):
        rates = self.rates.value()
        return rates if self.factor is None else rates * self.factor(step)


class Program:
    """The stacked variables of `lanes` runs and the compiled call that trains them an epoch.

    Rows are evaluated in blocks of a size for `whole` lanes, so that a part of a stack adds up its
    losses in the same order as all of it.
    """

    def __init__(self, experiment: Experiment, lanes: int, whole: int | None = None):
        self.experiment, self.lanes, self.whole = experiment, lanes, whole or lanes
        self.layout = layout_for(experiment)
        data = experiment.data
        slots = layouts.slots(experiment.model, data.source.features)
        self.weights = Weights(self.layout, slots, lanes)
        trained = self.weights.trained_slots
        self.kernels = [i for i, slot in enumerate(trained) if len(slot.shape) == 2]
        optimizer = experiment.training.optimizer
        self.rate = _RatePerRun(self.layout, lanes, optimizer.schedule)
        # Keras's norms are of whole variables: the gradient is clipped a run before.
        unclipped = dict.fromkeys(CLIPPING)
        self.optimizer = keras_models.keras_optimizer(experiment, self.rate, **unclipped)
        self.optimizer.build(self.weights.trained)
        # Each begins at one number: 0 in most of them.
        self.begun = [variable.numpy().flat[0] for variable in self.optimizer.variables]
        self.loss = partial(
            keras.losses.get(experiment.training.loss), **experiment.training.loss_options
        )
        self.hits = _hits(experiment)
        self.batch_size = min(experiment.training.batch_size, data.training_rows)
        self.steps = -(-data.training_rows // self.batch_size)
        order = tf.zeros(data.training_rows, tf.int32)
        training, held_out = empty_rows(experiment, self.layout, lanes)
        arguments = training, held_out, order, tf.zeros(lanes, tf.uint32), tf.constant(0)
        traced = tf.function(self._epoch, jit_compile=True, autograph=False)
        # Called by itself, it need not compare the types of all arguments in every epoch: 1 ms.
        self._compiled = traced.get_concrete_function(*arguments)
        # A call that takes no step compiles the program, and leaves the variables as they are.
        self._compiled(*arguments)

    def epoch(
        self, training: Rows, held_out: Rows | None, order: np.ndarray, dropout_keys: np.ndarray
    ) -> dict:
        """Train for one epoch, then evaluate.

        Args:
            order: int32 (training rows,).
            dropout_keys: uint32 (lanes,), different every epoch.

        Returns:
            float32 figures: those of `core.history.CURVES` of (lanes,), val_loss and val_score
            with held-out rows only; those of `core.history.Health` of (dense layers, lanes).
        """
        figures = self._compiled(
            training,
            held_out,
            tf.constant(order),
            tf.constant(dropout_keys),
            tf.constant(self.steps),
        )
        return {name: figure.numpy() for name, figure in figures.items()}

    def reset(self, weights: list[np.ndarray], learning_rates: np.ndarray) -> None:
        """Set the variables, (lanes, *shape) each, and the rates, (lanes,), for new runs."""
        self.weights.assign(weights)
        for variable, begun in zip(self.optimizer.variables, self.begun, strict=True):
            variable.assign(tf.fill(variable.shape, begun))
        self.set_rates(learning_rates)

    def set_rates(self, learning_rates: np.ndarray) -> None:
        """Set the learning rates, (lanes,)."""
        rates = tf.constant(learning_rates, tf.float32)
        self.rate.rates.assign(tf.reshape(rates, self.rate.rates.shape))

    def values(self) -> list[np.ndarray]:
        """The weights as they are now, one array for each slot, in the layout's shapes."""
        return [array.numpy() for array in self.weights.in_order(self.weights.read())]

    def runs_last(self, weights: list[np.ndarray]) -> list[np.ndarray]:
        """`weights` of several moments, stacked along a new first axis, with the runs last."""
        pairs = zip(weights, self.weights.slots, strict=True)
        return [self.layout.runs_last(values, slot.shape) for values, slot in pairs]

    # --- traced once, then compiled ---

    def _epoch(self, training, held_out, order, dropout_keys, steps):
        layout, row_axis = self.layout, self.layout.row_axis
        rows, size = training.count(layout), self.batch_size
        full = self.steps * size == rows
        order = tf.pad(order, [[0, self.steps * size - rows]])
        model = self.experiment.model

        def step(number, totals, measured):
            slots = number * size + tf.range(size)
            batch_x, batch_y = training.take(layout, tf.gather(order, slots))
            counted = tf.ones(size) if full else tf.cast(slots < rows, tf.float32)
            counts = layout.per_row(counted)
            keys = dropout_keys + tf.cast(number, tf.uint32) * tf.constant(0xC2B2AE35, tf.uint32)
            trained = self.weights.read()
            with tf.GradientTape() as tape:
                tape.watch(trained)
                variables = self.weights.in_order(trained)
                done = layouts.forward(layout, model, variables, batch_x, counted, keys)
                row_weights = None
                if training.weights is not None:
                    row_weights = training.weights_of(layout, tf.gather(order, slots))
                losses, hits = self._judged(batch_y, done, training.variance, row_weights)
                mean = tf.reduce_sum(losses * counts, row_axis) / tf.reduce_sum(counts)
            gradients = tape.gradient(mean, trained)
            # Once a loss is not a number, Keras's weights are not either; XLA can lose sight of it.
            lost = tf.where(tf.math.is_nan(mean), mean, 0.0)
            figures = {
                "loss": tf.reduce_sum(losses * counts, row_axis),
                "score": tf.reduce_sum(hits * counts, row_axis),
            }
            if measured:
                figures["norms"] = self._updated_and_measured(gradients, lost)
            else:
                self._updated(gradients, lost)
            added = {name: totals[name] + figure for name, figure in figures.items()}
            return number + 1, totals | added

        def steps_to_next_measured(number, totals):
            # The loop inside costs less than a condition in every step, which copies the weights.
            number, totals = step(number, totals, measured=True)
            end = tf.minimum(number + layout.every - 1, steps)
            unmeasured = partial(step, measured=False)
            return tf.while_loop(lambda number, _: number < end, unmeasured, (number, totals))

        none = tf.zeros(self.lanes)
        totals = {"loss": none, "score": none}
        totals["norms"] = tf.zeros((2, len(self.kernels), self.lanes))
        body = partial(step, measured=True) if layout.every == 1 else steps_to_next_measured
        _, totals = tf.while_loop(lambda number, _: number < steps, body, (0, totals))
        ends = self.weights.read()
        sizes = tf.stack([tf.sqrt(layout.square_sum(ends[i])) for i in self.kernels])
        slopes, changes = tf.unstack(tf.sqrt(totals["norms"] / -(-self.steps // layout.every)))
        figures = {
            "loss": totals["loss"] / rows,
            "score": totals["score"] / rows,
            "gradient_norm": slopes,
            "update_ratio": changes / sizes,
            **self._evaluated(training),
        }
        if held_out is not None:
            evaluated = self._evaluated(held_out)
            figures |= {f"val_{k}": evaluated[f"evaluated_{k}"] for k in ("loss", "score")}
        return figures

    def _updated(self, gradients, lost):
        """Update the weights; `lost`, (lanes,), is added to every gradient."""
        lost = tf.reshape(lost, self.layout.unit_shape(1, self.lanes))
        joined = [gradient + lost for gradient in self.weights.join(self._clipped(gradients))]
        self.optimizer.apply(joined, self.weights.trained)

    def _updated_and_measured(self, gradients, lost):
        """Update the weights; squared norms of the gradients and the changes of the kernels.

        Returns:
            float32 (2, kernels, lanes).
        """
        # A copy of the weights from before, which costs a wide network a tenth of a step.
        before = [tf.identity(variable.value) for variable in self.weights.trained]
        self._updated(gradients, lost)
        pairs = zip(self.weights.trained, before, strict=True)
        moves = self.weights.split([variable.value - old for variable, old in pairs])
        changes = [self.layout.square_sum(moves[i]) for i in self.kernels]
        slopes = [self.layout.square_sum(gradients[i]) + lost for i in self.kernels]
        return tf.stack([tf.stack(slopes), tf.stack(changes)])

    def _clipped(self, gradients):
        """The gradients within the optimizer's limits, as Keras clips those of a run alone."""
        optimizer, layout = self.experiment.training.optimizer, self.layout
        if optimizer.clipvalue:
            return [
                tf.clip_by_value(g, -optimizer.clipvalue, optimizer.clipvalue) for g in gradients
            ]
        limit = optimizer.clipnorm or optimizer.global_clipnorm
        if not limit:
            return gradients
        squares = [layout.square_sum(gradient) for gradient in gradients]
        if optimizer.global_clipnorm:
            squares = [tf.add_n(squares)] * len(squares)
        norms = [layout.per_run(tf.sqrt(square)) for square in squares]
        if optimizer.clipnorm:
            scales = [limit / tf.maximum(norm, limit) for norm in norms]
        else:
            # An infinite norm makes every gradient NaN.
            scales = [limit * tf.minimum(1 / n, 1 / limit) + (n - n) for n in norms]
        return [gradient * scale for gradient, scale in zip(gradients, scales, strict=True)]

    def _evaluated(self, data: Rows):
        """Loss, score and what the layers put out over all rows, with nothing trained."""
        layout, row_axis = self.layout, self.layout.row_axis
        model = self.experiment.model
        rows, dense = data.count(layout), model.dense
        variables = self.weights.in_order(self.weights.read())
        width = self.experiment.data.source.features + sum(layer.units for layer in dense)
        # Blocks of one size: what the last one has too many would be evaluated twice.
        blocks = -(-rows // layout.block_rows(self.whole, width))
        size = -(-rows // blocks)

        def step(start, totals):
            # The last block starts early enough to be full; its rows counted before do not count.
            first = tf.minimum(start, rows - size)
            counts = layout.per_row(tf.cast(first + tf.range(size) >= start, tf.float32))
            block_x, block_y = data.part(layout, first, size)
            done = layouts.forward(layout, model, variables, block_x)
            losses, hits = self._judged(block_y, done, data.variance)
            outputs = done.outputs
            free = [_free(a, o) for a, o in zip(model.activations, outputs, strict=True)]
            return start + size, {
                "loss": totals["loss"] + tf.reduce_sum(losses * counts, row_axis),
                "score": totals["score"] + tf.reduce_sum(hits * counts, row_axis),
                "low": extreme(tf.minimum, totals["low"], tf.reduce_min, outputs),
                "high": extreme(tf.maximum, totals["high"], tf.reduce_max, outputs),
                "free": extreme(tf.maximum, totals["free"], tf.reduce_max, free),
            }

        def extreme(pick, so_far, reduce, outputs):
            pairs = zip(so_far, outputs, strict=True)
            return [pick(value, reduce(output, row_axis)) for value, output in pairs]

        def each_unit(value):
            # The shape of outputs without their rows.
            return [tf.fill(layout.unit_shape(layer.units, self.lanes), value) for layer in dense]

        unit_axis = layout.unit_axis - 1  # once the rows, which come before it, are gone
        none = tf.zeros(self.lanes)
        totals = {"loss": none, "score": none}
        totals |= {"low": each_unit(np.inf), "high": each_unit(-np.inf), "free": each_unit(0.0)}
        _, totals = tf.while_loop(lambda start, _: start < rows, step, (0, totals))
        ends = zip(totals["low"], totals["high"], strict=True)
        dead = [tf.cast((low == 0) & (high == 0), tf.float32) for low, high in ends]
        return {
            "evaluated_loss": totals["loss"] / rows,
            "evaluated_score": totals["score"] / rows,
            "dead": tf.stack([tf.reduce_mean(d, unit_axis) for d in dead]),
            "saturated": tf.stack([1 - tf.reduce_mean(f, unit_axis) for f in totals["free"]]),
            "output_min": tf.stack([tf.reduce_min(a, unit_axis) for a in totals["low"]]),
            "output_max": tf.stack([tf.reduce_max(b, unit_axis) for b in totals["high"]]),
        }

    def _judged(self, y, done: layouts.Pass, variance, weights=None):
        """Loss and what each row adds to the score, as Keras judges them.

        Each has the axes of rows and runs, in the layout's order.

        Args:
            variance: Of the labels, as in `core.engine.rows.OwnRows`.
            weights: Of these rows, in the order of the losses; None to weigh all alike.
        """
        y, out = self.layout.for_losses(y), done.out
        if variance is None:
            hits = tf.cast(self.hits(y, out), tf.float32)
        else:
            hits = _explained(y, out, self.layout.for_losses(variance))
        if hits.shape.rank == y.shape.rank:
            hits = tf.reduce_mean(hits, axis=-1)
        if loss(self.experiment.training.loss).class_numbers:
            y = y[..., 0]
        losses = self.loss(y, out)
        if weights is not None:
            losses *= weights
        return (losses if done.penalty is None else losses + done.penalty), hits


def _free(activation: Activation, output):
    """1 where an output is not near a bound of its activation's range, else 0."""
    low, high = activation.unsaturated
    if not activation.saturates:
        return tf.ones_like(output)
    return tf.cast((output > low) & (output < high), tf.float32)


def _explained(y, out, variance):
    """What each row adds to R² (`core.tasks.explained`), as a float32 an output."""
    varies = tf.cast(variance > 0, tf.float32)
    return varies - tf.math.divide_no_nan(tf.square(y - out), variance)


def _hits(experiment: Experiment):
    """The metric that Keras takes for "accuracy", by the shapes of labels and output."""
    if experiment.task.metric == "binary_accuracy" or experiment.model.output.units == 1:
        return keras.metrics.binary_accuracy
    if experiment.data.target_width == 1:
        return keras.metrics.sparse_categorical_accuracy
    return keras.metrics.categorical_accuracy
