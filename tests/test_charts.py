"""What a reader of the charts would miss; how they look is for eyes."""

import json
import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from core.history import IMPROVING, LOST, OUTCOMES, STUCK, SUCCEEDED
from core.inspection import Surface
from core.problems import PROBLEMS
from core.rates import Rate
from pages.elements import charts, figures
from pages.elements.charts.spec import FAILED, LINE, named
from pages.elements.findings import typical
from pages.elements.problem_page import LIVE_EPOCHS, drawn_epochs
from support.charts import domains, history_frame, response, rows_drawn, spec, values, views
from support.diagnosis import TWO_BLOB, history
from support.histories import made_up


def test_axes_are_fixed_from_the_first_epoch_on():
    for seen in (1, 3, 10):
        frame = history_frame()
        growing = spec(charts.curves(frame[frame.epoch <= seen], "score", None, epochs=10))
        assert set(map(tuple, domains(growing, "x"))) == {(1, 10)}
        assert set(map(tuple, domains(growing, "y"))) == {(0, 1)}


def test_a_growing_chart_changes_in_its_data_alone():
    frame = history_frame()

    def form(seen):
        drawn = spec(charts.curves(frame[frame.epoch <= seen], "score", None, epochs=10))
        drawn.pop("datasets")
        return drawn

    # Streamlit keeps the drawing where only the data differ.
    assert form(2) == form(5)


def test_another_training_needs_no_form_of_its_own():
    """Altair makes and checks a form in the time in which a dozen charts are filled in."""
    for measure in ("score", "loss"):
        drawn = [
            charts.curves(history_frame(runs, epochs), measure, freed, epochs=epochs, target=0.9)
            for runs, epochs, freed in ((4, 10, np.ones(4, bool)), (9, 30, np.arange(9) > 5))
        ]
        assert drawn[0].form == drawn[1].form
        assert drawn[0].spec() != drawn[1].spec()
    spreads = [
        charts.final_scores(np.array(final), np.array(final) > 0.9, 0.9)
        for final in ([0.5, 1.0], [0.1])
    ]
    assert spreads[0].form == spreads[1].form
    seen = [
        charts.response_view(response(epochs), epochs, 0, 50.0) for epochs in ([0, 1, 2], [0, 50])
    ]
    assert seen[0].form == seen[1].form


def test_a_training_of_one_epoch_can_be_drawn():
    drawn = spec(charts.curves(history_frame(epochs=1), "score", None, epochs=1, target=0.9))
    low, high = domains(drawn, "x")[0]
    assert low < 1 < high
    assert any(view["mark"]["type"] == "point" for view in views(drawn))


def test_numbers_that_are_none_and_logs_of_nothing_are_left_out():
    frame = history_frame()
    frame.loc[0, "loss"] = np.nan
    frame.loc[1, "loss"] = np.inf
    frame.loc[2, "loss"] = 0
    assert rows_drawn(spec(charts.curves(frame, "loss", None, epochs=10))) == 38
    assert rows_drawn(spec(charts.curves(frame, "loss", None, epochs=10, log=True))) == 37
    nothing = history_frame(score=np.nan)
    success = np.zeros(4, bool)
    spec(charts.curves(nothing, "score", success, epochs=10, target=0.9))
    spec(charts.curves(history_frame(), "val_score", None, epochs=10))


def test_the_rules_say_what_they_are():
    drawn = spec(charts.curves(history_frame(), "score", None, epochs=10, target=0.9))
    assert values(drawn, "label") == {"target 90%"}
    drawn = spec(charts.curves(history_frame(), "score", None, epochs=10, target=0.9, baseline=0.5))
    assert values(drawn, "label") == {"target 90%", "majority\nclass 50%"}
    drawn = spec(charts.curves(history_frame(), "loss", None, epochs=10, target=0.9))
    assert values(drawn, "label") == set()


@pytest.mark.parametrize(("baseline", "apart"), [(0.5, 160.0), (0.88, 19.5), (0.9, 19.5)])
def test_labels_of_rules_stand_beside_the_plot_and_apart_from_each_other(baseline, apart):
    drawn = charts.curves(
        history_frame(), "score", None, epochs=10, target=0.9, baseline=baseline, height=400
    )
    rules = drawn.tables["rules"].to_pandas()
    lines = rules["label"].str.count("\n")
    middles = -400 * rules["at"] + rules["dy"] + LINE / 2 * lines
    assert abs(middles.diff()[1]) == pytest.approx(apart)
    labels = [layer for layer in drawn.spec()["layer"] if "lineBreak" in str(layer.get("mark"))]
    assert [layer["encoding"]["x"] for layer in labels] == [{"value": "width"}]


