"""Where a network learns: which settings are tried, what is counted, and how it is drawn."""

import re
from dataclasses import replace

import numpy as np
import pytest

from core.experiment import Data, Dense, Model, Training
from core.fixes import STANDARDISE, sigmoid_output
from core.initialisers import INITIALISERS, initialiser
from core.problems import PROBLEMS
from core.sensitivity import AXES, Sensitivity, available, plan, sensitivity
from pages.elements.charts.sensitivity import CELL, Scale, learning_curve, learning_map
from pages.elements.sensitivity import framed
from support.charts import spec
from support.pages import opened, setting
from support.training import noisy_table, small

ASKED = PROBLEMS["threshold"].experiment


@pytest.mark.parametrize("problem", PROBLEMS)
def test_every_setting_is_tried_at_its_present_value_too(problem):
    experiment = PROBLEMS[problem].experiment
    for axis in available(experiment):
        values, present = axis.values(experiment), axis.present(experiment)
        assert len(set(values)) == len(values) > 1
        if axis.numeric:
            assert list(values) == sorted(values)
        cells = plan(experiment, (axis.name,))
        assert len(cells) > len(values) / 2
        if present is not None:
            assert cells[(values.index(present),)] is experiment
        others = {each for index, each in cells.items() if values[index[0]] != present}
        assert experiment not in others
        assert len(others) == len(cells) - (present is not None)


def test_a_setting_that_an_experiment_does_not_have_is_not_offered():
    names = {axis.name for axis in available(STANDARDISE.apply(ASKED))}
    assert "input-scale" not in names
    alone = replace(small("sigmoid"), model=Model((Dense(1, "sigmoid"),)))
    assert not {"units", "layers", "activation"} & {axis.name for axis in available(alone)}
    given = replace(alone, data=replace(alone.data, source=noisy_table()))
    assert "data-seed" not in {axis.name for axis in available(given)}
    for wrong in ((), ("units", "layers"), ("learning-rate", "learning-rate"), ("momentum",)):
        with pytest.raises(ValueError, match=r"varied|unknown setting"):
            plan(ASKED, wrong)
    with pytest.raises(ValueError, match="no inputs divided by to vary"):
        plan(STANDARDISE.apply(ASKED), ("input-scale",))


def test_values_that_do_not_fit_are_left_out():
    tiny = replace(small("sigmoid"), data=Data(noisy_table(rows=3)))
    shares = AXES["hold-out"].values(tiny)
    tried = [shares[index] for (index,) in plan(tiny, ("hold-out",))]
    assert tried == [0, 0.1, 0.2, 0.3, 0.4]  # half of three rows leave a single one


def test_layers_are_added_and_removed_before_the_output():
    put = AXES["layers"].put
    assert [layer.units for layer in put(1, ASKED).model.dense] == [3, 1]
    assert [layer.units for layer in put(4, ASKED).model.dense] == [3, 5, 5, 5, 1]


@pytest.mark.parametrize("name", INITIALISERS)
def test_a_scaled_initialiser_draws_so_many_times_as_much(name):
    kind = INITIALISERS[name]
    own = kind(np.eye(3)) if name == "given" else initialiser(kind())
    before, after = (
        each.draw((2, 3, 3), np.random.default_rng(1)) for each in (own, own.scaled(2.5))
    )
    np.testing.assert_allclose(after, 2.5 * before, rtol=1e-6)


@pytest.mark.tensorflow
def test_a_map_counts_what_training_each_setting_does():
    from core.training import train

    experiment, seen = small("sigmoid", epochs=3), []
    axes = ("learning-rate", "input-scale")
    where = sensitivity(experiment, axes, 2, seed=1, target=0.6, on_progress=seen.append)
    assert where.successes.shape == (16, 16)
    assert seen[-1].share == 1
    frame = where.frame()
    assert frame["learning-rate"].nunique() == 16
    assert 0 < frame["successes"].sum() < frame["runs"].sum() == 512
    for index in ((9, 8), (13, 12), where.place(experiment)):
        alone = train(where.cells[index], 2, seed=1)
        assert where.successes[index] == alone.successes(0.6).sum()
    assert where.place(replace(experiment, training=Training(epochs=4))) is None
    stopped = sensitivity(experiment, axes, 2, should_stop=lambda: True)
    assert stopped is None


# --- charts -------------------------------------------------------------------------------------


def made_up(axes, successes, experiment=ASKED):
    return Sensitivity(sigmoid_output(experiment), axes, 8, 0, 0.9, successes)


def test_a_map_shows_every_setting_and_outlines_the_region_that_learns():
    successes = np.zeros((16, 16), int)
    successes[4:6, 7:10] = 8
    successes[0, 0] = 7  # 88%: outside
    where = made_up(("learning-rate", "input-scale"), successes)
    chart = learning_map(*framed(where, (6, 3)))
    plain = spec(chart)
    cells = plain["datasets"]["cells"]
    assert len(cells) == 256
    assert {cell["result"] for cell in cells} == {"0 of 8 runs", "7 of 8 runs", "8 of 8 runs"}
    assert all(cell["x_low"] < cell["x"] < cell["x_high"] for cell in cells)
    lines = plain["datasets"]["region"]
    assert len(lines) == 2 * 2 + 2 * 3
    rates, divisors = where.values
    assert rates[3] < min(line["x"] for line in lines) < rates[4]
    assert divisors[9] < max(line["y2"] for line in lines) < divisors[10]
    (present,) = plain["datasets"]["present"]
    assert (present["x"], present["y"]) == (0.001, 1)
    params = [param["name"] for layer in plain["layer"] for param in layer.get("params", ())]
    assert CELL in params or CELL in [param["name"] for param in plain["params"]]
    none = spec(learning_map(*framed(where, None)))
    assert not none["datasets"]["present"]


def test_a_curve_shows_each_value_with_its_interval():
    successes = np.arange(16) // 2
    where = made_up(("learning-rate",), successes)
    plain = spec(learning_curve(*framed(where, (6,))))
    points = plain["datasets"]["points"]
    assert [point["result"] for point in points] == [f"{n // 2} of 8 runs" for n in range(16)]
    assert all(point["low"] <= point["rate"] <= point["high"] for point in points)
    assert plain["datasets"]["present"] == [{"x": 0.001}]


def test_linear_axes_have_a_tick_for_each_value():
    scale = Scale("Data seed", (0, 1, 2, 3), "0123", log=False)
    assert scale.edges == [-0.5, 0.5, 1.5, 2.5, 3.5]
    assert scale.ticks == [0, 1, 2, 3]
    assert Scale("Batch size", (2, 4, 8), "248", log=True).ticks == [2, 4, 8]


@pytest.mark.tensorflow
def test_the_tab_says_what_it_would_train_and_how_long_that_takes():
    app = opened("two-blob", tab="Where it learns", epochs="20")
    button = app.button(key="two-blob.where-start")
    assert re.match(r"Train 256 settings, 8 runs each \(about .+ s\)", button.label)
    setting(app, "two-blob.where.y").set_value("none").run()
    assert app.button(key="two-blob.where-start").label.startswith("Train 16 settings, 32 runs")
    setting(app, "two-blob.where.x").set_value("units").run()
    assert setting(app, "two-blob.where.y").disabled
    assert app.button(key="two-blob.where-start").label.startswith("Train 10 settings")
    app.button(key="two-blob-reset").click().run()
    assert not app.exception
    assert "Inputs divided by" in setting(app, "two-blob.where.x").options
    setting(app, "two-blob.scaling").set_value("standardise").run()
    assert "Inputs divided by" not in setting(app, "two-blob.where.x").options
    assert not app.exception
