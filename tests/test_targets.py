"""Continuous targets and several labels a row, from the table to the score."""

import json
import pickle
from dataclasses import replace

import numpy as np
import pytest

from core.curve import SHAPES
from core.data import baseline, prepare
from core.diagnosis import diagnose
from core.diagnosis.observations import Observations
from core.draft import Draft
from core.experiment import (
    Adam,
    Curve,
    Data,
    Dense,
    Experiment,
    InvalidExperiment,
    Model,
    Table,
    Training,
)
from core.export import to_script
from core.files import history_csv
from core.network import draw_weights, forward
from core.streams import generator
from core.tasks import TASKS
from support.histories import made_up
from support.training import laid_out

RNG = np.random.default_rng(0)
X = RNG.normal(size=(50, 2)).round(3)
Y = np.stack([X @ [1, 2] + 300, 5 * X[:, 0] ** 2 - 10], axis=1).round(3)
TRAINING = Training("mean_squared_error", Adam(0.02), 8, 6, shuffle=False)


def network(units, activation="linear"):
    return Model((Dense(4, "tanh"), Dense(units, activation)))


def scaled(**changes):
    options = {"hold_out": 0.2, "scaling": "standardise", "target_scaling": "standardise"}
    return Data(Table(X, targets=Y), **options | changes)


REGRESSION = Experiment(scaled(), network(2), TRAINING)
CURVE = Experiment(Data(Curve(60, 2, "parabola", 0.2, 3, 5)), network(1), TRAINING)
MULTI_LABEL = Experiment(
    Data(Table(X, labels=np.greater(Y, Y.mean(axis=0)).astype(int)), hold_out=0.2),
    network(2, "sigmoid"),
    replace(TRAINING, loss="binary_crossentropy"),
)
ALL = {"several targets": REGRESSION, "a curve": CURVE, "several labels": MULTI_LABEL}


@pytest.mark.tensorflow
@pytest.mark.parametrize("what", ALL)
def test_loss_and_score_are_keras_in_both_layouts(what):
    from core.history import CURVES
    from core.reference import fit
    from core.training import train

    kerass = fit(ALL[what], run=2)
    for layout in ("runs last", "runs first"):
        with laid_out(layout):
            trained = train(ALL[what], runs=3)
        for name in CURVES:
            ours, theirs = getattr(trained, name), getattr(kerass, name)
            if theirs is None:
                assert ours is None
            else:
                np.testing.assert_allclose(ours[:, 2], theirs[:, 0], rtol=2e-3, atol=2e-4)
        # The diagnosis sees the score that the training reports.
        rows = prepare(ALL[what].data, 0, 2)
        weights = [w[None] if w.ndim == 2 else w[None, None] for w in trained.weights_at(-1, 2)]
        x, y = rows.judged
        output = forward(ALL[what].model, weights, x[None]).output
        score = ALL[what].task.hits(output, y[None]).mean()
        assert score == pytest.approx(trained.final_score[2], abs=1e-4)


def test_the_task_is_decided_by_the_targets():
    assert {what: e.task.name for what, e in ALL.items()} == {
        "several targets": "regression",
        "a curve": "regression",
        "several labels": "multi_label",
    }
    labels = Data(Table(X, np.arange(50)), label_values=tuple(np.linspace(2, 3, 50)))
    measured = Experiment(labels, network(1), TRAINING)
    assert measured.task is TASKS["regression"], "class labels that are measurements"
    decided = replace(measured, training=replace(TRAINING, loss="binary_crossentropy"))
    assert decided.task is TASKS["multiclass"]


def test_a_baseline_is_the_best_constant_answer():
    assert baseline(REGRESSION, 0, 0) == 0
    held_out = prepare(MULTI_LABEL.data, 0, 0).held_out_y
    shares = held_out.mean(axis=0)
    assert baseline(MULTI_LABEL, 0, 0) == pytest.approx(np.maximum(shares, 1 - shares).mean())


