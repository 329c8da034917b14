"""What a training costs before it starts, and how much one may cost here.

    check(Train(experiment, runs=512), Limits())    # raises OverBudget, with what would fit

A server for strangers is one small machine: one training runs at a time, so a long one makes
everybody wait and a large one takes everybody's memory. The prices come from the settings alone.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from core.activations import activation
from core.engine.grouping import (
    KEPT_WEIGHTS,
    KEY_EPOCHS,
    lanes_for,
    sizes,
    stacks,
    steps,
    structure,
)
from core.experiment import Experiment, InvalidExperiment
from core.log import note

MEGABYTE = 2**20
FLOAT = 4
"""Bytes of a number."""


@dataclass(frozen=True)
class Work:
    """Some experiments, `runs` runs of each: stacked, or with `plain` through Keras's `fit`.

    returned: their histories go to the server; otherwise only what is concluded from them does.
    """

    experiments: tuple[Experiment, ...]
    runs: int
    plain: bool = False
    returned: bool = True


@dataclass(frozen=True)
class Price:
    """What a training is expected to take.

    seconds: wall-clock time, compiling included, on two cores like those of benchmarks/price.py;
    bytes: of memory in the training process at its peak, on top of what it has at rest;
    kept: bytes of the figures that the server keeps for the page; weights: of one run's network.
    """

    seconds: float
    bytes: float
    kept: float
    weights: int


FREE = Price(0.0, 0.0, 0.0, 0)


def _limit(default: float, variable: str, unit: float = 1) -> Any:
    return field(default=default * unit, metadata={"variable": variable, "unit": unit})


@dataclass(frozen=True)
class Limits:
    """The most that one training may cost, and the server may keep.

    `from_environment` reads the operator's own. Defaults and their variables:

    seconds, PLATEAU_LIMIT_SECONDS: five minutes let everything through that the pages propose,
        2,000 epochs of 64 runs (priced at 75 s) and 100 epochs of plain Keras (at 270), and
        are as long as one can ask the next person in the queue to wait.
    bytes, PLATEAU_LIMIT_MEGABYTES: with the process at `resident`, results of `held` and a server
        of 250 MB, the worst peak is 2.5 GB; Community Cloud stops an app at 2.7.
    kept, PLATEAU_LIMIT_RESULT_MEGABYTES: of one result, which stays for as long as its tab is open.
    held, PLATEAU_RESULTS_MEGABYTES: of all results in all tabs; beyond it the oldest are let go.
    weights, PLATEAU_LIMIT_WEIGHTS: larger networks are beyond what the prices were measured on.
    resident, PLATEAU_WORKER_MEGABYTES: a training process at rest above it is replaced by a new
        one, which holds about 650 MB: TensorFlow gives little of what it took back.
    """

    seconds: float = _limit(300, "PLATEAU_LIMIT_SECONDS")
    bytes: float = _limit(768, "PLATEAU_LIMIT_MEGABYTES", MEGABYTE)
    kept: float = _limit(128, "PLATEAU_LIMIT_RESULT_MEGABYTES", MEGABYTE)
    weights: float = _limit(1_000_000, "PLATEAU_LIMIT_WEIGHTS")
    held: float = _limit(512, "PLATEAU_RESULTS_MEGABYTES", MEGABYTE)
    resident: float = _limit(1_000, "PLATEAU_WORKER_MEGABYTES", MEGABYTE)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Limits:
        """The defaults, and what the variables say; one that is no positive number is logged."""
        found = {}
        for limit in fields(cls):
            text = environment.get(limit.metadata["variable"])
            if text is None:
                continue
            try:
                value = float(text)
            except ValueError:
                value = 0.0
            if 0 < value < float("inf"):
                found[limit.name] = value * limit.metadata["unit"]
            else:
                note(
                    "setting",
                    logging.WARNING,
                    variable=limit.metadata["variable"],
                    problem="it should be a number above 0; the default holds",
                    default=limit.default / limit.metadata["unit"],
                )
        return cls(**found)

    def environment(self) -> dict[str, str]:
        """The variables from which `from_environment` reads these limits."""
        return {
            limit.metadata["variable"]: repr(getattr(self, limit.name) / limit.metadata["unit"])
            for limit in fields(self)
        }


class OverBudget(ValueError):
    """A training that is larger than one may be here: says by how much, and what would fit."""


def price(request: Any) -> Price:
    """What a request's `work` costs in all; a request without any trains nothing."""
    try:
        prices = [priced(work) for work in getattr(request, "work", ())]
    except InvalidExperiment:
        return FREE  # a fix does not fit the experiment: the training itself says so
    if not prices:
        return FREE
    return Price(
        sum(each.seconds for each in prices),
        max(each.bytes for each in prices),
        sum(each.kept for each in prices),
        max(each.weights for each in prices),
    )


