"""Rules on what happened in a training, whatever the cause."""

from __future__ import annotations

import math

import numpy as np

from core import fixes
from core.diagnosis.findings import (
    CERTAIN,
    COSMETIC,
    FALLING,
    FATAL,
    FRAGILE,
    GAP,
    LIKELY,
    SLOW,
    SWING,
    SWINGING_EPOCHS,
    Finding,
    accuracies,
    number,
    rule,
)
from core.diagnosis.observations import Observations
from core.experiment import (
    Blobs,
    Threshold,
)
from core.fixes import Fix, default_rate
from core.losses import CROSS_ENTROPIES


@rule("non-finite-loss")
def non_finite_loss(seen: Observations) -> Finding | None:
    if seen.history is None or seen.history.finite.all():
        return None
    lost = ~seen.history.finite
    epoch = (~np.isfinite(seen.history.loss)).argmax(axis=0)[lost].min() + 1
    remedies = [*fixes.lower_rates(seen.experiment), fixes.STANDARDISE]
    if seen.training.loss in CROSS_ENTROPIES and seen.model.output.activation not in (
        "sigmoid",
        "softmax",
    ):
        remedies.insert(0, fixes.fitting_output(seen.experiment))
    return Finding(
        "non-finite-loss",
        FATAL,
        "The loss becomes NaN or infinite",
        f"In {lost.sum()} of {lost.size} runs the loss becomes infinite or NaN, first in epoch "
        f"{epoch}.",
        "A value overflowed, or 0 was divided by 0. From then on every weight is NaN and the "
        "network cannot learn.",
        tuple(remedies),
        because="the loss becomes NaN or infinite",
    )


@rule("loss-below-zero")
def loss_below_zero(seen: Observations) -> Finding | None:
    if seen.history is None or not (seen.history.loss < -1e-6).any():
        return None
    below = (seen.history.loss < -1e-6).any(axis=0)
    return Finding(
        "loss-below-zero",
        FATAL,
        "The loss drops below zero",
        f"In {below.sum()} of {below.size} runs; the lowest value is "
        f"{number(float(np.nanmin(seen.history.loss)))}.",
        "Cross-entropy is never negative for labels from 0 to 1, so some labels lie outside. The "
        "loss then has no minimum and keeps falling while the network learns nothing.",
        (fixes.LABELS_FROM_ZERO,),
        because="the loss has no minimum",
    )


@rule("constant-prediction")
def constant_prediction(seen: Observations) -> Finding | None:
    if not seen.is_stuck or seen.continuous or seen.printable < seen.goal:
        return None
    constant = seen.constant & seen.stuck & seen.history.finite
    if not constant.any():
        return None
    flat = seen.flat & constant
    severity = SLOW if seen.moving and not flat.any() else FATAL
    return Finding(
        "constant-prediction",
        severity,
        "Every sample gets the same prediction",
        f"In {constant.sum()} of {constant.size} runs the prediction is the same for every sample, "
        f"so the accuracy is that class's share ({seen.shares.max():.1%} for the majority class)."
        + (f" In {flat.sum()} of them the output is constant." if flat.any() else ""),
        "Predicting the majority class is the best constant guess, and where most training "
        "starts. "
        + (
            "Here the output no longer depends on the input at all, and no gradient is left to "
            "change that."
            if flat.any()
            else "Here the output does depend on the input, but never crosses the threshold."
        ),
        _escapes(seen),
        CERTAIN,
        layer=len(seen.hidden),
        run=int(np.flatnonzero(flat if flat.any() else constant)[0]),
        because="every sample gets the same prediction",
    )


def _escapes(seen: Observations) -> tuple[Fix, ...]:
    """What most often helps against a constant output, which is a symptom more than a cause."""
    remedies = []
    output = seen.model.output.activation
    if seen.training.loss in CROSS_ENTROPIES and output not in ("sigmoid", "softmax"):
        remedies.append(fixes.fitting_output(seen.experiment))
    if seen.data.scaling != "standardise":
        remedies.append(fixes.STANDARDISE)
    if seen.hidden and min(layer.units for layer in seen.hidden) < fixes.WIDE:
        remedies.append(fixes.WIDEN)
    if seen.hidden and any(layer.activation in ("sigmoid", "softmax") for layer in seen.hidden):
        remedies.append(fixes.RECTIFY)
    if seen.moving:
        remedies.append(fixes.rate(min(10 * seen.rate, 0.1)))
    if seen.rate > default_rate(seen.experiment):
        remedies.append(fixes.rate(default_rate(seen.experiment)))
    return tuple(remedies)


