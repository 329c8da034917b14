"""Rules on settings that are unlike what is usual, which need not do harm.

They are often named as the fault. Each says how unusual it is; whether it matters here only a
training without it shows.
"""

from __future__ import annotations

import math

import numpy as np

from core import fixes
from core.diagnosis.findings import (
    CANNOT_TELL,
    CERTAIN,
    COSMETIC,
    FATAL,
    FRAGILE,
    LIKELY,
    SLOW,
    Finding,
    counted,
    layer_name,
    number,
)
from core.diagnosis.observations import Observations
from core.diagnosis.observations.ahead import CLEAR
from core.diagnosis.rules.rule import rule
from core.diagnosis.thresholds import (
    FAINT,
    FEW_HELD_OUT,
    FEW_UPDATES,
    LARGE,
    ORDER,
    SATURATED,
    SMALL_BATCH,
)
from core.initialisers import Given, initialiser
from core.rates import percent, points


def _open(obs: Observations, settle: str) -> tuple[str, str | None]:
    """The confidence in a finding that matters only if nothing else explains what happened."""
    return (CERTAIN, None) if obs.all_passed else (CANNOT_TELL, settle)


@rule("initial-scale")
def initial_scale(obs: Observations) -> Finding | None:
    kinds = [initialiser(layer.initialiser) for layer in obs.model.dense]
    fixed = [
        n
        for n, kind in enumerate(kinds)
        if not kind.by_size and kind.random and not isinstance(kind, Given)
    ]
    if not fixed:
        return None
    spreads, signal = obs.start.spreads, obs.start.signal
    worst = max(fixed, key=lambda n: abs(math.log(max(spreads[n], 1e-9))))
    evidence = (
        f"The weights of {layer_name(worst, obs)} start with {number(spreads[worst])} times the "
        "standard deviation of Glorot's"
        + (
            f"; before training the rows differ {number(signal)} times as much in layer "
            f"{len(obs.hidden)} as in the inputs."
            if obs.hidden
            else "."
        )
    )
    severity = COSMETIC
    matters = obs.failing or (obs.history is None and not obs.ahead.reached_in_time >= CLEAR)
    saturated = _saturated_by_weights(obs, max(spreads[n] for n in fixed))
    if saturated is not None:
        evidence += (
            f" Before training {obs.start.saturated[saturated]:.0%} of "
            f"{layer_name(saturated, obs)}'s {obs.activations[saturated]} outputs lie within 1% of "
            "a bound."
        )
    huge = obs.failing is not None and spreads[worst] > ORDER
    wrong = huge or saturated is not None or not FAINT <= signal <= 1 / FAINT
    if obs.hidden and matters and wrong:
        severity = SLOW if signal < FAINT else FRAGILE
        if obs.failing and not obs.failing.passed.any() and not obs.failing.moving:
            severity = FATAL
    small = spreads[worst] < 1
    settle = "Train with He and Glorot initialisation on the same seeds."
    return Finding(
        severity,
        "Initial weights of a fixed size",
        evidence,
        "This initialiser draws numbers of one size, however many inputs a unit has. Layer by "
        f"layer the signal, and the gradient on its way back, "
        f"{'shrinks' if small else 'grows'} by what they are off.",
        (fixes.KEEP_VARIANCE,),
        *((LIKELY, settle) if severity is not COSMETIC else _open(obs, settle)),
        layer=worst,
        because=f"the initial weights are too {'small' if small else 'large'}",
    )


def _saturated_by_weights(obs: Observations, spread: float) -> int | None:
    """The hidden layer whose bounded outputs are at a bound from the start, if one is.

    Args:
        spread: Of the largest initial weights, over that of Glorot's.
    """
    if spread < LARGE or obs.rows.sizes.max(initial=0) > ORDER:
        return None
    bounded = [n for n, name in enumerate(obs.activations) if name in ("sigmoid", "tanh")]
    worst = max(bounded, key=lambda n: obs.start.saturated[n], default=None)
    return worst if worst is not None and obs.start.saturated[worst] > SATURATED else None


