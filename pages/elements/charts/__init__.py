"""The charts: pure functions from data frames to a `Chart`, which a page draws with `show`.

The colours of outcomes come from the theme's categorical palette (`.streamlit/config.toml`), which
has a light and a dark shade of each: the first colour is for runs that succeeded, the second for
runs that failed or, where all outcomes are distinguished, are stuck. Each outcome also has its own
dash, shape or fill. Everything else has colours that are legible on both backgrounds.

Every chart is one view, or one column of views, so that `width="stretch"` fits it to any page;
panels that stand side by side are a list of charts, for the page to lay out in columns.
"""

from pages.elements.charts.curves import combinations, curves, overlay, reached, wide
from pages.elements.charts.decisions import MOST_LABELS, confusion, right_wrong
from pages.elements.charts.diagram import network_view
from pages.elements.charts.downsample import MAX_ROWS, thin
from pages.elements.charts.health import by_layer, health, outputs
from pages.elements.charts.network import own_class_view, response_view, surface_view
from pages.elements.charts.rates import (
    NAMED,
    PERCENT,
    POINTS,
    before_after,
    contributions,
    final_scores,
    measured,
    rate,
)
from pages.elements.charts.spec import GREY, PICK, Chart, is_share, name_of, picked, show
from pages.elements.charts.targets import curve_view, predictions_view, targets_surface_view

__all__ = [
    "GREY",
    "MAX_ROWS",
    "MOST_LABELS",
    "NAMED",
    "PERCENT",
    "PICK",
    "POINTS",
    "Chart",
    "before_after",
    "by_layer",
    "combinations",
    "confusion",
    "contributions",
    "curve_view",
    "curves",
    "final_scores",
    "health",
    "is_share",
    "measured",
    "name_of",
    "network_view",
    "outputs",
    "overlay",
    "own_class_view",
    "picked",
    "predictions_view",
    "rate",
    "reached",
    "response_view",
    "right_wrong",
    "show",
    "surface_view",
    "targets_surface_view",
    "thin",
    "wide",
]