def check(request: Any, limits: Limits) -> Price:
    """The price of a request. Raises OverBudget where it is above the limits."""
    asked = price(request)
    over = _over(asked, limits)
    if over:
        offers = [_first_that_fits(offer, limits) for offer in getattr(request, "smaller", ())]
        offers = [text for text in offers if text]
        hint = (
            f"With {', or '.join(offers)}, it fits."
            if offers
            else "Fewer rows, larger batches or a smaller network would fit."
        )
        raise OverBudget(f"{over} {hint}")
    return asked


def fewer_runs(request: Any) -> Iterator[tuple[str, Any]]:
    """A request with fewer and fewer `runs`, and what to call each."""
    for runs in (256, 128, 64, 32, 16, 1):
        if runs < request.runs:
            yield f"{runs} run{'s' * (runs > 1)}", replace(request, runs=runs)


def fewer_epochs(request: Any) -> Iterator[tuple[str, Any]]:
    """A request whose `experiment` trains for fewer and fewer epochs, and what to call each."""
    training = request.experiment.training
    for epochs in (digit * size for size in (1_000, 100, 10, 1) for digit in range(9, 0, -1)):
        if epochs < training.epochs:
            shorter = replace(request.experiment, training=replace(training, epochs=epochs))
            name = f"{epochs:,} epoch{'s' * (epochs > 1)}"
            yield name, replace(request, experiment=shorter)


def _first_that_fits(offer: Iterable[tuple[str, Any]], limits: Limits) -> str | None:
    return next((text for text, request in offer if not _over(price(request), limits)), None)


def _over(asked: Price, limits: Limits) -> str | None:
    """What is above its limit, in a sentence, or None."""
    if asked.weights > limits.weights:
        return (
            f"This network has {asked.weights:,} weights; the limit here is {limits.weights:,.0f}."
        )
    if asked.seconds > limits.seconds:
        return _exceeds("This would train for", duration(asked.seconds), duration(limits.seconds))
    for size, limit, what in (
        (asked.bytes, limits.bytes, "This training would take"),
        (asked.kept, limits.kept, "The figures of this training would take"),
    ):
        if size > limit:
            size, limit = (f"{value / MEGABYTE:,.0f} MB" for value in (size, limit))
            return _exceeds(what, size, limit, " of memory")
    return None


def _exceeds(what: str, asked: str, limit: str, of: str = "") -> str:
    """A sentence in which what is asked for never reads like the limit that it is above."""
    about = f"about {asked}" if asked != limit else f"a little more than {limit}"
    return f"{what} {about}{of}; the limit here is {limit}."


def duration(seconds: float) -> str:
    """A time in words, to the unit that it deserves: 42 s, 5 min 20 s, 1 h 23 min."""
    unit = 1 if seconds < 60 else 10 if seconds < 600 else 60
    whole = max(round(seconds / unit) * unit, 1)
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    parts = ((hours, "h"), (minutes, "min"), (rest, "s"))
    return " ".join(f"{count:,} {name}" for count, name in parts if count)


# --- what it costs, fitted by benchmarks/price.py -------------------------------------------------

COMPILING, COMPILING_LAYER = 1.1, 0.35
"""Seconds to compile a structure, and more for each of its layers."""
BESIDE = 0.65
"""Share of all compiling and training that passes while one goes on beside the other."""
EPOCH, RUN, VALUE = 1e-3, 2.5e-4, 3e-8
"""Seconds that an epoch takes however small it is; to prepare a run; to draw one value of it."""
STEP, STEP_LAYER = 1.3e-6, 0.65e-6
"""Seconds of an update however small it is, and more for each layer."""
WEIGHT, ENTRY, OUTPUT = 2.5e-9, 4e-10, 1.3e-9
"""Seconds of an update for each weight; for each row, by kernel entry and by layer's output."""
EVALUATED_ENTRY, EVALUATED_OUTPUT = 1.5e-10, 4e-10
"""Seconds for each row that is evaluated."""
EXPONENTIAL = 6e-9
"""Seconds more for each row, of an update or evaluated, by unit that computes an exponential."""
FIT, FIT_EPOCH, FIT_STEP = 0.8, 0.1, 1.3e-3
"""Seconds of Keras's `fit` to start, for each epoch with its evaluation, and for each step."""
DATA, STATES, ACTIVATIONS = 4, 8, 4
"""Copies at once: of the data while they are stacked and handed over; of the weights, with the
optimizer's and the gradients; of a batch's outputs, forwards and backwards."""
COPIES = 3
"""Of the figures: as they are made, stacked, and on their way to the server."""
FIGURES, HELD_OUT, HEALTH = 8, 4, 6
"""Numbers per epoch and run, in the history and in the events; more with held-out rows; more for
each dense layer."""
PROGRAM, COMPILER = 25 * MEGABYTE, 50 * MEGABYTE
"""What TensorFlow keeps of a compiled program, and takes while it compiles."""


