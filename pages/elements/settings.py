"""The table of what a problem page can set: one row is a control, a URL parameter and a default.

Values are plain (str, int, float, bool) and flat; `values_of` and `experiment_of` translate between
them and an `Experiment`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from functools import cache

from core.activations import ACTIVATIONS
from core.experiment import (
    ENCODINGS,
    SCALINGS,
    SGD,
    SHUFFLINGS,
    Adam,
    BatchNormalisation,
    Blobs,
    Dense,
    Dropout,
    Experiment,
    Model,
    RMSprop,
    Threshold,
    Training,
)
from core.history import TARGET
from core.initialisers import INITIALISERS
from core.jobs.requests import DEFAULT_RUNS
from core.losses import LOSSES
from core.problems import PROBLEMS

MOST_HIDDEN = 4
OPTIMIZERS = {"adam": Adam, "rmsprop": RMSprop, "sgd": SGD}
LABELS = {"0 and 1": (0.0, 1.0), "1 and 2": (1.0, 2.0), "-1 and 1": (-1.0, 1.0)}


MOST_NAMED = 8
"""Options that a notice names."""


def _named(options: tuple[str, ...]) -> str:
    more = len(options) - MOST_NAMED
    return ", ".join(options[:MOST_NAMED]) + (f" or {more} more" if more > 0 else "")


@dataclass(frozen=True)
class Choice:
    options: tuple[str, ...]

    @property
    def expected(self) -> str:
        return f"one of {_named(self.options)}"

    def parse(self, text: str) -> str:
        if text not in self.options:
            raise ValueError
        return text


@dataclass(frozen=True)
class Whole:
    low: int
    high: int
    step: int = 1

    @property
    def expected(self) -> str:
        return f"a whole number from {self.low:,} to {self.high:,}"

    def parse(self, text: str) -> int:
        value = int(text)
        if not self.low <= value <= self.high:
            raise ValueError
        return value


@dataclass(frozen=True)
class Real:
    low: float
    high: float
    step: float
    format: str = "%g"

    @property
    def expected(self) -> str:
        return f"a number from {self.low:g} to {self.high:g}"

    def parse(self, text: str) -> float:
        value = float(text)
        if not (math.isfinite(value) and self.low <= value <= self.high):
            raise ValueError
        return value


@dataclass(frozen=True)
class Flag:
    expected = "yes or no"

    def parse(self, text: str) -> bool:
        return {"yes": True, "no": False}[text]


@dataclass(frozen=True)
class Keys:
    """Any number of the known keys; an address joins them by dots."""

    known: tuple[str, ...]

    @property
    def expected(self) -> str:
        return f"some of {_named(self.known)}"

    def parse(self, text: str) -> list[str]:
        keys = text.split(".") if text else []
        if not set(keys) <= set(self.known):
            raise ValueError
        return keys


@dataclass(frozen=True)
class Setting:
    """name: key in the URL and, after the problem's, in the session; help: of the control."""

    name: str
    label: str
    kind: Choice | Whole | Real | Flag
    help: str


@dataclass(frozen=True)
class View:
    """A choice of what to look at, which changes no result; `usual` is where it begins."""

    label: str
    kind: Choice | Flag
    usual: str | bool
    help: str


def _layer(name: str, label: str) -> list[Setting]:
    return [
        Setting(f"{name}-units", f"{label}: units", Whole(1, 64), "Outputs of the layer."),
        Setting(
            f"{name}-activation",
            f"{label}: activation",
            Choice(tuple(ACTIVATIONS)),
            "The function applied to each weighted sum.",
        ),
        Setting(
            f"{name}-initialiser",
            f"{label}: initialiser",
            Choice(tuple(INITIALISERS)),
            "The distribution of the initial weights.",
        ),
    ]


