"""Both layouts of the stack against plain Keras, against each other, and with shared rows."""

from dataclasses import fields, replace
from itertools import product

import numpy as np
import pytest

from core.activations import ACTIVATIONS
from core.data import is_shared, prepare, prepare_shared
from core.engine import flags
from core.engine.grouping import lanes_for, runs_first
from core.engine.keras_models import keras_model, keras_optimizer
from core.engine.layouts import RunsFirst
from core.experiment import (
    SGD,
    Adam,
    BatchNormalisation,
    Data,
    Dense,
    Dropout,
    Model,
    RMSprop,
)
from core.history import CURVES, Health
from core.problems import PROBLEMS
from core.reference import fit
from core.training import layer_seeds, train
from support.training import LAYOUTS, close, fitted_weights, laid_out, noisy_table, small

OPTIMIZERS = (SGD(momentum=0.9), RMSprop(), Adam())
OF_LOGITS = ("sigmoid", "softmax")
"""Keras computes some losses from what comes before these: they are held to it in each loss."""
COMMON = (
    *("binary_crossentropy", "categorical_crossentropy", "sparse_categorical_crossentropy"),
    "mean_squared_error",
)
"""The losses of these cases; `tests/test_losses.py` has the others."""
OFTEN, RARE = tuple(ACTIVATIONS)[:7], tuple(ACTIVATIONS)[7:]
PAIRS = [
    (name, name, loss)
    for (row, name), (column, loss) in product(enumerate(OFTEN), enumerate(COMMON))
    if name in OF_LOGITS or (row + column) % 2
]
# The others two by two, one of the hidden layer and one of the output.
PAIRS += [(RARE[n - 1], RARE[n], COMMON[n % len(COMMON)]) for n in range(len(RARE))[::2]]
SCALED = {"source": noisy_table(), "scaling": "standardise", "hold_out": 0.2}


