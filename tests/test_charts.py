"""What a reader of the charts would miss; how they look is for eyes."""

import json
import re
from pathlib import Path

import altair as alt
import numpy as np
import pandas as pd
import pytest

from core.view import PROBABILITY, Surface
from pages.elements import charts


def history_frame(runs=4, epochs=10, **columns) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "run": np.repeat(np.arange(runs), epochs),
            "epoch": np.tile(np.arange(1, epochs + 1), runs),
            "loss": rng.uniform(0.1, 8, runs * epochs),
            "accuracy": rng.uniform(0, 1, runs * epochs),
            "val_loss": np.nan,
            "val_accuracy": np.nan,
        }
    )
    return frame.assign(**columns)


def spec(chart: charts.Chart) -> dict:
    """The specification, checked against Vega-Lite's schema, with its numbers where they stand."""
    plain = chart.to_dict()
    # The form was checked without them.
    alt.Chart.from_dict(plain | {"datasets": {}})
    named = {p["name"]: p["value"] for p in plain.get("params", ()) if "value" in p}

    def filled(node):
        if isinstance(node, dict):
            if set(node) == {"expr"} and node["expr"] in named:
                return named[node["expr"]]
            return {name: filled(child) for name, child in node.items()}
        return [filled(child) for child in node] if isinstance(node, list) else node

    return filled(plain)


def views(node: dict):
    """Every view with a mark, at whatever depth."""
    if "mark" in node:
        yield node
    for kind in ("layer", "vconcat"):
        for child in node.get(kind, ()):
            yield from views(child)


def domains(specification: dict, channel: str) -> list:
    found = []
    for view in views(specification):
        scale = view.get("encoding", {}).get(channel, {}).get("scale")
        if scale and "domain" in scale:
            found.append(scale["domain"])
    return found


def rows_drawn(specification: dict) -> int:
    return max(len(rows) for rows in specification["datasets"].values())


def values(specification: dict, column: str) -> set:
    rows = (row for data in specification["datasets"].values() for row in data)
    return {row[column] for row in rows if column in row}


def test_axes_are_fixed_from_the_first_epoch_on():
    for seen in (1, 3, 10):
        frame = history_frame()
        growing = spec(charts.curves(frame[frame.epoch <= seen], "accuracy", None, epochs=10))
        assert set(map(tuple, domains(growing, "x"))) == {(1, 10)}
        assert set(map(tuple, domains(growing, "y"))) == {(0, 1)}


def test_a_growing_chart_changes_in_its_data_alone():
    frame = history_frame()

    def form(seen):
        drawn = spec(charts.curves(frame[frame.epoch <= seen], "accuracy", None, epochs=10))
        drawn.pop("datasets")
        return drawn

    # Streamlit keeps the drawing where only the data differ.
    assert form(2) == form(5)


def test_another_training_needs_no_form_of_its_own():
    """Altair makes and checks a form in the time in which a dozen charts are filled in."""
    for measure in ("accuracy", "loss"):
        drawn = [
            charts.curves(history_frame(runs, epochs), measure, freed, epochs=epochs, target=0.9)
            for runs, epochs, freed in ((4, 10, np.ones(4, bool)), (9, 30, np.arange(9) > 5))
        ]
        assert drawn[0].form == drawn[1].form
        assert drawn[0].spec() != drawn[1].spec()
    spreads = [charts.final_accuracies(np.array(final), 0.9) for final in ([0.5, 1.0], [0.1])]
    assert spreads[0].form == spreads[1].form
    seen = [charts.threshold_view(response(epochs), epochs) for epochs in ([0, 1, 2], [0, 50])]
    assert seen[0].form == seen[1].form


def test_a_training_of_one_epoch_can_be_drawn():
    drawn = spec(charts.curves(history_frame(epochs=1), "accuracy", None, epochs=1, target=0.9))
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
    nothing = history_frame(accuracy=np.nan)
    success = np.zeros(4, bool)
    spec(charts.curves(nothing, "accuracy", success, epochs=10, target=0.9))
    spec(charts.curves(history_frame(), "val_accuracy", None, epochs=10))


def test_the_rules_say_what_they_are():
    drawn = spec(charts.curves(history_frame(), "accuracy", None, epochs=10, target=0.9))
    assert values(drawn, "label") == {"target 0.90"}
    drawn = spec(
        charts.curves(history_frame(), "accuracy", None, epochs=10, target=0.9, majority=0.5)
    )
    assert values(drawn, "label") == {"target 0.90", "majority class 0.50"}
    drawn = spec(charts.curves(history_frame(), "loss", None, epochs=10, target=0.9))
    assert values(drawn, "label") == set()


