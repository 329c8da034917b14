"""A network drawn: columns of units with their outputs, the weights between them, the gradients.

It is one view, so that one slider moves all of it. Its positions are pixels: down the view they are
computed here, across it by the browser, from the width of the page.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.diagram import LINE, SURFACE, Diagram
from pages.elements.charts.diagram_marks import (
    BARS,
    BETWEEN,
    DECADES,
    FEW_OUTPUTS,
    LARGE,
    LETTERS,
    LEVEL,
    LOST,
    NO_LEVEL,
    NO_WEIGHT,
    ROWS,
    STATES,
    STRIPS,
    TEXTS,
    TOP,
    WEIGHT,
    WIDER,
    WORDS,
    network_form,
)
from pages.elements.charts.network import slider
from pages.elements.charts.spec import Chart

PAGE_LETTERS, SLIDE_LETTERS = 12, 15
"""Pixels."""


def network_view(diagram: Diagram, height: int | None = None) -> Chart:
    """The network of one run, with a slider over the epochs.

    Args:
        diagram: As from `core.diagram.diagram`.
        height: The most pixels of a column of units, whose pictures may then be twice as high as on
            a page; None for as many pixels as are read well there.
    """
    places = _Places.of(diagram, height)
    between = min(BETWEEN, places.row // 4)
    measured = bool(diagram.layers.filter(like="gradient_").notna().to_numpy().any())
    bars = places.bottom + (STRIPS if len(diagram.strips) else 8)
    key = bars + (WORDS + BARS + TEXTS if measured else 0)
    low, high = _decades(diagram.layers)
    scale = "Gradient norm by layer: 0 throughout"
    if diagram.layers.filter(like="gradient_").gt(0).to_numpy().any():
        scale = f"Gradient norm by layer, log scale from {10.0**low:g} to {10.0**high:g}"
    tables = {
        "units": _units(diagram, places),
        "edges": _edges(diagram, places),
        "pictures": _pictures(diagram, places),
        "layers": _layers(diagram, places, low, high),
        "note": pd.DataFrame([{"note": f"run {diagram.run}, ", "scale": scale}]),
    }
    if len(diagram.strips):
        tables["strips"] = _strips(diagram, places)
    across = f"{'1' if diagram.kind == SURFACE else '2.2'} * "
    values = {
        **slider(diagram.epochs),
        "pitch": {"expr": f"width / {places.columns}"},
        "tile_height": places.row - between,
        "tile_width": {"expr": f"min({across}tile_height, 0.5 * pitch)"},
        "large_height": places.large_row - between,
        "large_width": {"expr": f"min({across}large_height, {0.7 * (1 + WIDER)} * pitch)"},
        LETTERS: PAGE_LETTERS if height is None else SLIDE_LETTERS,
        "rows": f"over {diagram.rows:,}"
        + (f" of {diagram.of_rows:,}" if diagram.rows < diagram.of_rows else "")
        + " training rows",
    }
    built = network_form(
        diagram.kind, bars, key, measured=measured, strips=bool(len(diagram.strips))
    )
    return Chart(built, tables, values)


@dataclass(frozen=True)
class _Places:
    """Where the units are.

    Attributes:
        columns: The width of the view, in columns.
        row, large_row: Pixels from one unit to the next, and of the outputs where they are large.
        bottom: Of the units, in pixels.
        layers: layer, column (of its centre) and large.
        units: layer, place, column, large and middle (in pixels).
    """

    columns: float
    row: int
    large_row: int
    bottom: int
    layers: pd.DataFrame
    units: pd.DataFrame

    @classmethod
    def of(cls, diagram: Diagram, most: int | None) -> _Places:
        shown = diagram.layers["shown"].to_numpy()
        large = shown[-1] <= FEW_OUTPUTS
        row = next(pixels for units, pixels in ROWS.items() if shown.max() <= units)
        row = row if most is None else min(2 * row, most // int(shown.max()))
        height = int(max(shown.max() * row, LARGE if large else 0))
        large_row = min(LARGE, height // int(shown[-1]))
        last = len(shown) - 1
        centres = np.arange(last + 1) + 0.5
        centres[-1] += WIDER / 2 if large else 0
        layers = pd.DataFrame(
            {"layer": diagram.layers["layer"], "column": centres, "large": [False] * last + [large]}
        )
        units = diagram.units[["layer", "place"]].merge(layers, on="layer")
        among = units["layer"].map(dict(enumerate(shown)))
        step = np.where(units["large"], large_row, row)
        units["middle"] = TOP + height / 2 + step * (units["place"] - (among - 1) / 2)
        columns = last + 1 + (WIDER if large else 0)
        return cls(columns, row, large_row, TOP + height, layers, units)

    def beside(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The units' places for each row of a frame with columns layer and place."""
        return frame.merge(self.units, on=["layer", "place"], how="left")


