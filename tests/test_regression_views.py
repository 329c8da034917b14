"""What is shown of a regression, of several labels a row, and of imbalanced or many classes."""

from dataclasses import replace

import numpy as np
import pytest

from core import network
from core.curve import Curve
from core.data import prepare
from core.experiment import Adam, Blobs, Data, Dense, Experiment, Model, Table, Training
from core.inspection import own_class, response, surface
from core.measures import MOST_RUNS, by_label, measures
from core.regression import against_truth, samples_over_x
from core.tasks import TASKS
from pages.elements import charts, figures
from pages.elements.headline import headline, others
from pages.elements.tabs import curves
from support.charts import domains, history_frame, rows_drawn, spec, values
from support.histories import made_up

RNG = np.random.default_rng(0)
INPUTS = RNG.normal(0, 1, (90, 3))


def untrained(data: Data, units: int, activation="linear", loss="mean_squared_error", runs=2):
    """A history whose weights are initial ones, the same at both key epochs."""
    model = Model((Dense(4, "tanh"), Dense(units, activation)))
    experiment = Experiment(data, model, Training(loss, Adam()))
    drawn = network.draw_weights(model, data.source.features, runs, np.random.default_rng(1))
    shapes = [slot.shape for _, slot in model.slots(data.source.features)]
    weights = tuple(
        np.stack([np.moveaxis(array.reshape(runs, *shape), 0, -1)] * 2)
        for array, shape in zip(drawn, shapes, strict=True)
    )
    curve = np.zeros((3, runs), np.float32)
    keys = np.array([0, 3])
    return made_up(experiment, curve + 1, curve, seed=4, key_epochs=keys, weights=weights)


def curve(features=1, **options) -> Data:
    source = Curve(samples=60, features=features, scale=100, offset=1_000)
    return Data(source, target_scaling="standardise", scaling="standardise", **options)


def by_hand(history, run, x):
    """The outputs of the network, (rows, units), for scaled inputs."""
    kernel, bias, last, end = history.weights_at(-1, run)
    return np.tanh(x @ kernel + bias) @ last + end


def test_predictions_are_in_the_unit_of_the_target_on_the_held_out_rows():
    history = untrained(curve(hold_out=0.25), 1)
    frame = against_truth(history, 1)
    rows = prepare(history.experiment.data, history.seed, 1)
    assert len(frame) == len(rows.held_out_x) == 15
    assert 800 < frame.true.mean() < 1_200
    expected = by_hand(history, 1, rows.held_out_x) * rows.y_scale + rows.y_offset
    np.testing.assert_allclose(frame.epoch_3, expected[:, 0], rtol=1e-5)
    (error,) = measures(replace(history, weights=history.weights), 0.0)
    errors = []
    for run in range(2):
        shown = against_truth(history, run)
        errors.append(np.abs(shown.epoch_3 - shown.true).mean())
    assert (error.name, error.runs) == ("MAE", 2)
    assert float(error.text.replace(",", "")) == pytest.approx(np.median(errors), rel=1e-3)


def test_a_run_that_diverged_is_left_out_of_the_median_error():
    history = untrained(curve(), 1, runs=3)
    for array in history.weights:
        array[-1, ..., 1] = np.nan
    (error,) = measures(history, 0.0)
    assert error.runs == 2
    assert float(error.text.replace(",", "")) > 0
    for array in history.weights:
        array[-1] = np.nan
    assert measures(history, 0.0) == []


def test_one_input_gives_a_curve_over_the_points_in_the_unit_of_the_target():
    history = untrained(curve(), 1)
    frame, samples = response(history, 0, points=30), samples_over_x(history, 0)
    assert list(frame.output.unique()) == ["target"]
    assert (len(samples), set(samples.target)) == (60, {"target"})
    assert samples.x.between(-1, 1).all()
    assert frame.value.between(500, 1_500).all()
    drawn = spec(charts.curve_view(frame, samples, [0, 3], 0))
    ((low, high),) = {tuple(d) for d in domains(drawn, "y")}
    assert low < samples.value.min() < samples.value.max() < high
    (slider,) = [param for param in drawn["params"] if "bind" in param]
    assert (slider["name"], slider["value"], slider["bind"]["max"]) == ("epoch", 3, 3)


@pytest.mark.parametrize("columns", [1, 2])
@pytest.mark.parametrize("value", [3.0, 1e20])
@pytest.mark.parametrize("given", [{"labels": [0, 1] * 10}, {"targets": np.arange(20.0)}])
def test_constant_features_can_be_drawn_over(columns, value, given):
    history = untrained(Data(Table(np.full((20, columns), value), **given)), 1)
    spec(figures.network(history, 0).chart)


@pytest.mark.parametrize("columns", [1, 2, 3])
@pytest.mark.parametrize("label", [0.0, 1.0])
def test_the_only_class_is_drawn_by_what_it_is_given(columns, label):
    source = Table(RNG.normal(size=(20, columns)), [0] * 20)
    data = Data(source, label_values=(label,), encoding="as-is")
    history = untrained(data, 1, "sigmoid", "binary_crossentropy")
    drawn = spec(figures.network(history, 0).chart)
    out = by_hand(history, 0, history.rows(0).x)[:, 0]
    given = 1 / (1 + np.exp(-out if label else out))
    counts = [row["epoch_3"] for row in drawn["datasets"]["bins"]]
    assert counts == np.histogram(given, np.linspace(0, 1, 21))[0].tolist()
    for over in {1: (response,), 2: (surface,)}.get(columns, ()):
        over(history, 0)