def test_an_outcome_has_its_colour_from_the_theme_and_a_dash():
    success = np.array([True, False, False, False])
    drawn = spec(charts.curves(history_frame(), "accuracy", success, epochs=10))
    line = next(view for view in views(drawn) if "strokeDash" in view["encoding"])
    assert line["encoding"]["color"]["scale"] == {"domain": ["freed", "stuck"]}
    assert line["encoding"]["strokeDash"]["scale"]["range"][0] != [4, 2]
    assert "freed_runs" in line["encoding"]["color"]["legend"]["labelExpr"]
    counts = {param["name"]: param.get("value") for param in drawn["params"]}
    assert (counts["freed_runs"], counts["stuck_runs"]) == (1, 3)


@pytest.mark.parametrize(("runs", "epochs"), [(512, 10), (512, 50), (64, 500), (4096, 30)])
def test_a_chart_stays_within_its_rows_and_keeps_the_ends(runs, epochs):
    frame = history_frame(runs, epochs)
    thinned = charts.thin(frame)
    assert len(thinned.frame) <= charts.MAX_ROWS
    assert {1, epochs} <= set(thinned.frame.epoch)
    final = frame[frame.epoch == epochs].set_index("run").accuracy
    assert {final.idxmin(), final.idxmax()} <= set(thinned.frame.run)
    assert thinned.frame.run.nunique() == thinned.drawn
    said = str(thinned)
    assert said == ("" if runs == 64 else f"{thinned.drawn:,} of {runs:,} runs drawn")
    drawn = spec(charts.curves(frame, "accuracy", final.to_numpy() > 0.9, epochs=epochs))
    assert rows_drawn(drawn) <= charts.MAX_ROWS


def test_the_median_is_of_all_runs_and_not_of_those_drawn():
    frame = history_frame(2_000, 10)
    drawn = spec(charts.curves(frame, "accuracy", None, epochs=10))
    medians = [row for rows in drawn["datasets"].values() for row in rows if "what" in row]
    expected = frame.groupby("epoch").accuracy.median()
    assert [row["value"] for row in medians] == pytest.approx(expected.tolist())


def test_an_accuracy_at_the_target_is_freed_and_in_the_bin_above_it():
    final = np.array([0.9, 0.89, 1.0, 0.0, np.nan], np.float32)
    drawn = spec(charts.final_accuracies(final, 0.9, 0.5))
    bars = [row for rows in drawn["datasets"].values() for row in rows if "bin" in row]
    assert {(row["bin"], row["outcome"]) for row in bars} == {
        (45, "freed"),
        (44, "stuck"),
        (49, "freed"),
        (0, "stuck"),
    }
    assert domains(drawn, "x") == [[0, 1]]
    assert values(drawn, "label") == {"target 0.90", "majority class 0.50"}
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


def test_contributions_are_percentage_points_around_a_zero_rule():
    frame = pd.DataFrame({"fix": ["a", "b"], "value": [0.43, -0.1], "low": [0.3, -0.2]})
    drawn = spec(charts.contributions(frame.assign(high=[0.5, -0.05])))
    assert values(drawn, "text") == {"+43 pp", "\u221210 pp"}
    assert values(drawn, "at") == {0}
    assert values(drawn, "outcome") == {"freed", "stuck"}


def test_confusion_shows_counts_and_the_share_of_each_label():
    frame = pd.DataFrame(
        [("1", "1", 30), ("1", "none", 10), ("2", "1", 0), ("2", "none", 0)],
        columns=["actual", "predicted", "count"],
    )
    drawn = spec(charts.confusion(frame))
    assert values(drawn, "share") == {0.75, 0.25, 0.0}
    assert values(drawn, "count") == {30, 10, 0}


def test_the_reference_run_is_named_and_dashed():
    drawn = spec(charts.overlay(history_frame(64), history_frame(1), "loss", epochs=10))
    assert values(drawn, "series") == {"64 stacked runs", "one run of model.fit"}
    dashes = [view["encoding"]["strokeDash"]["scale"]["range"] for view in views(drawn)]
    assert dashes[0][0] != dashes[0][1]


def test_combinations_share_their_axes_and_say_their_rates():
    parts = [
        history_frame().assign(combination=name, success=history_frame().run < freed)
        for name, freed in (("As asked", 0), ("Both", 3))
    ]
    panels = [spec(panel) for panel in charts.combinations(pd.concat(parts), epochs=10)]
    assert [panel["title"]["text"] for panel in panels] == ["0 of 4 freed", "3 of 4 freed"]
    assert {tuple(domains(panel, "y")[0]) for panel in panels} == {(0, 1)}


