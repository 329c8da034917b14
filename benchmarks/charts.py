"""What a chart costs the server, and the network's the browser.

    python -m benchmarks.charts [--browser] [--json]

Draws the charts of a trained threshold problem as the page does, up to the message that a browser
is sent, and the network of a large one (784-128-64-10, initial weights at 21 key epochs). "anew"
makes the form for every chart, as there would be without one; "filled in" finds it made. "again" is
the message of a chart that is kept, and "from frames" the same with data frames in place of Arrow
tables. The faster of several draws each, in one process. "kB" is the size of the message.

`--browser` draws networks of several sizes in Chromium, with initial weights at as many key epochs
as are shown: "drawn s" is from the call of vegaEmbed until it is done, the median of several pages
that have drawn nothing before. "kB as JSON" is the specification with its data written out, as the
report has it. It needs the requirements of the tests, and Chromium.
"""

from __future__ import annotations

import argparse
import json
import logging
import statistics
import time
from collections.abc import Callable
from importlib import import_module

import numpy as np
import pandas as pd
from streamlit.elements import vega_charts
from streamlit.proto.VegaLiteChart_pb2 import VegaLiteChart

from benchmarks.app import ARGUMENTS, CHROMIUM
from core import network
from core.experiment import Adam, Data, Dense, Experiment, Model, Table, Training
from core.history import TARGET, Health, History
from core.problems import PROBLEMS
from core.training import train
from pages.elements import charts, figures
from pages.elements.report import HERE, LIBRARIES

RUNS, DRAWS = 64, 5
NETWORKS = ((20, 64, 64, 1), (2, 64, 64, 1), (784, 128, 64, 10))
"""The inputs and the units of each layer of those that a browser draws."""
WIDTH, MOST_SVG = 974, 2_000
"""Pixels across a chart on a laptop, and the marks from which on Streamlit draws on a canvas."""
DRAW = """async ([spec, renderer]) => {
    const place = document.createElement("div"), started = performance.now();
    document.body.append(place);
    await vegaEmbed(place, spec, {renderer, actions: false});
    return (performance.now() - started) / 1000;
}"""


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


def message(plain: dict) -> VegaLiteChart:
    """What a browser is sent of a specification, whose data sets are taken out of it."""
    sent = VegaLiteChart()
    vega_charts._marshall_chart_data(sent, plain)
    sent.spec = json.dumps(plain)
    return sent


def kilobytes(chart: charts.Chart) -> float:
    return message(chart.spec()).ByteSize() / 1000


def from_frames(chart: charts.Chart) -> Callable[[], VegaLiteChart]:
    """Makes the message with data frames in place of the chart's tables."""
    frames = {name: table.to_pandas() for name, table in chart.tables.items()}

    def made() -> VegaLiteChart:
        plain = chart.spec()
        return message(plain | {"datasets": plain["datasets"] | frames})

    return made


def untrained(experiment: Experiment, epochs: int = 20) -> History:
    """A history of one run whose weights stay as they begin."""
    rng = np.random.default_rng(0)
    features = experiment.data.source.features
    weights = tuple(
        np.stack([np.moveaxis(array if array.shape[1] > 1 else array[:, 0], 0, -1)] * (epochs + 1))
        for array in network.draw_weights(experiment.model, features, 1, rng)
    )
    curve = np.ones((epochs, 1), np.float32)
    health = Health(*[np.ones((epochs, len(experiment.model.dense), 1), np.float32)] * 6)
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


def classifier(inputs: int, *units: int) -> Experiment:
    """A network of these sizes, and a table of random rows."""
    *hidden, out = units
    rng, classes = np.random.default_rng(0), max(2, out)
    table = Table(rng.random((1_000, inputs)), labels=np.arange(1_000) % classes)
    last, loss = ("sigmoid", "binary") if out == 1 else ("softmax", "sparse_categorical")
    return Experiment(
        Data(table, label_values=tuple(map(float, range(classes)))),
        Model((*(Dense(each, "relu") for each in hidden), Dense(out, last))),
        Training(f"{loss}_crossentropy", Adam()),
    )


def seconds_drawn(plain: dict, marks: int) -> float:
    """Seconds that Chromium takes to draw a specification, in the median of DRAWS pages."""
    from playwright.sync_api import sync_playwright

    scripts = [(HERE / "vendor" / f"{name}.min.js").read_text() for name in LIBRARIES]
    arguments = [plain | {"width": WIDTH}, "canvas" if marks > MOST_SVG else "svg"]
    seconds = []
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        for _ in range(DRAWS):
            page = chromium.new_page()
            for script in scripts:
                page.add_script_tag(content=script)
            seconds.append(page.evaluate(DRAW, arguments))
            page.close()
        chromium.close()
    return statistics.median(seconds)


def in_browser() -> list[dict[str, object]]:
    """The sizes of networks' charts, and the time that they take to be drawn."""
    known = {"threshold": PROBLEMS["threshold"].experiment}
    known |= {"-".join(map(str, sizes)): classifier(*sizes) for sizes in NETWORKS}
    rows = []
    for name, experiment in known.items():
        chart = figures.diagram(untrained(experiment), 0).chart
        plain, marks = chart.to_dict(), sum(map(len, chart.tables.values()))
        row = {"network": name, "marks": marks, "kB": kilobytes(chart)}
        row |= {"kB as JSON": len(json.dumps(plain, separators=(",", ":"))) / 1000}
        rows.append(row | {"drawn s": seconds_drawn(plain, marks)})
    return rows


def on_server() -> list[dict[str, object]]:
    """The time that the server takes for each chart, and its size."""
    history, large = (
        train(PROBLEMS["threshold"].experiment, RUNS),
        untrained(classifier(784, 128, 64, 10)),
    )
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
    rows = []
    for name, picture in drawn.items():

        def show(picture=picture):
            charts.show(*picture())

        def anew(show=show):
            forget_forms()
            show()

        row = {"chart": name, "anew ms": fastest(anew), "filled in ms": fastest(show)}
        kept = picture().chart
        row |= {"times": row["anew ms"] / row["filled in ms"], "kB": kilobytes(kept)}
        row["again ms"] = fastest(lambda kept=kept: message(kept.spec()))
        row["from frames ms"] = fastest(from_frames(kept))
        rows.append(row)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--browser", action="store_true", help="networks, in Chromium")
    parser.add_argument("--json", action="store_true", help="for machines")
    options = parser.parse_args()
    # That there is no browser is known here.
    logging.getLogger("streamlit").setLevel(logging.ERROR)
    rows = in_browser() if options.browser else on_server()
    if options.json:
        print(json.dumps(rows, indent=1))
    else:
        print(pd.DataFrame(rows).round(2 if options.browser else 1).to_string(index=False))


if __name__ == "__main__":
    main()
