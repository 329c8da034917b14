"""The charts of a training with their descriptions, for the page and for the report."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from core import diagram as drawing
from core import inspection
from core.experiment import Experiment
from core.history import STUCK, History
from core.measures import by_label
from core.rates import Rate
from core.regression import against_truth, samples_over_x
from pages.elements import charts

MEASURES = {
    "dead": "Dead units",
    "saturated": "Saturated units",
    "gradient_norm": "Gradient norm",
    "update_ratio": "Update-to-weight ratio",
}
"""The measures of the layers' health, in words."""
NO_HEALTH = (
    "This figure is not a finite number in any epoch of any run, so there is no chart of it."
)
"""The text in place of the charts of a measure."""


class Picture(NamedTuple):
    """A chart and its alternative text: the arguments of `charts.show`."""

    chart: charts.Chart
    alt: str


def rate(reached: Rate) -> Picture:
    """The rate with its interval; the count stands in the headline above it."""
    words = f"95% interval {100 * reached.low:.0f} to {100 * reached.high:.0f}%"
    drawn = interval(reached, words, None, f"{reached.value:.0%} of the runs")
    return Picture(drawn, f"Runs that succeed, with the 95% interval: {reached}.")


def interval(
    measured: Rate, label: str, axis: str | None = "Runs that succeed", text: str | None = None
) -> charts.Chart:
    """One rate with its interval; `text` in place of the count at the right."""
    row = {
        "text": text or measured.count,
        "label": label,
        "rate": measured.value,
        "low": measured.low,
        "high": measured.high,
    }
    return charts.rate(pd.DataFrame([row]), axis)


def part_measured(history: History, part: str) -> str:
    """The rows that the curves are measured on: `part`, or "training" without held-out rows."""
    return part if history.val_loss is not None else "training"


def measure(of: str, part: str, when: str) -> str:
    """The column of a history with a curve.

    Args:
        of: "loss" or "score".
        part: "training" or "held-out" rows.
        when: "after" or "during" each epoch, for the training rows.
    """
    if part == "held-out":
        return f"val_{of}"
    return f"evaluated_{of}" if when == "after" else of


def logarithmic(history: History, part: str, when: str, choice: str = "auto") -> bool:
    """Whether the loss has a logarithmic axis; `choice` is that of the view "log"."""
    if choice != "auto":
        return choice == "yes"
    return charts.wide(getattr(history, measure("loss", part, when)))


def score(
    history: History, part: str, when: str, target: float, baseline: float, height: int = 340
) -> Picture:
    """The score of every run by epoch; `height` is of the plot in pixels."""
    drawn = charts.curves(
        history.curves(),
        measure("score", part, when),
        history.outcomes(target),
        epochs=history.experiment.training.epochs,
        target=target,
        baseline=baseline,
        height=height,
        task=history.experiment.task,
    )
    return Picture(drawn, _by_epoch(history.experiment.task.score, part, when))


def loss(history: History, part: str, when: str, target: float, log: bool) -> Picture:
    drawn = charts.curves(
        history.curves(),
        measure("loss", part, when),
        history.outcomes(target),
        epochs=history.experiment.training.epochs,
        log=log,
    )
    return Picture(drawn, _by_epoch("Loss", part, when))


def _by_epoch(what: str, part: str, when: str) -> str:
    when = "after" if part == "held-out" else when
    return f"{what} on the {part} rows {when} each epoch, one line per run."


def final_scores(history: History, target: float, baseline: float) -> Picture:
    task, outcomes = history.experiment.task, history.outcomes(target)
    return Picture(
        charts.final_scores(history.final_score, outcomes, target, baseline, task=task),
        f"How many runs end at which {task.score_name}.",
    )


def measured_health(history: History) -> tuple[str, ...]:
    """The figures of the layers' health that are finite and not 0 after some epoch."""
    figures = {name: getattr(history.health, name) for name in MEASURES}
    return tuple(name for name, each in figures.items() if each[np.isfinite(each)].any())


def shown_health(history: History, choice: str) -> str:
    """The figure of the view "health", or the first of `measured_health` in its place."""
    measured = measured_health(history)
    return choice if choice in measured else next(iter(measured), choice)


