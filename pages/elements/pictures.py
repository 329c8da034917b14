"""The pictures of a training, for the page and for the report: charts with their descriptions."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from core import view
from core.data import prepare
from core.history import History
from core.statistics import Rate
from pages.elements import charts

MEASURES = {
    "dead": "Dead units",
    "saturated": "Saturated units",
    "gradient_norm": "Gradient norm",
    "update_ratio": "Update to weight",
}
"""The figures of the layers' health, in words."""


class Picture(NamedTuple):
    """A chart, and what it shows in words for those who do not see it: what `charts.show` takes."""

    chart: charts.Chart
    alt: str


def rate(reached: Rate, target: float) -> Picture:
    """The success rate with its interval."""
    label, said = (
        f"Runs that reach {target:.0%}",
        f"Success rate with its 95 % interval: {reached}.",
    )
    return Picture(interval(reached, label), said)


def interval(found: Rate, label: str, axis: str = "Runs freed") -> charts.Chart:
    """One rate with its interval."""
    row = {
        "label": label,
        "rate": found.value,
        "low": found.low,
        "high": found.high,
        "successes": found.successes,
        "runs": found.runs,
    }
    return charts.rate(pd.DataFrame([row]), axis)


def part_measured(history: History, wanted: str) -> str:
    """The rows that curves are measured on: the wanted part, or "training" where no other is."""
    return wanted if history.val_loss is not None else "training"


def accuracy(history: History, part: str, target: float, majority: float) -> Picture:
    drawn = charts.curves(
        history.frame(),
        "val_accuracy" if part == "held-out" else "accuracy",
        history.successes(target),
        epochs=history.experiment.training.epochs,
        target=target,
        majority=majority,
    )
    return Picture(drawn, f"Accuracy on the {part} rows by epoch, a line a run.")


def loss(history: History, part: str, target: float, log: bool) -> Picture:
    drawn = charts.curves(
        history.frame(),
        "val_loss" if part == "held-out" else "loss",
        history.successes(target),
        epochs=history.experiment.training.epochs,
        log=log,
    )
    return Picture(drawn, f"Loss on the {part} rows by epoch, a line a run.")


def final_accuracies(history: History, target: float, majority: float) -> Picture:
    return Picture(
        charts.final_accuracies(history.final_accuracy, target, majority),
        "How many runs end at which accuracy.",
    )


def health(history: History, measure: str, target: float) -> list[Picture]:
    """A panel for the freed runs and one for the stuck ones, where there are any of them."""
    frame = view.layer_health(history, measure, history.successes(target))
    panels = charts.health(
        frame,
        measure,
        epochs=history.experiment.training.epochs,
        log=measure in ("gradient_norm", "update_ratio"),
    )
    described = f"{MEASURES[measure]} by epoch and layer: median, quartiles."
    return [Picture(panel, described) for panel in panels]


def picks(history: History, target: float) -> dict[str, int]:
    """The runs that can be looked into, by what they are; `stuck` where there is one."""
    found = {kind: history.pick(kind) for kind in ("best", "median", "worst")}
    success = history.successes(target)
    if not success.all():
        found["stuck"] = int(np.flatnonzero(~success)[0])
    return found


def network(problem: str, history: History, run: int) -> Picture:
    """What one run's network computes, over the inputs."""
    if problem == "threshold":
        return Picture(
            charts.threshold_view(
                view.threshold_response(history, run), history.key_epochs.tolist()
            ),
            f"Run {run}: probability of class 1 and each hidden unit's output by input.",
        )
    return Picture(
        charts.surface_view(view.surface(history, run)),
        f"Run {run}: probability of class 1, and each hidden unit's output, over the "
        "two features with the samples.",
    )


def confusion(history: History, run: int) -> Picture:
    rows = prepare(history.experiment.data, history.seed, run)
    table = view.confusion(history.experiment, history.weights_at(-1, run), rows)
    return Picture(
        charts.confusion(table), f"Confusion matrix of run {run}: actual by predicted class."
    )
