"""The network as a picture: what is measured of its units, and what a browser gets of it."""

import json

import numpy as np
import pytest
from streamlit.elements import vega_charts
from streamlit.proto.VegaLiteChart_pb2 import VegaLiteChart

from core import network
from core.curve import Curve
from core.data import prepare
from core.diagram import MOST_CELLS, MOST_EDGES, diagram
from core.experiment import Adam, Blobs, Data, Dense, Experiment, Model, Table, Threshold, Training
from core.history import Health
from pages.elements import charts
from support.charts import rows_drawn, spec, values
from support.histories import made_up

RNG = np.random.default_rng(0)
KEYS = [0, 2, 4]


def trained(data, *layers, loss="binary_crossentropy", norms=None, keys=KEYS, runs=2):
    """A history whose weights grow by a tenth from one key epoch to the next."""
    model = Model(layers)
    drawn = network.draw_weights(model, data.source.features, runs, np.random.default_rng(1))
    shapes = [slot.shape for _, slot in model.slots(data.source.features)]
    weights = tuple(
        np.stack(
            [np.moveaxis(array.reshape(runs, *shape), 0, -1) * 1.1**k for k in range(len(keys))]
        )
        for array, shape in zip(drawn, shapes, strict=True)
    )
    curve = np.ones((keys[-1], runs), np.float32)
    one = np.ones((keys[-1], len(layers), runs), np.float32)
    norms = one if norms is None else one * np.array(norms, np.float32)[:, None]
    health = Health(one, one, norms, one, one, one)
    experiment = Experiment(data, model, Training(loss, Adam()))
    return made_up(
        experiment, curve, curve, key_epochs=np.array(keys), weights=weights, health=health
    )


def many_inputs(columns, classes=10, rows=1_200):
    labels = np.arange(rows) % classes
    table = Table(RNG.random((rows, columns)), labels=labels)
    return Data(table, label_values=tuple(map(float, range(classes))))


LARGE = trained(
    many_inputs(784),
    Dense(128, "relu"),
    Dense(64, "relu"),
    Dense(10, "softmax"),
    loss="sparse_categorical_crossentropy",
    keys=list(range(21)),
)
SHAPES = {
    "one input": trained(Data(Threshold(samples=50)), Dense(3, "relu"), Dense(1, "sigmoid")),
    "two inputs": trained(Data(Blobs(samples=20), encoding="index"), Dense(3), Dense(1, "sigmoid")),
    "only an output": trained(Data(Blobs(samples=20), encoding="index"), Dense(1, "sigmoid")),
    "regression": trained(
        Data(Curve(samples=30)), Dense(20, "tanh"), Dense(1), loss="mean_squared_error"
    ),
    "several labels": trained(
        Data(Table(RNG.random((40, 6)), labels=RNG.integers(0, 2, (40, 5)))),
        Dense(4, "relu", use_bias=False),
        Dense(5, "sigmoid"),
    ),
    "deep": trained(
        Data(Blobs(samples=20), encoding="index"),
        *[Dense(16, "sigmoid")] * 12,
        Dense(1, "sigmoid"),
    ),
    "784 inputs": LARGE,
}


def test_units_are_dead_or_saturated_as_the_health_counts_them():
    history = trained(
        Data(Blobs(samples=20), encoding="index"), Dense(3, "relu"), Dense(1, "sigmoid")
    )
    kernel, bias, _, end = history.weights
    bias[-1, 0, 1] = -1e6
    end[-1, 0, 1] = 1e6
    units = diagram(history, 1).units.set_index("name")
    assert units["dead_4"].to_dict() == {
        "feature 1": False,
        "feature 2": False,
        "layer 1, unit 1": True,
        "layer 1, unit 2": False,
        "layer 1, unit 3": False,
        "output": False,
    }
    assert units.loc["layer 1, unit 1", ["low_4", "high_4", "bias_4"]].tolist() == [0, 0, -1e6]
    assert not units["dead_0"].any()
    assert units["saturated_4"].tolist() == [False] * 5 + [True]
    rows = prepare(history.experiment.data, history.seed, 1)
    sums = np.maximum(rows.x @ kernel[1, :, 1, 1] + bias[1, 1, 1], 0)
    assert units.loc["layer 1, unit 2", "high_2"] == pytest.approx(sums.max(), rel=1e-5)
    assert np.isnan(units.loc["feature 1", "bias_0"])