THRESHOLD_DATA = [
    Setting(
        "threshold",
        "Threshold",
        Whole(1, 1_000_000, 1_000),
        "Numbers below it are class 0; those from it up to twice as much are class 1.",
    ),
]
BLOB_DATA = [
    Setting(
        f"{bound}{number}",
        f"Class {number}: {word}",
        Real(-100, 100, 0.05),
        "Both features of the class are drawn uniformly between its two bounds.",
    )
    for number in (1, 2)
    for bound, word in (("low", "lowest value"), ("high", "highest value"))
] + [
    Setting(
        "overlap",
        "Overlap",
        Real(0, 1, 0.05),
        "Moves the second cluster towards the first; at 1 they have the same centre.",
    ),
    Setting(
        "noise",
        "Noise",
        Real(0, 10, 0.01),
        "Standard deviation of normal noise on both features, in their own unit.",
    ),
    Setting(
        "labels",
        "Labels",
        Choice(tuple(LABELS)),
        "The numbers that stand for the two classes in the data.",
    ),
    Setting(
        "encoding",
        "Label encoding",
        Choice(ENCODINGS),
        "As they are, replaced by 0 and 1 in order, or one column per class.",
    ),
]
ROWS = [
    Setting("samples", "Samples per class", Whole(2, 20_000, 100), "Rows drawn for each class."),
    Setting(
        "shuffling",
        "Row shuffling",
        Choice(SHUFFLINGS),
        "'rows' is Python's random.shuffle on a two-dimensional array, which overwrites about half "
        "of the rows; a permutation keeps all of them.",
    ),
    Setting(
        "scaling",
        "Input scaling",
        Choice(SCALINGS),
        "Divide by a constant, map to [0, 1], or standardise to mean 0 and variance 1. The last "
        "two are fitted on the training rows only.",
    ),
    Setting("divisor", "Divide by", Real(1e-6, 1e9, 1_000), "Used when the scaling is 'divide'."),
    Setting(
        "hold-out",
        "Held-out fraction",
        Real(0, 0.9, 0.05),
        "Share of the rows kept for evaluation and never trained on; 0 evaluates on the training "
        "rows.",
    ),
    Setting(
        "same-data",
        "Same data for every run",
        Flag(),
        "Off: every run draws its own data. On: the runs differ only in their initial weights and "
        "the order of the batches.",
    ),
    Setting(
        "data-seed",
        "Data seed",
        Whole(0, 999_999),
        "Determines the data when it is the same for every run.",
    ),
]
NETWORK = [
    Setting(
        "hidden",
        "Hidden layers",
        Whole(0, MOST_HIDDEN),
        "Dense layers between the input and the output.",
    ),
    *(
        setting
        for number in range(1, MOST_HIDDEN + 1)
        for setting in _layer(f"hidden{number}", f"Hidden layer {number}")
    ),
    *_layer("output", "Output layer"),
    Setting(
        "normalise",
        "Batch normalisation",
        Flag(),
        "After every hidden layer: mean 0 and variance 1 within the batch.",
    ),
    Setting(
        "dropout",
        "Dropout",
        Real(0, 0.9, 0.05),
        "After every hidden layer: the share of outputs set to 0 during training.",
    ),
]
TRAINING = [
    Setting("loss", "Loss", Choice(tuple(LOSSES)), "The function that the optimizer minimises."),
    Setting("optimizer", "Optimizer", Choice(tuple(OPTIMIZERS)), "With Keras's defaults."),
    Setting(
        "learning-rate",
        "Learning rate",
        Real(1e-7, 100, 0.001),
        "Adam and RMSprop move each weight by about this much per update.",
    ),
    Setting("momentum", "Momentum", Real(0, 1, 0.1), "Used by SGD only."),
    Setting("batch-size", "Batch size", Whole(1, 10_000), "Rows per update of the weights."),
    Setting("epochs", "Epochs", Whole(1, 2_000, 10), "Passes over the training rows."),
    Setting(
        "reshuffle",
        "Shuffle every epoch",
        Flag(),
        "As Keras's fit does by default.",
    ),
]
RUNS = [
    Setting(
        "runs",
        "Runs",
        Choice(("1", "16", "32", "64", "128", "256", "512")),
        "How many times the network is trained, each time with a different seed.",
    ),
    Setting("seed", "Seed", Whole(0, 999_999), "A different seed gives different runs."),
    Setting(
        "target",
        "Target accuracy",
        Real(0.5, 1, 0.01, "%.2f"),
        "A run whose final accuracy reaches it succeeded; the others failed.",
    ),
]

GROUPS: dict[str, dict[str, list[Setting]]] = {
    key: {"Data": [*own, *ROWS], "Network": NETWORK, "Training": TRAINING, "Runs": RUNS}
    for key, own in (("threshold", THRESHOLD_DATA), ("two-blob", BLOB_DATA))
}


VIEWS = {
    "log": View(
        "Log scale for the loss",
        Choice(("auto", "yes", "no")),
        "auto",
        "Shows small losses apart; losses of 0 or below cannot be drawn on it. On from the start "
        "where the largest loss is more than 100 times the smallest.",
    ),
    "curves": View(
        "Curves",
        Choice(("after", "during")),
        "after",
        "After each epoch: evaluated on all training rows, as the final accuracy is. During: the "
        "mean over the epoch's batches, which model.fit prints.",
    ),
    "part": View(
        "Measured on",
        Choice(("held-out", "training")),
        "held-out",
        "The held-out rows were never trained on.",
    ),
    "health": View(
        "Figure",
        Choice(("dead", "saturated", "gradient_norm", "update_ratio")),
        "dead",
        "Dead: units whose output is 0 for every training sample. Saturated: within 1 % of a "
        "bound of the activation for every sample. Gradient norm of each kernel. Change of a "
        "kernel in one update, relative to the kernel.",
    ),
    "pick": View(
        "Run",
        Choice(("best", "median", "worst", "stuck")),
        "worst",
        "By final accuracy; 'stuck' is the first run that is stuck.",
    ),
}
"""What of the results a page shows, by name."""


