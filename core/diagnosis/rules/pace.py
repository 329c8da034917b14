"""Rules on whether the updates get there: learning rate, epochs, batches."""

from __future__ import annotations

import math

import numpy as np

from core import fixes
from core.diagnosis.findings import (
    BARELY,
    COSMETIC,
    FATAL,
    FRAGILE,
    LIKELY,
    ORDER,
    PRECISION,
    RESTLESS,
    SLOW,
    Finding,
    expected,
    number,
    rounded_up,
    rule,
)
from core.diagnosis.observations import CLEAR, TRIAL_UPDATES, Observations, grown_share
from core.fixes import default_rate


def _updates_missing(seen: Observations) -> float | None:
    """Updates that the goal takes, where there are too few; None where enough or unknown.

    A history decides it by its last weights: what is still missing from there.
    """
    if not seen.learnable:
        return None
    if seen.history is not None:
        if not seen.is_stuck or not seen.moving:
            return None
        return seen.updates + float(np.median(seen.updates_left))
    needed = seen.updates_needed
    if math.isinf(needed) and seen.moved < BARELY:
        return seen.seen_updates  # at least: the look ahead goes no further
    return needed if PRECISION * seen.updates < needed < math.inf else None


def _missing_evidence(seen: Observations, needed: float) -> str:
    epochs = rounded_up(needed / seen.updates_an_epoch)
    least = "about" if seen.history is not None or needed != seen.seen_updates else "more than"
    text = (
        f"{_epochs(seen)} of {seen.updates_an_epoch:,} updates make {seen.updates:,} updates. At a "
        f"learning rate of {seen.rate:g}, {least} {rounded_up(needed):,} are needed, or "
        f"{epochs:,} epochs"
    )
    if seen.history is not None:
        first, last = seen.history.loss[0], seen.history.loss[-1]
        stuck = seen.stuck
        text += (
            f"; the median loss of the {stuck.sum()} runs that fail went from "
            f"{number(float(np.nanmedian(first[stuck])))} to "
            f"{number(float(np.nanmedian(last[stuck])))}"
        )
    return text + "."


def _epochs(seen: Observations) -> str:
    return f"{seen.training.epochs:,} epoch{'s' * (seen.training.epochs > 1)}"


@rule("learning-rate-too-low")
def learning_rate_too_low(seen: Observations) -> Finding | None:
    usual = default_rate(seen.experiment)
    needed = _updates_missing(seen)
    slow = needed is not None
    # A rate so low that the whole training is a step or two of the look ahead.
    if not slow and seen.rate < usual and seen.learnable:
        slow = _barely_moves(seen)
        needed = math.inf
    if not slow or seen.rate >= usual:
        return None
    factor = min(10.0 ** math.ceil(math.log10(max(min(needed / seen.updates, 1e6), 1.1))), 1e6)
    better = sorted({min(seen.rate * factor, 0.1), usual}, reverse=True)
    if math.isfinite(needed):
        evidence = _missing_evidence(seen, needed)
    else:
        evidence = (
            f"{seen.updates:,} updates at a learning rate of {seen.rate:g} move no weight by more "
            f"than about {number(seen.moved)}."
        )
    return Finding(
        "learning-rate-too-low",
        SLOW,
        "The learning rate is too low",
        f"{evidence} Keras's default for this optimizer is {usual:g}.",
        "Each update moves the weights in proportion to the learning rate, and at this rate the "
        "updates do not take them far enough. The network is slow rather than stuck.",
        tuple(fixes.rate(value) for value in better),
        LIKELY,
        "Train with the higher learning rate on the same seeds.",
        because=f"a learning rate of {seen.rate:g} is too low",
    )


def _barely_moves(seen: Observations) -> bool:
    """After all updates of the training hardly anything has happened yet."""
    return (seen.history is None or seen.is_stuck) and seen.moved < BARELY