def test_a_layer_that_the_gradient_does_not_reach_is_lost_with_its_units():
    data = Data(Blobs(samples=20), encoding="index")
    history = trained(data, *[Dense(2, "tanh")] * 2, Dense(1, "sigmoid"), norms=[1e-9, 1e-2, 1])
    seen = diagram(history, 0)
    assert seen.layers["lost_4"].tolist() == [False, True, False, False]
    assert seen.units.query("lost_4")["layer"].unique().tolist() == [1]
    nothing = diagram(trained(data, Dense(2), Dense(1, "sigmoid"), norms=[0, 0]), 0)
    assert nothing.layers["lost_0"].tolist() == [False, True, True]


def test_the_weights_are_those_of_the_run_at_each_epoch():
    history = SHAPES["one input"]
    edges = diagram(history, 1).edges
    second = edges[edges.layer == 2].sort_values("source")
    for key, epoch in enumerate(KEYS):
        np.testing.assert_array_equal(second[f"weight_{epoch}"], history.weights[2][key, :, 0, 1])


def test_of_a_large_network_some_units_are_drawn_and_all_are_counted():
    seen = diagram(LARGE, 0)
    assert seen.layers["units"].tolist() == [784, 128, 64, 10]
    assert seen.layers["shown"].tolist() == [16, 16, 16, 10]
    assert len(seen.edges) == 16 * 16 * 2 + 16 * 10 <= MOST_EDGES
    shares = seen.pictures.groupby(["layer", "place"])["value_20"].sum()
    np.testing.assert_allclose(shares, 1, rtol=1e-5)
    for layer, units in ((0, 784), (1, 128), (2, 64)):
        strip = seen.strips[seen.strips.layer == layer]
        assert (strip["first"].min(), strip["last"].max()) == (1, units)
    drawn = charts.network_view(seen)
    assert "and 768 more" in values(spec(drawn), "more")
    assert size_sent(drawn) < 300_000
    slide = charts.network_view(seen, 320)
    assert spec(slide)["height"] == spec(drawn)["height"] - 16 * (29 - 20), "the units are closer"


def size_sent(chart) -> int:
    """Bytes of the message that a browser gets."""
    message, plain = VegaLiteChart(), chart.spec()
    vega_charts._marshall_chart_data(message, plain)
    message.spec = json.dumps(plain)
    return message.ByteSize()


@pytest.mark.parametrize("shape", SHAPES)
def test_every_network_can_be_drawn_and_another_run_changes_its_tables_alone(shape):
    first, second = (charts.network_view(diagram(SHAPES[shape], run)) for run in (0, 1))
    drawn = spec(first)
    assert rows_drawn(drawn) <= max(MOST_CELLS, MOST_EDGES)
    (slider,) = [param for param in drawn["params"] if "bind" in param]
    assert slider["value"] == SHAPES[shape].key_epochs[-1]
    # A browser keeps the chart then, and the epoch that its slider is at.
    assert (first.form, first.values) == (second.form, second.values)
    assert size_sent(first) < 300_000


def test_weights_that_are_not_numbers_can_be_drawn():
    history = trained(Data(Threshold(samples=50)), Dense(3, "relu"), Dense(1, "sigmoid"))
    for array in history.weights:
        array[-1] = np.nan
    seen = diagram(history, 0)
    drawn = spec(charts.network_view(seen))
    # The line of each unit ends before, and no weight has a width.
    unknown = [row["epoch_4"] for row in drawn["datasets"]["edges"]]
    assert max(unknown) < -5_000
    assert not seen.units["dead_4"].any()