def health(history: History, figure: str, target: float) -> list[Picture]:
    """A chart of the runs that failed and one of the others, if they have finite figures."""
    frame = inspection.layer_health(history, figure, history.successes(target))
    panels = charts.health(
        frame,
        figure,
        epochs=history.experiment.training.epochs,
        log=figure in ("gradient_norm", "update_ratio"),
    )
    what = "mean over the runs" if charts.is_share(figure) else "median, quartiles"
    described = f"{MEASURES[figure]} by epoch and layer: {what}."
    return [Picture(panel, described) for panel in panels]


def picks(history: History, target: float, chosen: str = "") -> dict[str, int]:
    """The runs that can be shown in detail.

    They are best, median, worst and, if any is, the first stuck, and the run whose number `chosen`
    is, if it is one.
    """
    runs = {kind: history.pick(kind) for kind in ("best", "median", "worst")}
    stuck = history.outcomes(target) == STUCK
    if stuck.any():
        runs["stuck"] = int(stuck.argmax())
    if chosen.isdecimal() and int(chosen) < history.runs:
        runs[chosen] = int(chosen)
    return runs


def of_network(history: History, run: int) -> list[tuple[Picture, int]]:
    """What one run's network does and what it gets right, each with its relative width."""
    experiment = history.experiment
    if experiment.task.name != "regression":
        return [(network(history, run), 3), (decisions(history, run), 1)]
    if experiment.data.source.features > 2:
        return [(predictions(history, run), 1)]
    return [(network(history, run), 3), (predictions(history, run), 2)]


def diagram(history: History, run: int, height: int | None = None) -> Picture:
    """The network of one run; for its description see `network`, for `height` its chart."""
    return Picture(
        charts.network_view(drawing.diagram(history, run), height),
        "The network of the chosen run, with a slider over the epochs: columns of units with what "
        "each puts out, lines for the weights, and a bar for the gradient of each layer. Dead "
        "units are crossed out.",
    )


def before_training(experiment: Experiment) -> Picture:
    """A network with initial weights."""
    return Picture(
        charts.network_view(drawing.before_training(experiment)),
        "The network before training: columns of units with what each puts out, and lines for the "
        "initial weights of one draw. Dead units are crossed out.",
    )


def network(history: History, run: int) -> Picture:
    """The outputs of one run's network: over its inputs if there are one or two, else by row.

    The description does not name the run: if it changed with the run, the browser would draw a new
    chart and reset its slider to the last epoch.
    """
    experiment = history.experiment
    source, regression = experiment.data.source, experiment.task.name == "regression"
    # With one class there is no probability of another to draw over the inputs.
    over_inputs = regression or (source.classes > 1 and not source.label_columns)
    if source.features == 1 and over_inputs:
        epochs = history.key_epochs.tolist()
        frame = inspection.response(history, run)
        if regression:
            samples = samples_over_x(history, run)
            return Picture(
                charts.curve_view(frame, samples, epochs, run),
                "The chosen run: the prediction by input with the samples.",
            )
        return Picture(
            charts.response_view(frame, epochs, run, source.boundary),
            "The chosen run: probability of class 1 by input.",
        )
    if source.features == 2 and over_inputs:
        surface = inspection.surface(history, run)
        if regression:
            return Picture(
                charts.targets_surface_view(surface, run),
                "The chosen run: the prediction over the two features with the samples.",
            )
        return Picture(
            charts.surface_view(surface, run),
            "The chosen run: probability of class 1 over the two features with the samples, and "
            "which of them are wrong.",
        )
    if regression:
        return predictions(history, run)
    return Picture(
        charts.own_class_view(inspection.own_class(history, run), run),
        "The chosen run: how many training rows of each label get which output for their own "
        "class.",
    )


def predictions(history: History, run: int) -> Picture:
    return Picture(
        charts.predictions_view(against_truth(history, run), run),
        "The chosen run: predicted against true targets, and the residuals.",
    )


def decisions(history: History, run: int) -> Picture:
    """The confusion matrix, or of many classes or several labels how often each is right."""
    data = history.experiment.data
    if data.source.label_columns or data.source.classes > charts.MOST_LABELS:
        return Picture(
            charts.right_wrong(by_label(history, run), f"Run {run}"),
            f"How many rows run {run} gets right and wrong after the last epoch, by label.",
        )
    weights, rows = history.weights_at(-1, run), history.rows(run)
    table = inspection.confusion(history.experiment, weights, rows)
    return Picture(
        charts.confusion(table, f"Run {run}"),
        f"Confusion matrix of run {run} after the last epoch: actual by predicted class.",
    )
