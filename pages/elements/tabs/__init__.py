"""The tabs below the answer: each is a module with a function that draws it.

Only the open tab is drawn, so that a page costs what it shows.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

import streamlit as st

from core.experiment import Experiment
from core.history import History
from pages.elements import export, findings, sensitivity, state
from pages.elements.settings import TABS as LABELS
from pages.elements.tabs import curves, layers, network, plain_keras, trainings

Draw = Callable[[str, Experiment, History | None], None]
"""Draws a tab from the problem's key, the experiment and its last training."""


@dataclass(frozen=True)
class Tab:
    """One tab.

    Attributes:
        draw: Draws its content.
        trained: Whether it shows a training, and is left out before the first.
    """

    draw: Draw
    trained: bool = True


WHY = "Why"
TABS = {
    WHY: Tab(findings.draw, trained=False),
    "Curves": Tab(curves.draw),
    "Layers": Tab(layers.draw),
    "Network": Tab(network.draw),
    "Where it learns": Tab(sensitivity.draw, trained=False),
    "Trainings": Tab(trainings.draw, trained=False),
    "model.fit": Tab(plain_keras.draw),
    "Export": Tab(export.draw, trained=False),
}
"""By label."""


def draw(
    problem: str, experiment: Experiment, history: History | None, without: Collection[str] = ()
) -> None:
    """Draw the tabs and the content of the open one.

    Args:
        problem: Whose page.
        experiment: The current one.
        history: The last training, possibly of another experiment; None before the first.
        without: Labels of tabs whose content the page shows elsewhere.
    """
    known = [label for label in LABELS if label in TABS and label not in without]
    labels = [label for label in known if history is not None or not TABS[label].trained]
    if history is None:
        # Not the widget of a page with results: a link to one of their tabs waits for them.
        wanted = state.view(problem, state.TAB)
        options = {"key": f"{problem}.first-tab", "default": wanted if wanted in labels else None}
    else:
        # One place further down: a browser that draws these in the place of the first tabs may
        # count those among them, and mark one as open that is not drawn.
        st.empty()
        options = state.control(problem, state.TAB)
    for label, container in zip(labels, st.tabs(labels, on_change="rerun", **options), strict=True):
        if container.open:
            with container:
                TABS[label].draw(problem, experiment, history)