def priced(work: Work) -> Price:
    if not work.experiments:
        return FREE
    weights = max(sizes(experiment)[0] for experiment in work.experiments)
    if work.plain:
        seconds = sum(_fit_seconds(experiment) for experiment in work.experiments) * work.runs
        kept = sum(_kept(experiment, work.runs) for experiment in work.experiments)
        size = max(_stack_bytes(experiment, 1) for experiment in work.experiments)
        return Price(seconds, size + COPIES * kept, kept * work.returned, weights)
    # The training itself refuses a number of runs that cannot be.
    runs = max(int(work.runs), 1)
    grouped = [
        (work.experiments[places[0]], len(places) * runs)
        for places in stacks(work.experiments, runs)
    ]
    kept = sum(_kept(experiment, members) for experiment, members in grouped)
    size = max(_stack_bytes(experiment, lanes_for(members)) for experiment, members in grouped)
    training = sum(_stack_seconds(experiment, members) for experiment, members in grouped)
    programs = {(structure(experiment), lanes_for(members)) for experiment, members in grouped}
    compiling = [COMPILING + len(layers) * COMPILING_LAYER for (layers, *_), _ in programs]
    # All but the first program is compiled while others train.
    seconds = max(max(compiling) + training, BESIDE * (sum(compiling) + training))
    size += COMPILER + len(programs) * PROGRAM + (COPIES if work.returned else 1) * kept
    return Price(seconds, size, kept * work.returned, weights)


def _stack_seconds(experiment: Experiment, members: int) -> float:
    """A stack's preparation and epochs, with its program compiled."""
    lanes, data = lanes_for(members), experiment.data
    weights, entries, outputs = sizes(experiment)
    layers, rows = len(experiment.model.layers), data.source.rows
    batch = min(experiment.training.batch_size, data.training_rows)
    exponential = EXPONENTIAL * sum(
        layer.units for layer in experiment.model.dense if activation(layer.activation).exponential
    )
    of_rows = batch * (entries * ENTRY + outputs * OUTPUT + exponential)
    step = STEP + layers * STEP_LAYER + lanes * (weights * WEIGHT + of_rows)
    of_rows = entries * EVALUATED_ENTRY + outputs * EVALUATED_OUTPUT + exponential
    evaluation = rows * lanes * of_rows
    epoch = EPOCH + steps(experiment) * step + evaluation
    preparation = members * (RUN + rows * (data.source.features + data.target_width) * VALUE)
    return preparation + experiment.training.epochs * epoch


def _fit_seconds(experiment: Experiment) -> float:
    training, data = experiment.training, experiment.data
    weights, entries, outputs = sizes(experiment)
    batch = min(training.batch_size, data.training_rows)
    arithmetic = weights * WEIGHT + batch * (entries * ENTRY + outputs * OUTPUT)
    batches = steps(experiment) + data.held_out_rows / batch
    return FIT + training.epochs * (FIT_EPOCH + batches * (FIT_STEP + arithmetic))


def _stack_bytes(experiment: Experiment, lanes: int) -> float:
    """Data, weights and one batch's outputs of a stack while it trains."""
    data = experiment.data
    weights, _, outputs = sizes(experiment)
    values = data.source.rows * (data.source.features + data.target_width)
    batch = min(experiment.training.batch_size, data.training_rows)
    return FLOAT * lanes * (values * DATA + weights * STATES + batch * outputs * ACTIVATIONS)


def _kept(experiment: Experiment, members: int) -> float:
    """The figures and weights of a stack's runs, and the events before them."""
    dense = len(experiment.model.dense)
    epochs = experiment.training.epochs
    figures = FIGURES + HELD_OUT * bool(experiment.data.held_out_rows) + HEALTH * dense
    state = FLOAT * members * sizes(experiment)[0]
    snapshots = min(epochs + 1, KEY_EPOCHS + 1, max(KEPT_WEIGHTS / max(state, 1), 2))
    return FLOAT * members * epochs * figures + state * snapshots