@cache
def table(problem: str) -> dict[str, Setting]:
    """Every setting of a problem's page, by name."""
    return {s.name: s for group in GROUPS[problem].values() for s in group}


def matters(name: str, values: dict[str, object]) -> bool:
    """Whether a setting has an effect with the others as they stand."""
    for number in range(1, MOST_HIDDEN + 1):
        if name.startswith(f"hidden{number}-"):
            return number <= values["hidden"]
    conditions = {
        "divisor": values["scaling"] == "divide",
        "data-seed": values["same-data"],
        "momentum": values["optimizer"] == "sgd",
    }
    return conditions.get(name, True)


def values_of(experiment: Experiment) -> dict[str, object]:
    """The settings that give this experiment; what it has no say in comes at its default.

    Raises ValueError where there is no setting for its clouds or labels.
    """
    data, training = experiment.data, experiment.training
    values = {
        "samples": data.source.samples,
        "shuffling": data.shuffling,
        "scaling": data.scaling,
        "divisor": data.divisor,
        "hold-out": data.hold_out,
        "same-data": data.seed is not None,
        "data-seed": data.seed or 0,
        "loss": training.loss,
        "optimizer": type(training.optimizer).__name__.lower(),
        "learning-rate": training.optimizer.learning_rate,
        "momentum": getattr(training.optimizer, "momentum", 0.0),
        "batch-size": training.batch_size,
        "epochs": training.epochs,
        "reshuffle": training.shuffle,
        "runs": str(DEFAULT_RUNS),
        "seed": 0,
        "target": TARGET,
    }
    if isinstance(data.source, Threshold):
        values["threshold"] = data.source.threshold
    else:
        (values["low1"], values["high1"]), (values["low2"], values["high2"]) = data.source.bounds
        values |= {"overlap": data.source.overlap, "noise": data.source.noise}
        values["labels"] = list(LABELS)[list(LABELS.values()).index(data.label_values)]
        values["encoding"] = data.encoding
    *hidden, output = experiment.model.dense
    layers = dict(enumerate(hidden, 1))
    values["hidden"] = len(hidden)
    for number in range(1, MOST_HIDDEN + 1):
        values |= _layer_values(f"hidden{number}", layers.get(number, Dense(3, "relu")))
    values |= _layer_values("output", output)
    others = experiment.model.layers
    values["normalise"] = any(isinstance(layer, BatchNormalisation) for layer in others)
    values["dropout"] = max((x.rate for x in others if isinstance(x, Dropout)), default=0.0)
    return values


def experiment_of(problem: str, values: dict) -> Experiment:
    """The experiment that the settings describe. Raises InvalidExperiment."""
    data = PROBLEMS[problem].experiment.data
    if problem == "threshold":
        source = Threshold(values["threshold"], values["samples"])
    else:
        source = Blobs(
            bounds=((values["low1"], values["high1"]), (values["low2"], values["high2"])),
            samples=values["samples"],
            overlap=values["overlap"],
            noise=values["noise"],
        )
        data = replace(data, label_values=LABELS[values["labels"]], encoding=values["encoding"])
    data = replace(
        data,
        source=source,
        shuffling=values["shuffling"],
        scaling=values["scaling"],
        divisor=values["divisor"],
        hold_out=values["hold-out"],
        seed=values["data-seed"] if values["same-data"] else None,
    )
    layers = []
    for number in range(1, values["hidden"] + 1):
        layers.append(_dense(f"hidden{number}", values))
        if values["normalise"]:
            layers.append(BatchNormalisation())
        if values["dropout"]:
            layers.append(Dropout(values["dropout"]))
    kind = OPTIMIZERS[values["optimizer"]]
    known = {field.name for field in fields(kind)}
    options = {"learning_rate": values["learning-rate"], "momentum": values["momentum"]}
    return Experiment(
        data,
        Model((*layers, _dense("output", values))),
        Training(
            loss=values["loss"],
            optimizer=kind(**{name: v for name, v in options.items() if name in known}),
            batch_size=values["batch-size"],
            epochs=values["epochs"],
            shuffle=values["reshuffle"],
        ),
    )


def _layer_values(name: str, layer: Dense) -> dict[str, object]:
    return {
        f"{name}-units": layer.units,
        f"{name}-activation": layer.activation,
        f"{name}-initialiser": layer.initialiser,
    }


def _dense(name: str, values: dict) -> Dense:
    return Dense(
        values[f"{name}-units"], values[f"{name}-activation"], values[f"{name}-initialiser"]
    )