def _shown(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """The columns of one figure by epoch, as the slider names them: "epoch_10"."""
    figures = frame.filter(regex=f"^{name}_")
    return figures.rename(columns=lambda column: column.replace(name, "epoch"))


def _whole(figures: pd.DataFrame, most: np.ndarray, whole: int, unknown: int) -> pd.DataFrame:
    """Figures as whole numbers, from -`whole` for -`most` to `whole` for `most`."""
    values = figures.to_numpy()
    with np.errstate(all="ignore"):
        scaled = np.clip(np.round(whole * values / most[:, None]), -whole, whole)
    kind = np.int8 if unknown >= -128 else np.int16
    scaled = np.where(np.isfinite(values), scaled, unknown)
    return pd.DataFrame(scaled.astype(kind), index=figures.index, columns=figures.columns)


def _largest(values: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """For each row the largest finite absolute value, over all epochs, in its group."""
    sizes = np.where(np.isfinite(values), np.abs(values), 0).max(axis=1)
    most = pd.Series(sizes).groupby(groups).transform("max").to_numpy()
    return np.where(most > 0, most, 1)


def _units(diagram: Diagram, places: _Places) -> pd.DataFrame:
    """The units with the range of their outputs, their biases, and their states as sums."""
    units = diagram.units
    at = places.beside(units[["layer", "place", "name"]])
    at = at.assign(id=_ids(at), input=at["layer"] == 0).drop(columns=["layer", "place"])
    states = sum(
        units.filter(regex=f"^{name}_").to_numpy() * weight for name, weight in STATES.items()
    )
    columns = [f"state_{epoch}" for epoch in diagram.epochs]
    states = pd.DataFrame(states.astype(np.int8), columns=columns)
    figures = units.filter(regex="^(low|high|bias)_").astype("float32")
    return pd.concat(
        [at.astype({"column": "float32", "middle": "float32"}), figures, states], axis=1
    )


def _ids(frame: pd.DataFrame) -> pd.Series:
    """A number for each unit, from the columns layer and place."""
    return (frame["layer"] * 100 + frame["place"]).astype("int16")


def _edges(diagram: Diagram, places: _Places) -> pd.DataFrame:
    edges, columns = diagram.edges, ["column", "middle", "large"]
    weights = _shown(edges, "weight")
    most = _largest(weights.to_numpy(), edges["layer"].to_numpy())
    ends = []
    for end, layer in (("source", edges["layer"] - 1), ("target", edges["layer"])):
        at = pd.DataFrame({"layer": layer, "place": edges[end]})
        named = places.beside(at)[columns].add_prefix(f"{end}_")
        ends.append(named.assign(**{end: _ids(at)}))
    levels = _whole(weights, most, WEIGHT, NO_WEIGHT)
    # `at` has the targets.
    lost = at.merge(diagram.units.filter(regex="^(layer|place|lost_)"), how="left")
    levels += LOST * lost.filter(like="lost_").to_numpy().astype(np.int16)
    drawn = pd.concat([*ends, levels], axis=1)
    drawn["most"] = most.astype("float32")
    floats = [f"{end}_{name}" for end in ("source", "target") for name in ("column", "middle")]
    return drawn.astype(dict.fromkeys(floats, "float32"))


def _pictures(diagram: Diagram, places: _Places) -> pd.DataFrame:
    """Levels of the outputs within the range of each unit: the same one at all epochs."""
    pictures = diagram.pictures
    levels = _shown(pictures, "value")
    values = levels.to_numpy()
    group = _ids(pictures).to_numpy()
    middle = np.zeros(len(values))
    if diagram.kind == LINE:
        known = pd.DataFrame(np.where(np.isfinite(values), values, 0)).groupby(group)
        low = known.transform("min").min(axis=1).clip(upper=0).to_numpy()
        high = known.transform("max").max(axis=1).clip(lower=0).to_numpy()
        # A probability, however little it changes, between 0 and 1.
        outputs = (pictures["layer"] == diagram.layers["layer"].max()).to_numpy()
        high = np.where(outputs, np.maximum(high, 2 * diagram.layers["middle"].iloc[-1]), high)
        middle, most = (low + high) / 2, np.where(high > low, (high - low) / 2, 1)
    elif diagram.kind == SURFACE:
        middle = diagram.layers["middle"].to_numpy()[pictures["layer"]]
        inputs = (pictures["layer"] == 0).to_numpy()
        ends = pd.Series(values[inputs, 0]).groupby(group[inputs])
        middle[inputs] = (ends.transform("min") + ends.transform("max")) / 2
        most = _largest(values - middle[:, None], group)
    else:
        most = np.maximum(values.max(axis=1), 0)
        counts = pd.DataFrame(values).groupby(group).transform("max").to_numpy()
        values = values / np.where(counts > 0, counts, 1)
        most = np.ones(len(values))
    levels = pd.DataFrame(values - middle[:, None], columns=levels.columns)
    at = places.beside(pictures[["layer", "place", "i", "j"]])
    at = at.assign(id=group).drop(columns=["layer", "place"])
    at = at.astype({"column": "float32", "middle": "float32", "i": "int8", "j": "int8"})
    return pd.concat([at, _whole(levels, most, LEVEL, NO_LEVEL)], axis=1)


def _layers(diagram: Diagram, places: _Places, low: int, high: int) -> pd.DataFrame:
    """The layers with their names, what is not shown of them, and their gradients."""
    layers = diagram.layers.merge(places.layers, on="layer")
    more = layers["units"] - layers["shown"]
    size = layers["units"].map("{:,}".format) + (" " + layers["activation"]).str.rstrip()
    drawn = pd.DataFrame(
        {
            "column": layers["column"].astype("float32"),
            "name": layers["name"].str.capitalize(),
            "short": ["in", *layers["layer"][1:-1].astype(str), "out"],
            "size": size,
            "units": layers["units"].map("{:,}".format),
            "more": [f"and {many:,} more" if many else "" for many in more],
            "weakest": low,
            "strongest": high,
            "inputs": layers["layer"] == 0,
        }
    )
    gradients = _shown(layers, "gradient")
    signs = np.where(layers.filter(regex="^lost_").to_numpy(), -1, 1)
    return pd.concat([drawn, gradients * signs.astype("float32")], axis=1)


def _strips(diagram: Diagram, places: _Places) -> pd.DataFrame:
    strips = diagram.strips.merge(places.layers, on="layer")
    spread = _shown(strips, "spread")
    most = _largest(spread.to_numpy(), strips["layer"].to_numpy())
    cells = strips.groupby("layer")["cell"].transform("size")
    drawn = strips[["layer", "first", "last"]].assign(
        column=strips["column"].astype("float32"),
        start=(strips["cell"] / cells - 0.5).astype("float32"),
        across=(1 / cells).astype("float32"),
        most=most.astype("float32"),
    )
    return pd.concat([drawn, _whole(spread, most, LEVEL, NO_LEVEL)], axis=1)


def _decades(layers: pd.DataFrame) -> tuple[int, int]:
    """The powers of ten at which the bars begin and end."""
    norms = layers.filter(like="gradient_").to_numpy()
    norms = norms[np.isfinite(norms) & (norms > 0)]
    if not len(norms):
        return -1, 0
    high = int(np.ceil(np.log10(norms.max())))
    return max(min(int(np.floor(np.log10(norms.min()))), high - 1), high - DECADES), high