def test_each_outcome_has_a_colour_of_the_theme_a_dash_and_a_shape():
    outcomes = np.array([SUCCEEDED, STUCK, IMPROVING, STUCK])
    for known, domain in ((outcomes, list(OUTCOMES)), (outcomes == SUCCEEDED, [SUCCEEDED, FAILED])):
        drawn = spec(charts.curves(history_frame(), "evaluated_score", known, epochs=10))
        line = next(view for view in views(drawn) if "strokeDash" in view["encoding"])
        end = next(view for view in views(drawn) if "shape" in view["encoding"])
        assert line["encoding"]["color"]["scale"] == {"domain": domain}
        dashes = line["encoding"]["strokeDash"]["scale"]
        assert dashes["domain"] == domain
        assert len({str(dash) for dash in dashes["range"]}) == len(domain)
        shape = end["encoding"]["shape"]
        marks = {shape["value"], *(case["value"] for case in shape["condition"])}
        assert len(marks) == len(domain)
        assert values(drawn, "outcome") == set(named(known))


def test_the_legend_lists_the_outcomes_that_occur_and_counts_all_runs():
    def legend(drawn) -> dict:
        counts = {param["name"]: param.get("value") for param in spec(drawn)["params"]}
        line = next(view for view in views(spec(drawn)) if "strokeDash" in view["encoding"])
        shown = line["encoding"]["color"]["legend"]
        assert "run_counts" in shown["labelExpr"]
        assert shown["values"] == counts["occurring"]
        return dict(zip(counts["occurring"], counts["run_counts"], strict=True))

    frame = history_frame(600, 10)
    outcomes = np.array([STUCK] * 599 + [LOST])
    many = charts.curves(frame, "evaluated_score", outcomes, epochs=10)
    assert rows_drawn(spec(many)) < len(frame), "some are left out"
    assert legend(many) == {STUCK: 599, LOST: 1}
    success = np.array([True, True, False, False])
    some = charts.curves(history_frame(), "evaluated_score", success, epochs=10, whole=Rate(46, 64))
    assert legend(some) == {SUCCEEDED: 46, FAILED: 18}


def test_an_axis_says_whether_it_shows_the_end_of_an_epoch_or_its_mean():
    titles = {
        measure: json.dumps(spec(charts.curves(history_frame(), measure, None, epochs=10)))
        for measure in ("evaluated_score", "score", "evaluated_loss", "loss")
    }
    assert "Accuracy after each epoch" in titles["evaluated_score"]
    assert "Accuracy during each epoch" in titles["score"]
    assert "Loss after each epoch" in titles["evaluated_loss"]
    assert "Loss during each epoch" in titles["loss"]


def test_an_all_but_constant_loss_is_not_magnified():
    frame = history_frame(1, 10, loss=np.linspace(7.960136, 7.960148, 10))
    for drawn in (
        spec(charts.curves(frame, "loss", None, epochs=10)),
        spec(charts.overlay(frame, frame, "loss", epochs=10)),
    ):
        low, high = (row["value"] for row in drawn["datasets"]["span"])
        assert low < 7.9 < 8 < high
        (layer,) = [v for v in views(drawn) if v.get("data") == {"name": "span"}]
        assert layer["encoding"]["y"]["field"] == "value"


def test_losses_far_apart_need_a_logarithmic_axis():
    assert charts.wide(np.array([[8_000.0, np.nan], [0.7, 0.5]]))
    assert not charts.wide(np.array([8.0, 0.5]))
    assert not charts.wide(np.array([8_000.0, 0.0])), "0 has no place on it"
    assert not charts.wide(np.array([np.nan, np.inf]))


@pytest.mark.parametrize(("runs", "epochs"), [(512, 10), (512, 50), (64, 500), (4096, 30)])
def test_a_chart_stays_within_its_rows_and_keeps_the_ends(runs, epochs):
    frame = history_frame(runs, epochs)
    thinned = charts.thin(frame)
    assert len(thinned.frame) <= charts.MAX_ROWS
    assert {1, epochs} <= set(thinned.frame.epoch)
    final = frame[frame.epoch == epochs].set_index("run").evaluated_score
    assert {final.idxmin(), final.idxmax()} <= set(thinned.frame.run)
    assert thinned.frame.run.nunique() == thinned.drawn
    said = str(thinned)
    assert said == ("" if runs == 64 else f"{thinned.drawn:,} of {runs:,} runs drawn")
    drawn = spec(charts.curves(frame, "evaluated_score", final.to_numpy() > 0.9, epochs=epochs))
    assert rows_drawn(drawn) <= charts.MAX_ROWS