def test_two_inputs_give_a_surface_a_target_and_points_in_its_colours():
    data = Data(Table(INPUTS[:, :2], targets=INPUTS @ RNG.normal(0, 1, (3, 5))))
    history = untrained(data, 5)
    seen = surface(history, 0)
    assert list(seen.output.target.unique()) == ["target 1", "target 2", "target 3"]
    assert len(seen.output) <= 4_800
    assert set(seen.samples) == {"x", "y", "target", "value"}
    np.testing.assert_allclose(
        np.sort(seen.samples.query("target == 'target 2'").value),
        np.sort(data.source.targets[:, 1]),
        rtol=1e-5,
    )
    drawn = spec(charts.targets_surface_view(seen, 0))
    assert rows_drawn(drawn) <= charts.MAX_ROWS
    truth = spec(charts.predictions_view(against_truth(history, 0), 0))
    assert values(truth, "target") == {"target 1", "target 2", "target 3"}


def test_predictions_far_off_do_not_squash_the_targets():
    frame = against_truth(untrained(curve(), 1), 0)
    for far in (1e12, np.inf, np.nan):
        drawn = spec(charts.predictions_view(frame.assign(epoch_3=far), 0))
        parameters = {param["name"]: param.get("value") for param in drawn["params"]}
        assert parameters["high_0"] < 2_000
        assert 0 < parameters["most"] < 2_000


def test_every_regression_has_its_pictures_and_no_confusion_matrix():
    for features in (1, 2, 3):
        history = untrained(curve(features), 1)
        pictures = [picture for picture, _ in figures.of_network(history, 0)]
        assert any("predicted against true" in picture.alt for picture in pictures)
        assert not any("onfusion" in picture.alt for picture in pictures)
        for picture in pictures:
            spec(picture.chart)


def test_several_labels_and_many_classes_are_counted_by_label():
    labels = (INPUTS @ RNG.normal(0, 1, (3, 6)) > 0).astype(int)
    history = untrained(Data(Table(INPUTS, labels=labels)), 6, "sigmoid", "binary_crossentropy")
    table = by_label(history, 0)
    rows = prepare(history.experiment.data, history.seed, 0)
    right = (by_hand(history, 0, rows.x) > 0) == rows.y
    assert table.right.sum() == right.sum()
    assert (table.right + table.wrong == 90).all()
    assert own_class(history, 0).epoch_3.sum() == labels.size
    assert measures(history, 0.9) == []

    classes = np.arange(90) % 30
    data = Data(Table(INPUTS, labels=classes), label_values=tuple(map(float, range(30))))
    history = untrained(data, 30, "softmax", "sparse_categorical_crossentropy")
    (first, _), (second, _) = figures.of_network(history, 0)
    assert {"all classes"} == values(spec(first.chart), "label")
    drawn = spec(second.chart)
    assert "by label" in second.alt
    assert len(values(drawn, "label")) == charts.MOST_LABELS
    assert rows_drawn(drawn) == 2 * charts.MOST_LABELS


def test_a_confusion_matrix_is_of_the_rows_of_the_run_whatever_number_is_the_first():
    data = Data(Table(INPUTS, (INPUTS[:, 0] > 0).astype(int)), hold_out=0.3)
    history = untrained(data, 1, "sigmoid", "binary_crossentropy")
    for array in history.weights:
        array[..., 1] = array[..., 0]
    later = figures.decisions(replace(history, first=1), 0).chart.tables["cells"]
    assert later == figures.decisions(history, 1).chart.tables["cells"]
    assert later != figures.decisions(history, 0).chart.tables["cells"]


def test_imbalanced_classes_have_their_balanced_accuracy_and_balanced_ones_have_not():
    rare = (np.arange(90) % 10 == 0).astype(int)
    data = Data(Table(INPUTS, labels=rare))
    history = untrained(data, 1, "sigmoid", "binary_crossentropy", runs=MOST_RUNS + 2)
    always = replace(
        history, weights=tuple(np.zeros_like(a) - (a.ndim == 3) for a in history.weights)
    )
    (balanced,) = measures(always, 0.9)
    assert (balanced.name, balanced.runs) == ("balanced accuracy", MOST_RUNS)
    assert balanced.text == "50%"
    even = untrained(Data(Blobs(samples=20), encoding="index"), 1, "sigmoid", "binary_crossentropy")
    assert measures(even, 0.5) == []


def test_the_constant_answer_is_written_as_the_runs_beside_it(monkeypatch):
    tiles = {}
    monkeypatch.setattr(curves, "_metric", lambda label, text, *_: tiles.update({label: text}))
    even = Data(Blobs(samples=20), encoding="index")
    stuck = untrained(even, 1, "sigmoid", "binary_crossentropy")
    curves._figures(replace(stuck, final_score=np.full(2, 0.526)), 0.526)
    assert tiles["Majority class"] == tiles["Median accuracy"] == "52.6%"


def test_charts_and_headline_speak_of_r2_and_of_the_mean():
    task = TASKS["regression"]
    frame = history_frame().assign(evaluated_score=lambda f: f.evaluated_score * 3 - 2)
    success = np.array([True, True, False, False])
    drawn = spec(
        charts.curves(
            frame, "evaluated_score", success, epochs=10, target=0.9, baseline=0.0, task=task
        )
    )
    assert values(drawn, "label") == {"target 0.90", "predicting\nthe mean\n0.00"}
    assert "R² after each epoch" in str(drawn)
    assert "ccuracy" not in str(drawn)
    final = np.array([0.95, 0.99, -0.1, -50])
    drawn = spec(charts.final_scores(final, success, 0.9, 0.0, task=task))
    assert "Final R²; 1 lower ones in the first bar" in str(drawn)
    assert sum(row["runs"] for row in drawn["datasets"]["runs"]) == 4
    history = untrained(curve(), 1)
    assert headline(history, 0.9) == "None of 2 runs ended at R² 0.9 or above"
    assert others(history, 0.9) == "All 2 are stuck."
