"""One chart of a training alone, for a slide or a course page: `&embed=true&show=network`."""

from __future__ import annotations

import math
from collections.abc import Callable

import streamlit as st

from core.data import baseline
from core.fields import InvalidExperiment
from core.history import History
from core.rates import Rate
from pages.elements import charts, controls, figures, jobs, layout, query_params, state, visitor
from pages.elements.figures import Picture
from pages.elements.headline import headline
from pages.elements.settings import PAGE

Make = Callable[[str, History], list[Picture]]
"""Makes the charts of a training from the problem's key and the history, side by side."""
GROWING = ("curves", "loss", "scores", "layers")
"""The charts that may have any height."""
NETWORK_HEIGHT = 300
"""The most pixels of a column of units: with it, any network is on a slide of 1280 x 720."""


def draw(problem: str, running: Callable[..., None]) -> bool:
    """Draw the chart that the link asks for, if it asks for one; whether it does.

    A training that is not kept is made first.

    Args:
        problem: Whose page.
        running: Draws the progress of a training; see `jobs.result`.
    """
    chart = state.view(problem, "show")
    if chart == PAGE:
        return False
    try:
        request = controls.request(problem, state.experiment(problem))
    except InvalidExperiment as error:
        st.error(str(error), icon=":material/error:")
        return True
    visitor.restore(problem, request)
    if jobs.latest(problem) is None and not visitor.found(problem, request):
        if not jobs.affordable(request):
            return True
        controls.train(problem)
    history = jobs.result(problem, "training", running, problem)
    if history is not None:
        one = chart in ("network", "outputs")
        title = _of_run(problem, history) if one else headline(history, state.target(problem))
        layout.slide_title(title)
        pictures = CHARTS[chart](problem, history)
        if pictures:
            _draw(pictures, chart in GROWING)
        else:
            st.caption(figures.NO_HEALTH)
        parameters = state.parameters(problem)
        parameters.pop(query_params.SHOW)
        query_params.way_back({**parameters, query_params.RESULTS: "yes"})
    return True


def _draw(pictures: list[Picture], growing: bool) -> None:
    if not growing:
        for column, picture in zip(st.columns(len(pictures)), pictures, strict=True):
            with column:
                charts.show(*picture)
        return
    # As high as the window, by its key in pages/elements/style.css.
    with st.container(key="slide", height="stretch", horizontal=True):
        for picture in pictures:
            charts.show(*picture, slide=True)


def _curves(problem: str, history: History) -> list[Picture]:
    part, when = _measured(problem, history)
    target = state.target(problem)
    constant = baseline(history.experiment, history.seed, 0)
    return [figures.score(history, part, when, target, constant)]


def _loss(problem: str, history: History) -> list[Picture]:
    part, when = _measured(problem, history)
    log = figures.logarithmic(history, part, when, state.view(problem, "log"))
    return [figures.loss(history, part, when, state.target(problem), log)]


def _measured(problem: str, history: History) -> tuple[str, str]:
    part = figures.part_measured(history, state.view(problem, "part"))
    return part, state.view(problem, "curves")


def _scores(problem: str, history: History) -> list[Picture]:
    constant = baseline(history.experiment, history.seed, 0)
    return [figures.final_scores(history, state.target(problem), constant)]


def _rate(problem: str, history: History) -> list[Picture]:
    return [figures.rate(Rate.of(history.successes(state.target(problem))))]


def _layers(problem: str, history: History) -> list[Picture]:
    figure = figures.shown_health(history, state.view(problem, "health"))
    return figures.health(history, figure, state.target(problem))


def _network(problem: str, history: History) -> list[Picture]:
    return [figures.diagram(history, _run(problem, history), NETWORK_HEIGHT)]


def _outputs(problem: str, history: History) -> list[Picture]:
    return [picture for picture, _ in figures.of_network(history, _run(problem, history))]


def _of_run(problem: str, history: History) -> str:
    """The title of a chart of one run."""
    run, task = _run(problem, history), history.experiment.task
    kinds = ("best", "median", "worst")
    kind = next((kind for kind in kinds if history.pick(kind) == run), None)
    which = f"Run {run} of {history.runs}" if kind is None else f"The {kind} of {history.runs} runs"
    score = float(history.final_score[run])
    ends = f"ends at {task.phrased(score)}" if math.isfinite(score) else "diverges"
    return f"{which} {ends}"


def _run(problem: str, history: History) -> int:
    chosen = state.view(problem, "pick")
    picks = figures.picks(history, state.target(problem), chosen)
    return picks.get(chosen, picks["worst"])


CHARTS: dict[str, Make] = {
    "curves": _curves,
    "loss": _loss,
    "scores": _scores,
    "rate": _rate,
    "layers": _layers,
    "network": _network,
    "outputs": _outputs,
}
"""By the values of the view "show"."""
