"""Charts as the specification that a browser gets, and tables to draw."""

import altair as alt
import numpy as np
import pandas as pd

from core.inspection import PROBABILITY
from pages.elements import charts


def history_frame(runs=4, epochs=10, **columns) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "run": np.repeat(np.arange(runs), epochs),
            "epoch": np.tile(np.arange(1, epochs + 1), runs),
            "loss": rng.uniform(0.1, 8, runs * epochs),
            "score": rng.uniform(0, 1, runs * epochs),
            "evaluated_loss": rng.uniform(0.1, 8, runs * epochs),
            "evaluated_score": rng.uniform(0, 1, runs * epochs),
            "val_loss": np.nan,
            "val_score": np.nan,
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


def response(epochs, sign=1) -> pd.DataFrame:
    x = np.linspace(0, 100, 200)
    return pd.concat(
        pd.DataFrame({"key": key, "epoch": epoch, "x": x, "output": PROBABILITY, "value": value})
        for key, epoch in enumerate(epochs)
        for value in [sign * x * epoch / 100]
    )