@rule("accuracy-frozen")
def accuracy_frozen(seen: Observations) -> Finding | None:
    if not seen.is_stuck or seen.history.epochs < 3 or seen.continuous:
        return None
    loss, accuracy = seen.history.loss, seen.history.accuracy
    with np.errstate(invalid="ignore"):
        fell = loss[-1] < loss[0] - FALLING * np.abs(loss[0])
    # Within what a share of so many rows can change by chance.
    still = np.ptp(accuracy[1:], axis=0) <= 2 * math.sqrt(0.25 / seen.data.training_rows)
    frozen = fell & still & seen.stuck
    if not frozen.any():
        return None
    which = np.flatnonzero(frozen)[0]
    return Finding(
        "accuracy-frozen",
        SLOW if seen.moving else FATAL,
        "The loss falls, but the accuracy does not change",
        f"In {frozen.sum()} of {frozen.size} runs; in run {which} the loss goes from "
        f"{number(float(loss[0, which]))} to {number(float(loss[-1, which]))} while the accuracy "
        f"stays at {accuracy[-1, which]:.3f}.",
        "The loss responds to every small change of the output, the accuracy only to which side of "
        "the threshold it is on. Either no output has crossed the threshold yet, or the accuracy "
        "measures something other than what the loss optimises.",
        _escapes(seen),
        CERTAIN if not seen.moving else LIKELY,
        "Train for longer on the same seeds." if seen.moving else None,
        run=int(which),
        because="the loss falls but the accuracy does not change",
    )


@rule("oscillation")
def oscillation(seen: Observations) -> Finding | None:
    if not seen.is_stuck or seen.history.epochs < 5:
        return None
    changes = np.diff(seen.history.accuracy[:, seen.stuck], axis=0)
    falls = (changes <= -SWING).mean(axis=0)
    if np.median(falls) < SWINGING_EPOCHS:
        return None
    return Finding(
        "oscillation",
        FRAGILE if not seen.moving else SLOW,
        "The accuracy oscillates",
        f"It falls by {SWING:g} or more in {np.median(falls):.0%} of the epochs (median of the "
        f"{seen.stuck.sum()} runs that fail).",
        "The updates are too large, or the batches too small, for the weights to settle near a "
        "minimum. A lower learning rate lets them settle.",
        (*fixes.lower_rates(seen.experiment), fixes.STANDARDISE),
        LIKELY,
        "Train with a tenth of the learning rate on the same seeds.",
        because="the accuracy oscillates",
    )


@rule("overfitting")
def overfitting(seen: Observations) -> Finding | None:
    if seen.history is None or seen.history.val_accuracy is None or seen.continuous:
        return None
    gap = seen.history.accuracy[-1] - seen.history.val_accuracy[-1]
    chance = 2 * math.sqrt(0.25 / seen.data.held_out_rows / seen.history.runs)
    if np.nanmean(gap) < max(GAP, chance):
        return None
    return Finding(
        "overfitting",
        FRAGILE if seen.is_stuck else COSMETIC,
        "Overfitting",
        f"Training accuracy ends at {np.nanmean(seen.history.accuracy[-1]):.1%}, held-out accuracy "
        f"at {np.nanmean(seen.history.val_accuracy[-1]):.1%} (mean of the runs; "
        f"{seen.data.training_rows:,} training rows, {seen.parameters:,} weights).",
        "The network memorises the training rows, noise included, and this does not generalise. "
        "More rows, fewer units or fewer epochs help.",
        _against_overfitting(seen),
        LIKELY,
        "Train with more rows or fewer units on the same seeds.",
        because="the network overfits the training rows",
    )


def _against_overfitting(seen: Observations) -> tuple[Fix, ...]:
    remedies = []
    if isinstance(seen.data.source, (Blobs, Threshold)):
        remedies.append(fixes.more_rows(seen.experiment))
    if seen.training.epochs > 1:
        remedies.append(fixes.epochs(max(seen.training.epochs // 5, 1)))
    return tuple(remedies)


@rule("depends-on-the-seed")
def depends_on_the_seed(seen: Observations) -> Finding | None:
    if not seen.is_stuck or not seen.passing.successes:
        return None
    others = "fail" if seen.by_target else "do not"
    evidence = f"{seen.passing} reach {seen.goal:.2f}; {accuracies(seen)}."
    if seen.moving:
        evidence += " Most of them are still improving when training ends."
    return Finding(
        "depends-on-the-seed",
        SLOW if seen.moving else FRAGILE,
        f"Some runs {seen.passes}, others {others}",
        evidence,
        "The runs differ only in their random numbers: initial weights, data and order. A single "
        "run, good or bad, says little here.",
        _escapes(seen),
        because=f"some runs {seen.passes} and others {others}",
    )