def test_stuck_and_freed_runs_health_share_axes_and_keep_zeros():
    rows = [
        (run, epoch, layer, 0.0 if run else 0.1 * epoch, run == 1)
        for run in range(2)
        for epoch in (1, 2)
        for layer in ("layer 1", "output")
    ]
    frame = pd.DataFrame(rows, columns=["run", "epoch", "layer", "value", "stuck"])
    panels = [spec(p) for p in charts.health(frame, "gradient_norm", epochs=2, log=True)]
    assert [panel["title"]["text"] for panel in panels] == ["Stuck: 1 run", "Freed: 1 run"]
    assert domains(panels[0], "y") == domains(panels[1], "y")
    assert min(values(panels[0], "median")) == domains(panels[0], "y")[0][0] > 0
    only_stuck = frame[frame.stuck]
    assert len(charts.health(only_stuck, "gradient_norm", epochs=2, log=True)) == 1


def response(epochs, units=3) -> pd.DataFrame:
    x = np.linspace(0, 100, 200)
    names = [PROBABILITY, *(f"layer 1, unit {k + 1}" for k in range(units))]
    return pd.concat(
        pd.DataFrame(
            {"key": key, "epoch": epoch, "x": x, "unit": unit, "value": x * (place % 2) * epoch}
        )
        for key, epoch in enumerate(epochs)
        for place, unit in enumerate(names)
    )


def test_the_slider_runs_over_the_key_epochs_and_starts_at_the_last():
    epochs = [0, 10, 20, 30]
    drawn = spec(charts.threshold_view(response(epochs), epochs))
    params = {param["name"]: param for param in drawn["params"]}
    bind = params["epoch"]["bind"]
    assert (bind["min"], bind["max"], bind["step"]) == (0, 30, 10)
    assert params["epoch"]["value"] == 30
    assert all(f"'epoch_{number}'" in params["shown"]["expr"] for number in epochs)


def test_one_key_epoch_needs_no_slider():
    drawn = spec(charts.threshold_view(response([0]), [0]))
    assert not any("bind" in param for param in drawn["params"])


def test_the_threshold_view_names_dead_units_and_stays_within_its_rows():
    epochs = list(range(0, 600, 10))
    drawn = spec(charts.threshold_view(response(epochs, units=24), epochs))
    assert "dead: always 0" in values(drawn, "epoch_590")
    assert "threshold 50" in values(drawn, "label")
    assert rows_drawn(drawn) <= charts.MAX_ROWS
    assert max(len(rows[0]) for rows in drawn["datasets"].values()) < 25


def test_a_network_of_numbers_that_are_none_can_be_drawn():
    frame = response([0, 1]).assign(value=np.nan)
    spec(charts.threshold_view(frame, [0, 1]))
    frame = response([0, 1]).assign(value=np.inf)
    assert "not a number" in values(spec(charts.threshold_view(frame, [0, 1])), "epoch_0")


def test_the_surface_has_its_samples_its_units_and_the_slider():
    cells = pd.DataFrame(
        {"x0": [0, 0, 1, 1], "x1": [1, 1, 2, 2], "y0": [0, 1, 0, 1], "y1": [1, 2, 1, 2]}
    )
    cells = cells.assign(epoch_0=0.5, epoch_7=[0.1, 0.2, 0.8, np.nan])
    surface = Surface(
        epochs=[0, 7],
        output=cells,
        hidden=cells.assign(unit="layer 1, unit 1"),
        samples=pd.DataFrame({"x": [0.5, 1.5], "y": [0.5, 1.5], "label": ["1", "2"]}),
        label="2",
    )
    drawn = spec(charts.surface_view(surface))
    (slider,) = [param for param in drawn["params"] if "bind" in param]
    assert (slider["name"], slider["bind"]["max"]) == ("epoch", 7)
    assert "layer 1, unit 1" in values(drawn, "unit")
    assert any("shape" in view["encoding"] for view in views(drawn))
    assert "flat at 0.5" in values(drawn, "epoch_0")


def test_the_themes_first_two_colours_are_freed_and_stuck():
    theme = (Path(__file__).parents[1] / ".streamlit" / "config.toml").read_text()
    light, dark = re.findall(r'chartCategoricalColors = \["(#\w+)", "(#\w+)"', theme)
    assert light == ("#0072b2", "#d55e00")
    assert dark[0] != dark[1]


def test_outputs_far_from_the_threshold_are_counted_at_the_edges():
    drawn = charts.outputs(np.array([-9.0, 0.2, 0.7, 24_000.0, np.nan]), 3, 0.5)
    bins = drawn.tables["bins"]
    assert (bins["low"].min(), bins["high"].max()) == (-0.5, 1.5)
    assert bins["samples"].iloc[[0, -1]].tolist() == [1, 1]
    assert bins["samples"].sum() == 4
    assert drawn.tables["rules"]["at"].tolist() == [0.5]
    probabilities = charts.outputs(np.array([0.1, 0.9]), 0, 0.5).tables["bins"]
    assert (probabilities["low"].min(), probabilities["high"].max()) == (0, 1)
    measured = charts.outputs(np.array([3.0, 40.0]), 0).tables
    assert measured["bins"]["high"].max() == 40
    assert measured["rules"].empty
