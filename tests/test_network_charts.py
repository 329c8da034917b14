"""The pictures of one network: what it draws, and what its slider moves."""

import numpy as np
import pandas as pd

from core.inspection import Surface
from pages.elements import charts
from support.charts import response, rows_drawn, spec, values, views


def test_the_slider_runs_over_the_key_epochs_and_starts_at_the_last():
    epochs = [0, 10, 20, 30]
    drawn = spec(charts.response_view(response(epochs), epochs, 0, 50.0))
    params = {param["name"]: param for param in drawn["params"]}
    bind = params["epoch"]["bind"]
    assert (bind["min"], bind["max"], bind["step"]) == (0, 30, 10)
    assert params["epoch"]["value"] == 30
    assert all(f"'epoch_{number}'" in params["shown"]["expr"] for number in epochs)


def test_another_run_changes_the_tables_of_its_network_alone():
    """A browser keeps the chart then, and the epoch that its slider is at."""
    small = response([0, 1])
    large = small.assign(value=small["value"] + 2)
    drawn = [
        charts.response_view(frame, [0, 1], run, 50.0) for run, frame in enumerate((small, large))
    ]
    assert drawn[0].form == drawn[1].form
    assert drawn[0].values == drawn[1].values
    notes = [chart.tables["marks"]["note"][0].as_py() for chart in drawn]
    assert notes == ["run 0, ", "run 1, clipped to [0, 1], "]


def test_one_key_epoch_needs_no_slider():
    drawn = spec(charts.response_view(response([0]), [0], 0, 50.0))
    assert not any("bind" in param for param in drawn["params"])


def test_the_threshold_view_has_its_threshold_and_at_most_twenty_epochs():
    epochs = list(range(0, 600, 10))
    drawn = spec(charts.response_view(response(epochs), epochs, 0, 50.0))
    assert "threshold 50" in values(drawn, "label")
    assert rows_drawn(drawn) <= charts.MAX_ROWS
    assert max(len(rows[0]) for rows in drawn["datasets"].values()) < 25


def test_a_network_of_numbers_that_are_none_can_be_drawn():
    frame = response([0, 1]).assign(value=np.nan)
    spec(charts.response_view(frame, [0, 1], 0, 50.0))
    frame = response([0, 1]).assign(value=np.inf)
    drawn = spec(charts.response_view(frame, [0, 1], 0, 50.0))
    assert {row["epoch_1"] for row in drawn["datasets"]["output"]} == {None}


def test_the_surface_has_its_samples_and_the_slider():
    cells = pd.DataFrame(
        {"x0": [0, 0, 1, 1], "x1": [1, 1, 2, 2], "y0": [0, 1, 0, 1], "y1": [1, 2, 1, 2]}
    )
    cells = cells.assign(epoch_0=0.5, epoch_7=[0.1, 0.2, 0.8, np.nan])
    surface = Surface(
        epochs=[0, 7],
        output=cells,
        samples=pd.DataFrame(
            {
                "x": [0.5, 1.5],
                "y": [0.5, 1.5],
                "label": ["1", "2"],
                "epoch_0": [True, False],
                "epoch_7": [True, True],
            }
        ),
        label="2",
    )
    drawn = spec(charts.surface_view(surface, 3))
    (slider,) = [param for param in drawn["params"] if "bind" in param]
    assert (slider["name"], slider["bind"]["max"]) == ("epoch", 7)
    # Classes differ in colour and shape, and a ring is around each sample that is wrong.
    (points,) = (view for view in views(drawn) if "shape" in view["encoding"])
    assert points["encoding"]["fill"]["field"] == points["encoding"]["shape"]["field"] == "label"
    assert any({"filter": "!datum.right"} in view.get("transform", ()) for view in views(drawn))


def test_the_own_class_view_counts_every_row_once_at_each_epoch():
    bins = pd.DataFrame({"low": [0.0, 0.5] * 2, "high": [0.5, 1.0] * 2, "label": list("1122")})
    drawn = spec(charts.own_class_view(bins.assign(epoch_0=[3, 0, 2, 1], epoch_5=[0, 3, 0, 3]), 4))
    assert {"run 4, "} == values(drawn, "note")
    assert rows_drawn(drawn) <= 5
    assert drawn["params"][0]["bind"]["max"] == 5
    (bars,) = (v for v in views(drawn) if v.get("mark", {}).get("type") == "bar")
    assert bars["encoding"]["x"]["bin"] == "binned", "bars, not lines at their heights"