def test_the_median_is_of_all_runs_and_not_of_those_drawn():
    frame = history_frame(2_000, 10)
    drawn = spec(charts.curves(frame, "score", None, epochs=10))
    medians = [row for rows in drawn["datasets"].values() for row in rows if "what" in row]
    expected = frame.groupby("epoch").score.median()
    assert [row["value"] for row in medians] == pytest.approx(expected.tolist())


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("measure", ["loss", "evaluated_score"])
def test_every_table_has_its_place_in_the_chart(measure, log):
    """A browser that is handed one without a place fails as it fills in the next one."""
    for drawn in (
        charts.curves(history_frame(), measure, None, epochs=10, target=0.9, log=log),
        charts.curves(history_frame(1), measure, np.array([True]), epochs=10, log=log),
        charts.overlay(history_frame(), history_frame(1), measure, epochs=10, log=log),
    ):
        assert all(f'"name": "{name}"' in drawn.form for name in drawn.tables)


def test_one_run_is_not_hidden_by_its_own_median():
    drawn = spec(charts.curves(history_frame(1), "loss", np.array([False]), epochs=10))
    assert not any(view.get("data") == {"name": "median"} for view in views(drawn))


def test_an_accuracy_at_the_target_is_in_the_bin_above_it():
    final = np.array([0.9, 0.89, 1.0, 0.0, np.nan], np.float32)
    outcomes = np.array([SUCCEEDED, IMPROVING, SUCCEEDED, STUCK, STUCK])
    drawn = spec(charts.final_scores(final, outcomes, 0.9, 0.5))
    bars = [row for rows in drawn["datasets"].values() for row in rows if "bin" in row]
    assert {(row["bin"], row["outcome"]) for row in bars} == {
        (45, "succeeded"),
        (44, "still improving"),
        (49, "succeeded"),
        (0, "stuck"),
    }
    assert domains(drawn, "x") == [[0, 1]]
    assert values(drawn, "line") == {"target 90%", "majority class 50%"}
    assert "1 without a number left out" in json.dumps(drawn)


def test_a_rate_is_drawn_with_its_interval_and_its_count():
    frame = pd.DataFrame(
        [("As asked", 0.25, 0.16, 0.37, 16, 64)],
        columns=["label", "rate", "low", "high", "successes", "runs"],
    )
    drawn = spec(charts.rate(frame))
    assert values(drawn, "text") == {"16 of 64"}
    assert [0, 1] in domains(drawn, "x")
    assert any("x2" in view["encoding"] for view in views(drawn))


def test_a_named_rate_is_marked_and_the_required_one_is_drawn():
    frame = pd.DataFrame(
        [("As asked", 0.25, 0.16, 0.37, 16, 64, False), ("Both", 1, 0.94, 1, 64, 64, True)],
        columns=["label", "rate", "low", "high", "successes", "runs", "named"],
    )
    drawn = spec(charts.rate(frame, required=0.9))
    assert values(drawn, "text") == {"16 of 64", f"{charts.NAMED} 64 of 64"}
    assert values(drawn, "required") == {0.9}
    assert not values(spec(charts.rate(frame)), "required")


def test_the_one_run_that_differs_from_all_others_is_drawn_strongest():
    outcomes = np.array(["stuck"] * 63 + ["lost again"])
    drawn = charts.curves(history_frame(64), "evaluated_score", outcomes, epochs=10)
    strength = drawn.tables["runs"].to_pandas().groupby("outcome")["strength"].first()
    assert strength["lost again"] > 2 * strength["stuck"] > 0


@pytest.mark.parametrize("long", [False, True])
def test_rows_have_room_for_a_second_line_of_labels_that_a_phone_would_cut(long):
    label = "Sigmoid output" + " + Shuffle without losing rows" * long
    frame = pd.DataFrame({"label": [label], "rate": 0.5, "low": 0.2, "high": 0.8, "text": ""})
    drawn = spec(charts.rate(frame))
    axis = next(views(drawn))["encoding"]["y"]["axis"]
    assert ("labelExpr" in axis) == (drawn["height"] > 50) == long


@pytest.mark.parametrize(
    ("unit", "value", "words"),
    [(charts.POINTS, 0.0, "0.0 percentage points"), (charts.PERCENT, 0.5, "50.0%"), ("", 7.0, "7")],
)
def test_the_bar_of_a_single_measured_value_is_centred_on_it(unit, value, words):
    drawn = spec(charts.measured(np.full(4, value), np.ones(4, bool), "Value", unit=unit))
    (bar,) = drawn["datasets"]["runs"]
    assert (bar["left"] + bar["right"]) / 2 == pytest.approx(value)
    assert bar["what"] == words


