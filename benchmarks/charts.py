"""What a chart costs the server: put together by Altair each time, and filled into its form.

    python -m benchmarks.charts [--json]

Draws the charts of a trained threshold problem as the page does, up to the message that a browser
is sent. "anew" makes the form for every chart, as there would be without one; "filled in" finds it
made. The faster of several draws each, in one process.
"""

from __future__ import annotations

import argparse
import json
import logging
import time
from collections.abc import Callable
from importlib import import_module

import pandas as pd

from core.history import TARGET
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
    for name in ("curves", "health", "network", "rates"):
        for made in vars(import_module(f"pages.elements.charts.{name}")).values():
            if hasattr(made, "cache_clear"):
                made.cache_clear()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--json", action="store_true", help="for machines")
    options = parser.parse_args()
    history = train(PROBLEMS["threshold"].experiment, RUNS)
    drawn = {
        "accuracy": lambda: figures.score(history, "training", "after", TARGET, 0.5),
        "loss": lambda: figures.loss(history, "training", "after", TARGET, False),
        "final accuracies": lambda: figures.final_scores(history, TARGET, 0.5),
        "layer health": lambda: figures.health(history, "dead", TARGET)[0],
        "network": lambda: figures.network(history, 0),
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
        rows.append(row | {"times": row["anew ms"] / row["filled in ms"]})
    if options.json:
        print(json.dumps(rows, indent=1))
    else:
        print(pd.DataFrame(rows).round(1).to_string(index=False))


if __name__ == "__main__":
    main()
