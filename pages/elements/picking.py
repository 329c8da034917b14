"""Picking a run with a click on its curve, which opens its network."""

from __future__ import annotations

from pages.elements import charts, state
from pages.elements.figures import Picture


def show(problem: str, name: str, picture: Picture) -> None:
    """Draw a chart of the runs' curves.

    Args:
        problem: Whose page.
        name: Of the chart on the page.
        picture: The chart, which has the selection `charts.PICK`.
    """
    key = f"{problem}.{name}"
    charts.show(*picture, key=key, on_select=lambda: _pick(problem, key), selection=charts.PICK)


def _pick(problem: str, key: str) -> None:
    """Callback: show the network of the run."""
    run = charts.picked(key)
    if run is not None:
        state.look_at(problem, "pick", str(run))
        state.look_at(problem, state.TAB, "Network")
