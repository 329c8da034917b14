"""The most that one training may cost, and what would fit where one costs more.

    check(Train(experiment, runs=512), Limits())    # raises OverBudget, with what would fit

A server for strangers is one small machine: one training runs at a time, so a long one makes
everybody wait and a large one takes everybody's memory. Costs are those of `core.costs`.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import Field, dataclass, field, fields, replace
from typing import Any

from core.costs import MEGABYTE, Price, price
from core.log import note


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
    kept, PLATEAU_LIMIT_RESULT_MEGABYTES: of one result, which stays for as long as its tab is
        open or `core.jobs.trainings` keeps it.
    held, PLATEAU_RESULTS_MEGABYTES: of all results in all tabs; beyond it the oldest are let go.
    weights, PLATEAU_LIMIT_WEIGHTS: larger networks are beyond what the prices were measured on.
    resident, PLATEAU_WORKER_MEGABYTES: a training process at rest above it is replaced by a new
        one, which holds about 650 MB: TensorFlow gives little of what it took back.
    workers: that share a long training, by which its price is divided; see `core.jobs.sharing`.
    elsewhere: whether they are other machines: `bytes` then holds for each part of a training.
    """

    seconds: float = _limit(300, "PLATEAU_LIMIT_SECONDS")
    bytes: float = _limit(768, "PLATEAU_LIMIT_MEGABYTES", MEGABYTE)
    kept: float = _limit(128, "PLATEAU_LIMIT_RESULT_MEGABYTES", MEGABYTE)
    weights: float = _limit(1_000_000, "PLATEAU_LIMIT_WEIGHTS")
    held: float = _limit(512, "PLATEAU_RESULTS_MEGABYTES", MEGABYTE)
    resident: float = _limit(1_000, "PLATEAU_WORKER_MEGABYTES", MEGABYTE)
    workers: int = 1
    elsewhere: bool = False

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Limits:
        """The defaults, and what the variables say; one that is no positive number is logged.

        Args:
            environment: values by the names of the variables.
        """
        values = {}
        for limit in _from_variables():
            text = environment.get(limit.metadata["variable"])
            if text is None:
                continue
            try:
                value = float(text)
            except ValueError:
                value = 0.0
            if 0 < value < float("inf"):
                values[limit.name] = value * limit.metadata["unit"]
            else:
                note(
                    "setting",
                    logging.WARNING,
                    variable=limit.metadata["variable"],
                    problem="it should be a number above 0; the default holds",
                    default=limit.default / limit.metadata["unit"],
                )
        return cls(**values)

    def environment(self) -> dict[str, str]:
        """The variables from which `from_environment` reads these limits."""
        return {
            limit.metadata["variable"]: repr(getattr(self, limit.name) / limit.metadata["unit"])
            for limit in _from_variables()
        }

    def shared(self, workers: int, elsewhere: bool = False) -> Limits:
        """Where so many share a long training, and `elsewhere` have memory of their own."""
        return replace(self, workers=workers, elsewhere=elsewhere)


def _from_variables() -> list[Field]:
    return [each for each in fields(Limits) if "variable" in each.metadata]


class OverBudget(ValueError):
    """A training that is larger than one may be here: says by how much, and what would fit."""


def planned(request: Any, limits: Limits) -> Any:
    """The request as it is done within these limits: some are as large as the limits allow."""
    within = getattr(request, "within", None)
    return request if within is None else within(limits)


def price_within(request: Any, limits: Limits) -> Price:
    """The price of a request as it is done within these limits."""
    return price(planned(request, limits), limits.workers)


def check(request: Any, limits: Limits) -> Price:
    """The price of a request.

    Args:
        request: a `core.jobs.requests.Request`. Its `smaller`, where it has any, are iterables of
            (words, request), each from the largest down.
        limits: the most that it may cost.

    Raises:
        OverBudget: it costs more; the message names what would fit.
    """
    cost = price_within(request, limits)
    excess = _excess(cost, limits)
    if excess is None:
        return cost
    candidates = (_first_that_fits(offers, limits) for offers in getattr(request, "smaller", ()))
    fitting = [words for words in candidates if words is not None]
    hint = (
        f"With {', or '.join(fitting)}, it fits."
        if fitting
        else "Fewer rows, larger batches or a smaller network would fit."
    )
    raise OverBudget(f"{excess} {hint}")


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


def _first_that_fits(offers: Iterable[tuple[str, Any]], limits: Limits) -> str | None:
    """The words for the first request within the limits, or None."""
    return next(
        (
            words
            for words, request in offers
            if _excess(price_within(request, limits), limits) is None
        ),
        None,
    )


def _excess(cost: Price, limits: Limits) -> str | None:
    """What is above its limit, in a sentence, or None."""
    if cost.weights > limits.weights:
        return (
            f"This network has {cost.weights:,} weights; the limit here is {limits.weights:,.0f}."
        )
    if cost.seconds > limits.seconds:
        return _exceeds("This would train for", duration(cost.seconds), duration(limits.seconds))
    size = cost.part_bytes if limits.elsewhere else cost.bytes
    for amount, limit, start in (
        (size, limits.bytes, "This training would take"),
        (cost.kept, limits.kept, "The figures of this training would take"),
    ):
        if amount > limit:
            return _exceeds(start, _megabytes(amount), _megabytes(limit), " of memory")
    return None


def _exceeds(start: str, amount: str, limit: str, of: str = "") -> str:
    """A sentence in which the amount never reads like the limit that it is above."""
    about = f"about {amount}" if amount != limit else f"a little more than {limit}"
    return f"{start} {about}{of}; the limit here is {limit}."


def _megabytes(size: float) -> str:
    return f"{size / MEGABYTE:,.0f} MB"


def duration(seconds: float) -> str:
    """A time in words, rounded as a reader needs it: 42 s, 5 min 20 s, 1 h 23 min."""
    unit = 1 if seconds < 60 else 10 if seconds < 600 else 60
    whole = max(round(seconds / unit) * unit, 1)
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    parts = ((hours, "h"), (minutes, "min"), (rest, "s"))
    return " ".join(f"{count:,} {name}" for count, name in parts if count)
