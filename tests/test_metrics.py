"""The metrics that scripts name, as Keras computes them."""

from dataclasses import replace

import numpy as np
import pytest

from core.data import prepare
from core.experiment import Adam, Data, Dense, Experiment, InvalidExperiment, Model, Table, Training
from core.export import to_script
from core.inspection import outputs
from core.measures import final_absolute_error, final_balanced_accuracy, final_metrics
from core.metrics import METRICS, balanced_accuracy
from core.tasks import TASKS

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 2)).round(3)
RARE = (X[:, 0] > 1).astype(int)
"""About a sixth are 1."""


def experiment(source, output, loss, **data):
    return Experiment(
        Data(source, hold_out=0.25, **data),
        Model((Dense(4, "tanh"), output)),
        Training(loss, Adam(0.05), 8, 3, metrics=("auc", "mean_absolute_error")),
    )


BINARY = experiment(Table(X, RARE), Dense(1, "sigmoid"), "binary_crossentropy")
REGRESSION = experiment(
    Table(X, targets=1_000 * X[:, 0]),
    Dense(1),
    "mean_squared_error",
    target_scaling="standardise",
)


@pytest.mark.tensorflow
def test_every_metric_is_kerass():
    import keras

    one_hot = np.eye(3, dtype=np.float32)[RNG.integers(0, 3, 50)]
    numbers = one_hot.argmax(axis=1)[:, None].astype(np.float32)
    several = RNG.integers(0, 2, (50, 3)).astype(np.float32)
    chances = RNG.uniform(size=(50, 3)).astype(np.float32)
    cases = [(chances[:, :1], several[:, :1]), (chances, one_hot), (chances, several)]
    cases += [(RNG.normal(size=(50, 3)).astype(np.float32), several + 1), (chances, numbers)]
    compared = 0
    for metric in METRICS.values():
        for output, y in cases:
            if metric.by_column and output.shape != y.shape:
                continue
            name = metric.name
            if name == "accuracy":  # as Keras chooses it
                name = {(1, 1): "binary_accuracy", (3, 1): "sparse_categorical_accuracy"}.get(
                    (output.shape[1], y.shape[1]), "categorical_accuracy"
                )
            if name == "sparse_categorical_accuracy" and y.shape[1] > 1:
                continue
            theirs = keras.metrics.get(name)
            if not isinstance(theirs, keras.metrics.Metric):
                theirs = keras.metrics.MeanMetricWrapper(theirs)
            theirs.update_state(y, output)
            expected = float(np.mean(theirs.result()))
            assert metric.value(output, y) == pytest.approx(expected, rel=1e-4, abs=1e-5), name
            compared += 1
    assert compared > 40


def test_each_metric_fits_a_task_and_says_why_it_does_not_fit_another():
    for metric in METRICS.values():
        fitting = [task for task in TASKS if not metric.unfit.get(task)]
        assert fitting, metric.name
        assert set(metric.unfit) <= set(TASKS)
        assert all(why.endswith(".") for why in metric.unfit.values())
    assert "continuous target" in METRICS["accuracy"].objection("regression", 1, 1)
    assert METRICS["accuracy"].objection("binary", 1, 1) == ""
    assert "column of labels" in METRICS["auc"].objection("multiclass", 3, 1)


def test_a_constant_answer_has_the_balanced_accuracy_of_chance():
    y = RARE[:, None].astype(np.float32)
    assert np.mean((np.zeros_like(y) > 0.5) == y) > 0.8
    assert balanced_accuracy(np.zeros_like(y), y) == 0.5
    assert balanced_accuracy(y, y) == 1


def test_outputs_that_are_no_numbers_have_no_area_and_crash_nothing():
    y = RARE[:, None].astype(np.float32)
    found = {name: metric.value(y * np.nan, y) for name, metric in METRICS.items()}
    assert np.isnan(found["auc"])


@pytest.mark.tensorflow
def test_a_history_has_its_metrics_on_the_rows_of_its_score():
    from core.training import train

    history = train(BINARY, runs=3)
    table = final_metrics(history)
    assert list(table) == ["auc", "mean_absolute_error"]
    rows = prepare(BINARY.data, 0, 2)
    out = outputs(BINARY.model, history.weights_at(-1, 2), rows.held_out_x)[-1]
    assert table["auc"][2] == METRICS["auc"].value(out, rows.held_out_y)
    assert final_balanced_accuracy(history)[2] == balanced_accuracy(out, rows.held_out_y)
    assert final_metrics(train(with_metrics(BINARY), runs=3)).shape == (3, 0)


@pytest.mark.tensorflow
def test_the_error_of_a_regression_is_in_the_unit_of_its_targets():
    from core.training import train

    history = train(REGRESSION, runs=2)
    scaled = final_metrics(history)["mean_absolute_error"].to_numpy()
    spread = [prepare(REGRESSION.data, 0, run).y_scale[0] for run in range(2)]
    np.testing.assert_allclose(final_absolute_error(history), scaled * spread, rtol=1e-4)
    assert np.mean(spread) > 500


def with_metrics(experiment, *names):
    return replace(experiment, training=replace(experiment.training, metrics=names))


def test_a_script_measures_them():
    script = to_script(BINARY)
    assert 'metrics=["accuracy", "auc", "mean_absolute_error"]' in script
    assert "loss, accuracy, *others = model.evaluate" in script
    assert 'metrics=["r2_score"]' in to_script(with_metrics(REGRESSION))
    for names in (("auc", "auc"), ("AUC",), "auc"):
        with pytest.raises(InvalidExperiment) as raised:
            with_metrics(BINARY, *names) if isinstance(names, tuple) else replace(
                BINARY.training, metrics=names
            )
        assert raised.value.field == "metrics"
    assert Experiment.from_json(BINARY.to_json()) == BINARY
    assert "metrics" not in with_metrics(BINARY).to_json()
