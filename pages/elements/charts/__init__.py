"""The charts: pure functions from frames to a `Chart`, which a page draws with `show`.

Colours come from the theme's categorical palette (`.streamlit/config.toml`): its first is for runs
that succeeded and its second for those that failed, or are stuck where the others are told apart,
each in a light and a dark shade. An outcome also has a dash, a shape or a fill of its own. What is
no outcome is drawn in colours that read well on both.

Every chart is one view, or one column of views, so that `width="stretch"` fits it to any page;
panels that stand side by side are a list of charts, for the page to lay out in columns.
"""

from pages.elements.charts.curves import combinations, curves, overlay, wide
from pages.elements.charts.downsample import MAX_ROWS, thin
from pages.elements.charts.health import by_layer, health, outputs
from pages.elements.charts.network import own_class_view, response_view, surface_view
from pages.elements.charts.rates import (
    NAMED,
    before_after,
    confusion,
    contributions,
    final_accuracies,
    measured,
    rate,
)
from pages.elements.charts.spec import GREY, Chart, name_of, show

__all__ = [
    "GREY",
    "MAX_ROWS",
    "NAMED",
    "Chart",
    "before_after",
    "by_layer",
    "combinations",
    "confusion",
    "contributions",
    "curves",
    "final_accuracies",
    "health",
    "measured",
    "name_of",
    "outputs",
    "overlay",
    "own_class_view",
    "rate",
    "response_view",
    "show",
    "surface_view",
    "thin",
    "wide",
]