@rule("unusual-learning-rate", unless=("learning-rate-too-low", "learning-rate-too-high"))
def unusual_learning_rate(obs: Observations) -> Finding | None:
    default, usual = fixes.default_rate(obs.experiment), fixes.usual_rate(obs.experiment)
    if usual / ORDER <= obs.rate <= usual * ORDER or obs.rate == 0:
        return None
    low = obs.rate < usual
    times = usual / obs.rate if low else obs.rate / usual
    whose = "Keras's default" if usual == default else "Keras's default before TensorFlow 2"
    moves = (
        ""
        if fixes.follows_gradient(obs.experiment)
        else f"; {obs.updates:,} updates move a weight by {number(obs.travel)} at most"
    )
    return Finding(
        COSMETIC,
        f"An unusually {'low' if low else 'high'} learning rate",
        f"A learning rate of {obs.rate:g} is {number(times)} times {'below' if low else 'above'} "
        f"{whose} of {usual:g} for this optimizer{moves}.",
        "The learning rate sets how far each update goes. Too low, the training ends on the way; "
        "too high, it steps over the minimum.",
        (fixes.rate(usual),),
        *_open(obs, f"Train with a learning rate of {usual:g} on the same seeds."),
    )


@rule("few-updates", unless=("too-few-updates", "batch-too-large", "learning-rate-too-low"))
def few_updates(obs: Observations) -> Finding | None:
    if obs.updates >= FEW_UPDATES or obs.stopped_early:
        return None
    more = min(math.ceil(FEW_UPDATES / obs.updates) * obs.training.epochs, 10_000)
    return Finding(
        COSMETIC,
        "Few updates",
        f"{counted(obs.training.epochs, 'epoch')} of "
        f"{obs.updates_per_epoch:,} make {obs.updates:,} updates, each on "
        f"{min(obs.training.batch_size, obs.data.training_rows):,} rows.",
        "Only updates change the weights, and most networks take hundreds. How many this one "
        "takes shows once nothing else is wrong.",
        (fixes.epochs(more),),
        *_open(obs, f"Train for {more:,} epochs on the same seeds."),
    )


@rule("unusual-batch-size", unless=("batch-too-large", "batch-norm-small-batch"))
def unusual_batch_size(obs: Observations) -> Finding | None:
    rows = obs.data.training_rows
    batch = min(obs.training.batch_size, rows)
    small = batch < SMALL_BATCH
    if rows <= fixes.DEFAULT_BATCH or not (small or batch > rows / 2):
        return None
    return Finding(
        COSMETIC,
        "Very small batches" if small else "Very large batches",
        f"Batches of {batch:,} of {rows:,} rows make "
        f"{counted(obs.updates_per_epoch, 'update')} per epoch; Keras's default of "
        f"{fixes.DEFAULT_BATCH} makes {-(-rows // fixes.DEFAULT_BATCH):,}.",
        "Small batches make many noisy updates, large ones few exact ones. Either way the "
        "learning rate has to suit them.",
        (fixes.batch(fixes.DEFAULT_BATCH),),
        *_open(obs, "Train with batches of 32 on the same seeds."),
    )


@rule("plain-gradient-descent")
def plain_gradient_descent(obs: Observations) -> Finding | None:
    optimizer = obs.training.optimizer
    if not fixes.follows_gradient(obs.experiment) or getattr(optimizer, "momentum", False):
        return None
    norm = float(np.median(obs.start.gradients[0]))
    if not math.isfinite(norm):
        return None
    return Finding(
        COSMETIC,
        "Gradient descent without momentum",
        f"{type(optimizer).__name__} at a learning rate of {obs.rate:g}: the gradient of the first "
        f"kernel has a norm of {number(norm)} before training, so at that size {obs.updates:,} "
        f"updates move the kernel by {number(obs.travel * norm)}.",
        "Plain gradient descent takes steps as small as the gradient, and crosses a plateau "
        "slowly. Adam scales the steps of each weight, and reaches most goals sooner.",
        (fixes.ADAM,),
        *_open(obs, "Train with Adam on the same seeds."),
    )


@rule("few-held-out-rows")
def few_held_out_rows(obs: Observations) -> Finding | None:
    rows = obs.data.held_out_rows
    if not 0 < rows < FEW_HELD_OUT or obs.goal.regression:
        return None
    return Finding(
        COSMETIC,
        "Few rows are held out",
        f"{rows} of {obs.data.source.rows:,} rows are held out: an accuracy on them is known to "
        f"within {points(1.96 * math.sqrt(0.25 / rows))} (95% confidence), and each row counts "
        f"{percent(1 / rows)}.",
        "The held-out accuracy of a run then varies by chance alone. More held-out rows, or the "
        "mean over many runs, tell more.",
        (fixes.HOLD_OUT,) if obs.data.hold_out < 0.2 else (),
    )