def test_targets_are_scaled_by_the_training_rows_and_shown_in_their_own_unit():
    rows = prepare(scaled(), 0, 1)
    np.testing.assert_allclose(rows.y.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(rows.y.std(axis=0), 1, atol=1e-6)
    back = np.concatenate([rows.in_unit_of_targets(y) for y in (rows.y, rows.held_out_y)])
    np.testing.assert_allclose(np.sort(back, axis=0), np.sort(Y, axis=0), rtol=1e-5)
    divided = prepare(scaled(target_scaling="divide", target_divisor=100), 0, 1)
    assert divided.y_scale.tolist() == [100, 100]
    np.testing.assert_allclose(divided.in_unit_of_targets(divided.y)[:, 0].mean(), 300, atol=1)


def test_a_table_has_labels_or_targets():
    for arrays, field in (
        ({}, "labels and targets"),
        ({"labels": [0] * 50, "targets": Y}, "labels and targets"),
        ({"targets": Y[:-1]}, "targets"),
        ({"targets": np.full(50, np.nan)}, "targets"),
        ({"labels": [[0, 2]] * 50}, "labels"),
        ({"labels": [[]] * 50}, "labels"),
    ):
        with pytest.raises(InvalidExperiment) as raised:
            Table(X, **arrays)
        assert raised.value.field == field
    table = Table(X, targets=Y[:, 0])
    assert table.targets.shape == (50, 1)
    assert not table.targets.flags.writeable
    assert len({table, Table(X, targets=Y[:, 0].tolist()), Table(X, targets=Y[:, 1])}) == 2
    assert pickle.loads(pickle.dumps(table)) == table
    labels = (Y > 0).astype(int)
    assert Table(X, labels) != Table(X, targets=labels) != Table(X, labels[:, 0])


def test_more_rows_than_a_table_takes_are_sampled():
    inputs = np.arange(1_000)[:, None]
    table, left_out = Table.sampled(inputs, targets=inputs[:, 0] * 2.0, rows=100)
    assert (table.rows, left_out) == (100, 900)
    np.testing.assert_array_equal(table.targets, 2 * table.inputs)
    assert (np.diff(table.inputs[:, 0]) > 0).all()
    assert np.ptp(table.inputs) > 800
    assert Table.sampled(inputs, targets=inputs[:, 0] * 2.0, rows=100)[0] == table
    assert Table.sampled(X, targets=Y) == (Table(X, targets=Y), 0)


def test_json_brings_targets_back_and_leaves_out_what_they_do_not_need():
    for experiment in ALL.values():
        assert Experiment.from_json(experiment.to_json()) == experiment
    plain = json.loads(Experiment(Data(Table(X, [0, 1] * 25)), network(1), TRAINING).to_json())
    assert plain["data"]["source"].keys() == {"kind", "inputs", "labels"}
    assert "target_scaling" not in plain["data"]


def test_what_does_not_fit_the_targets_is_refused():
    for units, loss, field in (
        (3, "mean_squared_error", "units of the output layer"),
        (2, "sparse_categorical_crossentropy", "loss"),
        (1, "binary_crossentropy", "units of the output layer"),
    ):
        with pytest.raises(InvalidExperiment) as raised:
            replace(REGRESSION, model=network(units), training=replace(TRAINING, loss=loss))
        assert raised.value.field == field
    draft = Draft.of(CURVE).put(("data", "source"), MULTI_LABEL.data.source)
    assert draft.data.label_values == (0, 1), "a draft gives each class a label"


@pytest.mark.parametrize("shape", SHAPES)
def test_a_curve_has_the_scale_and_the_ceiling_that_it_says(shape):
    source = Curve(40_000, 3, shape, noise=0.5, scale=7, offset=100)
    x, y = source.draw(np.random.default_rng(1))
    assert y.mean() == pytest.approx(100, abs=0.2)
    clean = 100 + 7 * SHAPES[shape].value(x).sum(axis=1) / np.sqrt(3)
    assert clean.std() == pytest.approx(7, rel=0.03)
    explained = 1 - np.var(y[:, 0] - clean) / y.var()
    assert source.ceiling() == pytest.approx(explained, abs=0.01)
    # What noise leaves to explain is what a run can reach, but for the chance in few rows.
    noisy = replace(CURVE, data=Data(replace(source, samples=500)))
    goal = Observations(noisy, None, 0.9).goal.score
    assert 0.9 * source.ceiling() - 0.05 < goal <= 0.9 * source.ceiling()


@pytest.mark.tensorflow
@pytest.mark.parametrize("what", ALL)
def test_its_script_trains_on_the_same_rows(what, capsys):
    experiment = ALL[what]
    seeded = replace(experiment, data=replace(experiment.data, seed=3))
    seeded = replace(seeded, training=replace(seeded.training, epochs=1))
    space: dict = {}
    exec(compile(to_script(seeded), "script", "exec"), space)
    rows = prepare(seeded.data, 0, 0)
    np.testing.assert_allclose(space["x"], rows.x, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(np.reshape(space["y"], rows.y.shape), rows.y, rtol=1e-4, atol=1e-5)
    assert f"{experiment.task.score} on the" in capsys.readouterr().out


def test_a_linear_output_is_no_fault_where_the_loss_takes_logits():
    one = replace(MULTI_LABEL, model=network(2))
    assert "output-not-probability" in {f.code for f in diagnose(one)}
    logits = replace(one, training=replace(one.training, from_logits=True))
    assert "output-not-probability" not in {f.code for f in diagnose(logits)}


def test_files_name_the_score():
    curves = np.zeros((2, 3), np.float32)
    lines = history_csv(made_up(CURVE, curves, curves)).splitlines()
    assert lines[0] == "run,epoch,loss,r2,evaluated_loss,evaluated_r2,final_loss,final_r2"


def test_a_target_that_does_not_vary_explains_nothing():
    output = forward(CURVE.model, draw_weights(CURVE.model, 2, 1, generator(0)), X[None, :9])
    assert CURVE.task.hits(output.output, np.ones((1, 9, 1))).mean() == 0