def test_differences_are_drawn_in_points_as_they_are_written():
    drawn = spec(charts.measured([0.1, -0.2], [True, False], "Change", unit=charts.POINTS))
    lefts = [bar["left"] for bar in drawn["datasets"]["runs"]]
    assert min(lefts) == pytest.approx(-20, abs=0.5)
    assert next(views(drawn))["encoding"]["x"]["title"] == "Change in percentage points"


def test_no_axis_leaves_its_digits_to_vega_which_writes_20_as_2e1():
    frame = pd.DataFrame({"x0": [0.0], "x1": 1.0, "y0": 0.0, "y1": 1.0, "epoch_1": 0.5})
    samples = pd.DataFrame({"x": [0.0], "y": 0.0, "label": 0, "epoch_1": True})
    surface = charts.surface_view(Surface([1], frame, samples, "1"), 0)
    loss = charts.curves(history_frame(), "loss", None, epochs=10)
    assert all('"format": "~g"' not in chart.form for chart in (surface, loss))


def test_contributions_are_percentage_points_with_a_tick_at_zero():
    frame = pd.DataFrame({"fix": ["a", "b"], "value": [0.43, -0.1], "low": [0.3, -0.2]})
    drawn = spec(charts.contributions(frame.assign(high=[0.5, -0.05])))
    assert values(drawn, "text") == {"+43", "\u221210"}
    assert values(drawn, "required") == {0}
    assert values(drawn, "outcome") == {"succeeded", "failed"}
    alike = frame.assign(value=0.0, low=0.0, high=[0.5, 0.0], identical=[False, True])
    assert values(spec(charts.contributions(alike)), "text") == {"0", "identical"}


def test_confusion_shows_counts_and_the_share_of_each_label():
    frame = pd.DataFrame(
        [("1", "1", 30), ("1", "none", 10), ("2", "1", 0), ("2", "none", 0)],
        columns=["actual", "predicted", "count"],
    )
    drawn = spec(charts.confusion(frame, "Run 3"))
    assert drawn["title"]["text"] == "Run 3"
    assert drawn["title"]["subtitle"] == "After the last epoch"
    assert values(drawn, "share") == {0.75, 0.25, 0.0}
    assert values(drawn, "count") == {30, 10, 0}


def test_the_reference_run_is_dashed_beside_the_run_that_it_repeats():
    frame = history_frame(64)
    drawn = spec(charts.overlay(frame, history_frame(1), "evaluated_loss", epochs=10))
    names = ["64 stacked runs", "run 0 of the stack", "run 0 with model.fit"]
    assert values(drawn, "series") == set(names)
    lines = [view["encoding"] for view in views(drawn) if "strokeDash" in view["encoding"]]
    assert lines[0]["color"]["scale"]["domain"] == names
    assert len(set(lines[0]["color"]["scale"]["range"])) == 3
    dashes = lines[0]["strokeDash"]["scale"]["range"]
    assert dashes[1] != dashes[2]
    same = [row["value"] for row in drawn["datasets"]["same"]]
    assert same == pytest.approx(frame[frame.run == 0].evaluated_loss.tolist())


def test_combinations_say_their_rates_and_colours_over_their_own_epochs():
    parts = [
        history_frame(epochs=epochs).assign(
            combination=name, success=history_frame(epochs=epochs).run < freed
        )
        for name, freed, epochs in (("As asked", 0, 10), ("Both", 3, 500))
    ]
    panels = [spec(panel) for panel in charts.combinations(pd.concat(parts))]
    titles = [panel["title"]["text"] for panel in panels]
    assert titles == ["0 of 4 succeeded", "3 of 4 succeeded"]
    assert {tuple(domains(panel, "y")[0]) for panel in panels} == {(0, 1)}
    assert [domains(panel, "x")[0] for panel in panels] == [[1, 10], [1, 500]]
    for panel in panels:
        encodings = [view["encoding"] for view in views(panel)]
        assert not any(each.get("color", {}).get("legend") for each in encodings), (
            "the page has one"
        )
        assert encodings[0]["y"]["axis"]["format"] == ".0%"


def test_a_combination_shows_the_accuracy_that_decides():
    frame = history_frame().assign(combination="As asked", success=True)
    for shown, column in (
        (frame, "evaluated_score"),
        (frame.assign(val_score=0.25), "val_score"),
    ):
        (panel,) = charts.combinations(shown)
        expected = set(shown[column].astype("float32"))
        assert set(panel.tables["runs"]["value"].to_pylist()) == expected


