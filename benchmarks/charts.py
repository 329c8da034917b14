"""What a chart costs the server: put together by Altair each time, and filled into its form.

    python -m benchmarks.charts [--json]

Draws the charts of a trained threshold problem as the page does, up to the message that a browser
is sent, and the network of a large one (784-128-64-10, initial weights at 21 key epochs). "anew"
makes the form for every chart, as there would be without one; "filled in" finds it made. The faster
of several draws each, in one process. "kB" is the size of the message.
"""

from __future__ import annotations

import argparse
import json
import logging
import time
from collections.abc import Callable
from importlib import import_module

import numpy as np
import pandas as pd
from streamlit.elements import vega_charts
from streamlit.proto.VegaLiteChart_pb2 import VegaLiteChart

from core import network
from core.experiment import Adam, Data, Dense, Experiment, Model, Table, Training
from core.history import TARGET, Health, History
from core.problems import PROBLEMS
from core.training import train
from pages.elements import charts, figures

RUNS, DRAWS = 64, 5


def fastest(draw: Callable[[], object]) -> float:
    """Milliseconds."""
    seconds = []
    for _ in range(DRAWS):
        started = time.perf_counter()
        draw()
        seconds.append(time.perf_counter() - started)
    return 1000 * min(seconds)


def forget_forms() -> None:
    # By name: the package has functions of the same names as its modules.
    for name in ("curves", "decisions", "diagram_marks", "health", "network", "rates"):
        for made in vars(import_module(f"pages.elements.charts.{name}")).values():
            if hasattr(made, "cache_clear"):
                made.cache_clear()


def kilobytes(chart: charts.Chart) -> float:
    message, plain = VegaLiteChart(), chart.spec()
    vega_charts._marshall_chart_data(message, plain)
    message.spec = json.dumps(plain)
    return message.ByteSize() / 1000


def large_network(epochs: int = 20) -> History:
    """A history of a network of 784-128-64-10 units whose weights stay as they begin."""
    rng = np.random.default_rng(0)
    table = Table(rng.random((1_000, 784)), labels=np.arange(1_000) % 10)
    layers = (Dense(128, "relu"), Dense(64, "relu"), Dense(10, "softmax"))
    experiment = Experiment(
        Data(table, label_values=tuple(map(float, range(10)))),
        Model(layers),
        Training("sparse_categorical_crossentropy", Adam(), epochs=epochs),
    )
    drawn = network.draw_weights(experiment.model, 784, 1, rng)
    weights = tuple(
        np.stack([np.moveaxis(array if array.shape[1] > 1 else array[:, 0], 0, -1)] * (epochs + 1))
        for array in drawn
    )
    curve = np.ones((epochs, 1), np.float32)
    health = Health(*[np.ones((epochs, len(layers), 1), np.float32)] * 6)
    return History(
        experiment=experiment,
        seed=0,
        loss=curve,
        score=curve,
        evaluated_loss=curve,
        evaluated_score=curve,
        val_loss=None,
        val_score=None,
        health=health,
        final_loss=curve[-1],
        final_score=curve[-1],
        key_epochs=np.arange(epochs + 1),
        weights=weights,
        cancelled=False,
        seconds=0.0,
        compile_seconds=0.0,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--json", action="store_true", help="for machines")
    options = parser.parse_args()
    history, large = train(PROBLEMS["threshold"].experiment, RUNS), large_network()
    drawn = {
        "accuracy": lambda: figures.score(history, "training", "after", TARGET, 0.5),
        "loss": lambda: figures.loss(history, "training", "after", TARGET, False),
        "final accuracies": lambda: figures.final_scores(history, TARGET, 0.5),
        "layer health": lambda: figures.health(history, "dead", TARGET)[0],
        "network": lambda: figures.diagram(history, 0),
        "network of 784-128-64-10": lambda: figures.diagram(large, 0),
        "outputs": lambda: figures.network(history, 0),
        "confusion": lambda: figures.decisions(history, 0),
    }
    # That there is no browser is known here.
    logging.getLogger("streamlit").setLevel(logging.ERROR)
    rows = []
    for name, picture in drawn.items():

        def show(picture=picture):
            charts.show(*picture())

        def anew(show=show):
            forget_forms()
            show()

        row = {"chart": name, "anew ms": fastest(anew), "filled in ms": fastest(show)}
        row |= {"times": row["anew ms"] / row["filled in ms"], "kB": kilobytes(picture().chart)}
        rows.append(row)
    if options.json:
        print(json.dumps(rows, indent=1))
    else:
        print(pd.DataFrame(rows).round(1).to_string(index=False))


if __name__ == "__main__":
    main()