@rule("too-few-updates")
def too_few_updates(seen: Observations) -> Finding | None:
    needed = _updates_missing(seen)
    if needed is None:
        return None
    usual = default_rate(seen.experiment)
    if seen.rate < usual and needed * seen.rate / usual <= seen.updates:
        return None  # the learning rate alone explains it
    epochs = rounded_up(1.5 * needed / seen.updates_an_epoch)
    faster = min(10 * seen.rate, 0.1) if seen.rate < 0.1 else None
    remedies = [fixes.epochs(min(epochs, 10_000))]
    if faster:
        remedies.append(fixes.rate(faster))
    return Finding(
        "too-few-updates",
        SLOW,
        "Too few updates",
        _missing_evidence(seen, needed),
        "The network is still improving when training ends. It needs more epochs, more updates "
        "per epoch or a higher learning rate.",
        tuple(remedies),
        LIKELY,
        "Train for longer on the same seeds.",
        because=f"{_epochs(seen)} {'are' if seen.training.epochs > 1 else 'is'} too few",
    )


@rule("batch-too-large")
def batch_too_large(seen: Observations) -> Finding | None:
    needed = _updates_missing(seen)
    batch = min(seen.training.batch_size, seen.data.training_rows)
    if needed is None or batch <= fixes.DEFAULT_BATCH:
        return None
    smaller = -(-seen.data.training_rows // fixes.DEFAULT_BATCH) * seen.training.epochs
    if smaller < needed:
        return None
    return Finding(
        "batch-too-large",
        SLOW,
        "Large batches leave few updates",
        f"Updates per epoch: {seen.updates_an_epoch:,} with batches of {batch:,}, "
        f"{-(-seen.data.training_rows // fixes.DEFAULT_BATCH):,} with batches of "
        f"{fixes.DEFAULT_BATCH}, which makes {smaller:,} in all. About {rounded_up(needed):,} are "
        "needed.",
        "Each batch makes one update, and only updates change the weights. Larger batches make "
        "each update more exact, not larger.",
        (fixes.batch(fixes.DEFAULT_BATCH),),
        LIKELY,
        "Train with smaller batches on the same seeds.",
        because=f"batches of {batch:,} leave too few updates",
    )


@rule("learning-rate-too-high")
def learning_rate_too_high(seen: Observations) -> Finding | None:
    if seen.history is not None and not seen.is_stuck:
        return None
    usual = default_rate(seen.experiment)
    worth = seen.rate > 3 * usual or (
        fixes.follows_gradient(seen.experiment) and seen.rate > usual / 10
    )
    if not worth or not seen.learnable or seen.as_is is None:
        return None
    (loss, _), (lower, _) = (seen.trial[part] for part in (1.0, 0.1))
    restless = 0.0
    if seen.is_stuck and seen.history.health is not None:
        ratios = seen.history.health.update_ratio[-1][:, seen.stuck]
        restless = float(np.median(np.nan_to_num(ratios, nan=0.0, posinf=0.0).max(axis=0)))
    high = seen.rate > 3 * usual
    killed = seen.silenced_in_training if seen.is_stuck and high else 0.0
    # Where small steps lead nowhere either, large ones are not what is wrong.
    restless_alone = high and (restless > RESTLESS or killed >= CLEAR)
    if seen.diverges < CLEAR and not (restless_alone and seen.reached(seen.as_is) >= CLEAR):
        return None
    if seen.history is None and grown_share(loss) < 1:
        return None
    before, after = (float(np.median(x)) for x in loss)
    evidence = (
        f"In the first {TRIAL_UPDATES} updates at a learning rate of {seen.rate:g} the loss goes "
        f"from {number(before)} to {number(after)}; at {seen.rate / 10:g} to "
        f"{number(float(np.median(lower[1])))}."
    )
    if restless > RESTLESS:
        evidence += (
            f" At the end one update still changes a kernel by {number(restless)} of its norm."
        )
    if killed >= CLEAR:
        evidence += f" In {killed:.0%} of the runs that fail a whole layer dies in training."
    severity = FATAL if seen.is_stuck else FRAGILE
    if not high and (seen.sizes.max(initial=0) > ORDER or seen.conditioning > ORDER**2):
        severity = COSMETIC  # at this rate it is the inputs that make the loss so steep
    return Finding(
        "learning-rate-too-high",
        severity,
        "The learning rate is too high",
        evidence,
        "Each update overshoots the minimum it should approach, so the loss rises or bounces "
        "instead of falling. Such a step can also push units to where they have no gradient.",
        fixes.lower_rates(seen.experiment),
        *expected(seen, severity, "Train with a tenth of the learning rate on the same seeds."),
        because=f"a learning rate of {seen.rate:g} is too high",
    )