def test_the_health_of_runs_that_failed_and_succeeded_share_axes_and_keep_zeros():
    rows = [
        (run, epoch, layer, 0.0 if run else 0.1 * epoch, run == 1)
        for run in range(2)
        for epoch in (1, 2)
        for layer in ("layer 1", "output")
    ]
    frame = pd.DataFrame(rows, columns=["run", "epoch", "layer", "value", "stuck"])
    panels = [spec(p) for p in charts.health(frame, "gradient_norm", epochs=2, log=True)]
    assert [panel["title"]["text"] for panel in panels] == ["Failed: 1 run", "Succeeded: 1 run"]
    assert domains(panels[0], "y") == domains(panels[1], "y")
    assert min(values(panels[0], "middle")) == domains(panels[0], "y")[0][0] > 0
    (panel,) = charts.health(frame[~frame.stuck], "gradient_norm", epochs=2, log=True)
    assert panel.values["least"] == min(panel.values["ticks"]) == 0.1, "no zeros, no place"
    only_stuck = frame[frame.stuck]
    (panel,) = charts.health(only_stuck, "gradient_norm", epochs=2, log=True)
    assert not any(view["mark"].get("point") for view in views(spec(panel)))
    first = frame.assign(value=frame["value"].where(frame["epoch"] == 1))
    panel, _ = charts.health(first, "gradient_norm", epochs=2, log=True)
    assert any(view["mark"].get("point") for view in views(spec(panel))), "a line needs two"


def test_health_that_is_no_number_is_not_measured_and_a_text_is_in_place_of_its_charts():
    made = history(TWO_BLOB, gradient_norm=np.full((10, 2, 4), np.nan, np.float32))
    assert figures.measured_health(made) == ("update_ratio",)
    assert figures.health(made, "gradient_norm", 0.9) == []

    def page(made):
        from pages.elements.tabs import layers

        layers._draw_health(made, "gradient_norm", 0.9)

    app = AppTest.from_function(page, args=(made,)).run()
    assert [caption.value for caption in app.caption] == [figures.NO_HEALTH]


def test_the_themes_first_two_colours_are_those_of_succeeded_and_failed():
    theme = (Path(__file__).parents[1] / ".streamlit" / "config.toml").read_text()
    light, dark = re.findall(r'chartCategoricalColors = \["(#\w+)", "(#\w+)"', theme)
    assert light == ("#0072b2", "#d55e00")
    assert dark[0] != dark[1]


def test_outputs_far_from_the_threshold_are_counted_at_the_edges():
    drawn = charts.outputs(np.array([-9.0, 0.2, 0.7, 24_000.0, np.nan]), 3, 0.5)
    bins = drawn.tables["bins"].to_pandas()
    assert (bins["low"].min(), bins["high"].max()) == (-0.5, 1.5)
    assert bins["samples"].iloc[[0, -1]].tolist() == [1, 1]
    assert bins["samples"].sum() == 4
    assert drawn.tables["rules"]["at"].to_pylist() == [0.5]
    probabilities = charts.outputs(np.array([0.1, 0.9]), 0, 0.5).tables["bins"].to_pandas()
    assert (probabilities["low"].min(), probabilities["high"].max()) == (0, 1)
    measured = charts.outputs(np.array([3.0, 40.0]), 0).tables
    assert max(measured["bins"]["high"].to_pylist()) == 40
    assert not measured["rules"]


def test_epochs_that_are_drawn_while_a_training_runs_stay_or_every_other_is_left_out():
    epochs = [SimpleNamespace(number=number) for number in range(1, 400)]
    before: list = []
    for many in range(1, len(epochs)):
        now = [epoch.number for epoch in drawn_epochs(epochs[:many])]
        assert len(now) <= LIVE_EPOCHS + 1
        assert now[-1] == many
        assert now[0] == 1
        assert now[: len(before) - 1] == before[:-1] or now[:-1] == before[::2][: len(now) - 1]
        before = now


@pytest.mark.parametrize(("failed", "run"), [((0, 1, 2), 2), ((0, 1), 1), ((0,), 0), ((), 0)])
def test_the_picture_of_outputs_is_of_a_failed_run_with_one_output_for_every_row(failed, run):
    shapes = ((1, 3), (3,), (3, 5), (5,), (5, 1), (1,))
    weights = [np.ones((1, *shape, 4), np.float32) for shape in shapes]
    for array in weights:
        array[..., 1:] = 0
    weights[-1][..., 1] = 3
    curves = np.ones((1, 4), np.float32)
    experiment = PROBLEMS["threshold"].experiment
    history = made_up(experiment, curves, curves, weights=tuple(weights))
    assert typical(history, np.isin(np.arange(4), failed)) == run