def case(number, hidden, activation, loss):
    """Every second with batch normalisation, every third on the rows of a table."""
    data = SCALED if number % 3 == 1 else {}
    optimizer = OPTIMIZERS[(number + number // 3) % 3]
    normalised = hidden == activation and bool(number % 2)
    return small(activation, loss, optimizer, normalised, data=data, hidden=hidden)


CASES = [case(number, *pair) for number, pair in enumerate(PAIRS)]


def test_the_cases_have_each_optimizer_with_each_setting():
    settings = {
        (type(e.training.optimizer), len(e.model.layers) == 3, is_shared(e.data)) for e in CASES
    }
    assert len(settings) == 3 * 2 * 2


@pytest.mark.tensorflow
@pytest.mark.parametrize("experiment", CASES, ids=[", ".join(pair) for pair in PAIRS])
def test_every_weight_is_kerass_own_after_50_updates(experiment):
    run = 2
    keras_own = fitted_weights(experiment, seed=1, run=run)
    others = []
    # The layouts have the activations in common, so that most cases take turns in them.
    of_logits = experiment.model.output.activation in OF_LOGITS
    for layout in LAYOUTS if of_logits else LAYOUTS[CASES.index(experiment) % 2 :][:1]:
        with laid_out(layout):
            ours = train(experiment, runs=3, seed=1).weights_at(-1, run)
        if close(ours, keras_own):
            continue
        # On some processors TensorFlow's softmax of one unit is a hair below 1; compiled by XLA, as
        # the stack is, Keras rounds as the stack does.
        others = others or [
            fitted_weights(experiment, seed=1, run=run, jit_compile=True),
            fitted_weights(experiment, seed=1, run=run, reverse=True),
        ]
        compiled, reverse = others
        if close(ours, compiled):
            continue
        # Where rounding errors grow, as at the edge of a clipped probability, Keras parts from
        # itself as far when XLA compiles it, or when the rows of each batch come in reverse order.
        for a, b, c, d in zip(ours, keras_own, reverse, compiled, strict=True):
            np.testing.assert_array_equal(np.isnan(a), np.isnan(b))
            if np.isfinite(b).all():
                spread = max(20 * np.abs(b - c).max(), 2 * np.abs(b - d).max())
                assert np.abs(a - b).max() <= 2e-5 + spread


@pytest.mark.tensorflow
@pytest.mark.parametrize("data", [{}, SCALED], ids=["drawn", "table"])
def test_a_run_is_the_same_alone_and_in_a_stack_of_64_in_either_layout(data):
    experiment = small(optimizer=Adam(0.01), shuffle=True, data=data)
    hidden = (Dense(3, "tanh"), BatchNormalisation(), Dropout(0.3))
    data = replace(experiment.data, hold_out=0.25, shuffling="rows")
    experiment = replace(experiment, model=Model((*hidden, Dense(1, "sigmoid"))), data=data)
    histories = {}
    for layout, runs in product(LAYOUTS, (3, 64)):
        with laid_out(layout):
            histories[layout, runs] = train(experiment, runs=runs, seed=4)
    last, first = LAYOUTS
    same(histories[last, 3], histories[last, 64], rtol=1e-5, atol=1e-6)
    same(histories[first, 3], histories[first, 64], rtol=1e-5, atol=1e-6)
    # Where runs come first, the norms are measured in some of the steps.
    norms = ("gradient_norm", "update_ratio")
    same(histories[last, 3], histories[first, 3], rtol=2e-4, atol=2e-5, without=norms)


@pytest.mark.tensorflow
def test_a_large_kernel_beside_small_arrays_is_kerass_own_and_has_its_norms(monkeypatch):
    """A large one is a variable by itself where the runs come first; small ones share one."""
    monkeypatch.setattr(RunsFirst, "every", 1)
    experiment = small("sigmoid", optimizer=Adam(), data=SCALED)
    layers = (Dense(24, "tanh"), BatchNormalisation(), Dense(24, "relu"), Dense(1, "sigmoid"))
    experiment = replace(experiment, model=Model(layers))
    assert RunsFirst.packed_below <= 24 * 24
    histories = []
    for layout in LAYOUTS:
        with laid_out(layout):
            histories.append(train(experiment, runs=3, seed=1))
    same(*histories, rtol=2e-4, atol=2e-5)
    expected = fitted_weights(experiment, seed=1, run=2)
    assert all(close(history.weights_at(-1, 2), expected) for history in histories)


def same(history, other, rtol, atol, without=()):
    """The first three runs' curves, weights and health agree."""
    for name in (*CURVES, "final_score"):
        a, b = (getattr(each, name)[..., :3] for each in (history, other))
        np.testing.assert_allclose(a, b, rtol=rtol, atol=atol, err_msg=name)
    for a, b in zip(history.weights, other.weights, strict=True):
        np.testing.assert_allclose(a[..., :3], b[..., :3], rtol=rtol, atol=atol)
    for field in (field for field in fields(Health) if field.name not in without):
        a, b = (getattr(each.health, field.name)[..., :3] for each in (history, other))
        np.testing.assert_allclose(a, b, rtol=10 * rtol, atol=atol, err_msg=field.name)


@pytest.mark.tensorflow
@pytest.mark.parametrize("hold_out", [0.0, 0.5])
def test_the_evaluated_curves_are_what_keras_evaluates_after_each_epoch(hold_out):
    experiment = small(data={"hold_out": hold_out})
    run, seed = 1, 2
    training, rows = experiment.training, prepare(experiment.data, seed, run)
    model = keras_model(experiment, layer_seeds(experiment, seed, run))
    optimizer = keras_optimizer(experiment, training.optimizer.learning_rate)
    model.compile(loss=training.loss, optimizer=optimizer, metrics=["accuracy"])
    expected = []
    for _ in range(training.epochs):
        model.fit(rows.x, rows.y, batch_size=training.batch_size, shuffle=False, verbose=0)
        expected.append(model.evaluate(rows.x, rows.y, verbose=0))
    reported, stacks = [], []
    alone = fit(experiment, seed, run=run, on_epoch=reported.append)
    for layout in LAYOUTS:
        with laid_out(layout):
            stacks.append(train(experiment, runs=run + 1, seed=seed))
    for history, column in ((alone, 0), *((stack, run) for stack in stacks)):
        curves = history.evaluated_loss[:, column], history.evaluated_score[:, column]
        np.testing.assert_allclose(np.transpose(curves), expected, rtol=2e-5, atol=1e-6)
        loss, accuracy = history.judged
        np.testing.assert_array_equal(loss[-1], history.final_loss)
        np.testing.assert_array_equal(accuracy[-1], history.final_score)
        assert (history.judged[0] is history.val_loss) == bool(hold_out)
    for stack in stacks:
        assert np.abs(stack.loss - stack.evaluated_loss).max() > 1e-3, "an epoch's mean is another"
    for epoch in reported:
        assert epoch.evaluated_loss == alone.evaluated_loss[epoch.number - 1]


@pytest.mark.parametrize(
    ("scaling", "shuffling", "hold_out", "seed"),
    [
        *product(("min-max", "standardise"), ("rows", "permutation", "none"), (0, 0.3), (None,)),
        *product(("none", "divide", "standardise"), ("rows",), (0, 0.3), (None, 4)),
    ],
)
def test_shared_rows_are_those_of_each_run(scaling, shuffling, hold_out, seed):
    rng = np.random.default_rng(0)
    # One column is constant, and one is far from 0 for its spread.
    inputs = rng.normal(size=(50, 4)) * [1, 100, 1e-3, 0] + [0, 5, 1, 3]
    table = replace(noisy_table(50), inputs=inputs, labels=rng.integers(0, 3, 50))
    data = Data(table, shuffling, hold_out, scaling, 7.0, (0, 1, 2), "one-hot", seed)
    shared = prepare_shared(data, 7, 4)
    for run in range(4):
        rows, x = prepare(data, 7, run), shared.x
        if shared.scale is not None and shared.shift is not None:
            x = x * shared.scale[run] + shared.shift[run]
        for part, index in (("", shared.index[run]), ("held_out_", shared.held_out_index[run])):
            expected = getattr(rows, f"{part}x")
            np.testing.assert_allclose(x[index], expected, rtol=1e-5, atol=1e-5)
            np.testing.assert_array_equal(shared.y[index], getattr(rows, f"{part}y"))


def test_wide_networks_are_laid_out_runs_first_and_not_padded():
    asked = PROBLEMS["threshold"].experiment
    wide = replace(asked, model=Model((Dense(64, "relu"), Dense(64, "relu"), Dense(1))))
    assert not runs_first(asked)
    assert lanes_for(asked, 3) == 16
    assert runs_first(wide)
    assert lanes_for(wide, 3) == 3


@pytest.mark.tensorflow
@pytest.mark.parametrize("layout", LAYOUTS)
def test_weights_have_the_runs_last(layout):
    with laid_out(layout):
        history = train(small(normalised=True), runs=2)
    keys = len(history.key_epochs)
    shapes = [array.shape for array in history.weights]
    assert shapes[:2] == [(keys, 2, 3, 2), (keys, 3, 2)]
    assert all(shape[-1] == 2 for shape in shapes)


def test_flags_are_set_only_where_this_release_of_tensorflow_knows_them(monkeypatch):
    monkeypatch.setattr(flags.metadata, "version", lambda name: "2.21.4")
    assert flags.xla_environment({})["XLA_FLAGS"].split() == list(flags.FASTER)
    # The last of two values holds.
    operators = "--xla_cpu_enable_concurrency_optimized_scheduler=true"
    assert flags.xla_environment({"XLA_FLAGS": operators})["XLA_FLAGS"].endswith(f" {operators}")
    monkeypatch.setattr(flags.metadata, "version", lambda name: "2.22.0")
    assert flags.xla_environment({}) == {}
