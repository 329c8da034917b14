"""The pictures of a training, for the page and for the report: charts with their descriptions."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd

from core import inspection
from core.data import prepare
from core.history import STUCK, History
from core.rates import Rate
from pages.elements import charts
from pages.elements.headline import percent

MEASURES = {
    "dead": "Dead units",
    "saturated": "Saturated units",
    "gradient_norm": "Gradient norm",
    "update_ratio": "Update-to-weight ratio",
}
"""The figures of the layers' health, in words."""


class Picture(NamedTuple):
    """A chart, and what it shows in words for those who do not see it: what `charts.show` takes."""

    chart: charts.Chart
    alt: str


def rate(reached: Rate, target: float) -> Picture:
    """The success rate with its interval."""
    label, said = (
        f"Runs that end at {percent(target)} or above",
        f"Success rate with its 95% interval: {reached}.",
    )
    return Picture(interval(reached, label), said)


def interval(measured: Rate, label: str, axis: str = "Success rate") -> charts.Chart:
    """One rate with its interval."""
    row = {
        "label": label,
        "rate": measured.value,
        "low": measured.low,
        "high": measured.high,
        "successes": measured.successes,
        "runs": measured.runs,
    }
    return charts.rate(pd.DataFrame([row]), axis)


def part_measured(history: History, wanted: str) -> str:
    """The rows that curves are measured on: the wanted part, or "training" where no other is."""
    return wanted if history.val_loss is not None else "training"


def measure(of: str, part: str, when: str) -> str:
    """The column of "loss" or "accuracy" on these rows, "after" or "during" each epoch.

    During an epoch the training rows alone are measured.
    """
    if part == "held-out":
        return f"val_{of}"
    return f"evaluated_{of}" if when == "after" else of


def logarithmic(history: History, part: str, when: str, wanted: str = "auto") -> bool:
    """Whether the loss has a logarithmic axis: "yes", "no", or where the losses are far apart."""
    if wanted != "auto":
        return wanted == "yes"
    return charts.wide(getattr(history, measure("loss", part, when)))


def accuracy(history: History, part: str, when: str, target: float, majority: float) -> Picture:
    drawn = charts.curves(
        history.frame(),
        measure("accuracy", part, when),
        history.outcomes(target),
        epochs=history.experiment.training.epochs,
        target=target,
        majority=majority,
    )
    return Picture(drawn, _by_epoch("Accuracy", part, when))


def loss(history: History, part: str, when: str, target: float, log: bool) -> Picture:
    drawn = charts.curves(
        history.frame(),
        measure("loss", part, when),
        history.outcomes(target),
        epochs=history.experiment.training.epochs,
        log=log,
    )
    return Picture(drawn, _by_epoch("Loss", part, when))


def _by_epoch(what: str, part: str, when: str) -> str:
    when = "after" if part == "held-out" else when
    return f"{what} on the {part} rows {when} each epoch, one line per run."


def final_accuracies(history: History, target: float, majority: float) -> Picture:
    return Picture(
        charts.final_accuracies(history.final_accuracy, history.outcomes(target), target, majority),
        "How many runs end at which accuracy.",
    )


def health(history: History, figure: str, target: float) -> list[Picture]:
    """A panel for the runs that failed and one for the others, where there are any of them."""
    frame = inspection.layer_health(history, figure, history.successes(target))
    panels = charts.health(
        frame,
        figure,
        epochs=history.experiment.training.epochs,
        log=figure in ("gradient_norm", "update_ratio"),
    )
    described = f"{MEASURES[figure]} by epoch and layer: median, quartiles."
    return [Picture(panel, described) for panel in panels]


def picks(history: History, target: float) -> dict[str, int]:
    """The runs that can be looked into, by what they are; the first stuck one, where one is."""
    runs = {kind: history.pick(kind) for kind in ("best", "median", "worst")}
    stuck = history.outcomes(target) == STUCK
    if stuck.any():
        runs["stuck"] = int(stuck.argmax())
    return runs


def network(history: History, run: int) -> Picture:
    """What one run's network computes: over its inputs, where there are one or two of them.

    The description does not name the run: with another one, the browser would draw a new chart and
    put its slider back to the last epoch.
    """
    source = history.experiment.data.source
    if source.features == 1:
        epochs = history.key_epochs.tolist()
        frame = inspection.response(history, run)
        return Picture(
            charts.response_view(frame, epochs, run, source.boundary),
            "The chosen run: probability of class 1 and each hidden unit's output by input.",
        )
    if source.features == 2:
        return Picture(
            charts.surface_view(inspection.surface(history, run), run),
            "The chosen run: probability of class 1, and each hidden unit's output, over the "
            "two features with the samples.",
        )
    return Picture(
        charts.own_class_view(inspection.own_class(history, run), run),
        "The chosen run: how many training rows of each label get which output for their own "
        "class.",
    )


def confusion(history: History, run: int) -> Picture:
    rows = prepare(history.experiment.data, history.seed, run)
    table = inspection.confusion(history.experiment, history.weights_at(-1, run), rows)
    return Picture(
        charts.confusion(table, f"Run {run}"),
        f"Confusion matrix of run {run} after the last epoch: actual by predicted class.",
    )
