"""Rules on what happened in a training, whatever the cause."""

from __future__ import annotations

import math

import numpy as np

from core import fixes
from core.diagnosis.findings import (
    CERTAIN,
    COSMETIC,
    FATAL,
    FRAGILE,
    LIKELY,
    SLOW,
    Finding,
    number,
    runs_that_fail,
    scores_of_failed,
)
from core.diagnosis.observations import Observations
from core.diagnosis.rules.rule import rule
from core.diagnosis.thresholds import FALLING, GAP, SWING, SWINGING_EPOCHS
from core.fixes import Fix
from core.rates import percent


@rule("non-finite-loss", symptom=True, keeps_severity=True, by_run=True)
def non_finite_loss(obs: Observations) -> Finding | None:
    if obs.history is None or obs.history.finite.all():
        return None
    lost = ~obs.history.finite
    overflown = ~np.isfinite(obs.history.loss) & obs.history.trained
    epoch = overflown.argmax(axis=0)[lost].min() + 1
    remedies = [*fixes.lower_rates(obs.experiment), fixes.STANDARDISE]
    if obs.training.takes_probabilities and obs.output_activation not in ("sigmoid", "softmax"):
        remedies.insert(0, fixes.fitting_output(obs.experiment))
    if obs.data.source.outputs:
        remedies.insert(0, fixes.STANDARDISE_TARGETS)
    return Finding(
        FATAL,
        "The loss becomes NaN or infinite",
        f"In {lost.sum()} of {lost.size} runs the loss becomes infinite or NaN, first in epoch "
        f"{epoch}.",
        "A value overflowed, or 0 was divided by 0. From then on every weight is NaN and the "
        "network cannot learn.",
        tuple(remedies),
        because="the loss becomes NaN or infinite",
    )


@rule("loss-below-zero", symptom=True)
def loss_below_zero(obs: Observations) -> Finding | None:
    if obs.history is None or not (obs.history.loss < -1e-6).any():
        return None
    below = (obs.history.loss < -1e-6).any(axis=0)
    return Finding(
        FATAL,
        "The loss drops below zero",
        f"In {below.sum()} of {below.size} runs the loss drops below zero; the lowest value is "
        f"{number(float(np.nanmin(obs.history.loss)))}.",
        "Cross-entropy is never negative for labels from 0 to 1, so some labels lie outside. The "
        "loss then has no minimum and keeps falling while the network learns nothing.",
        (fixes.LABELS_FROM_ZERO,),
        because="the loss has no minimum",
    )


@rule("constant-prediction", symptom=True, picture="decisions")
def constant_prediction(obs: Observations) -> Finding | None:
    end = obs.failing
    if end is None or obs.rows.continuous or obs.rows.nothing_varies or not obs.goal.learnable:
        return None
    constant = end.constant_decision & end.failed & end.history.finite
    if not constant.any():
        return None
    flat = end.constant_output & constant
    severity = SLOW if end.moving and not flat.any() else FATAL
    return Finding(
        severity,
        "Every sample gets the same prediction",
        f"In {constant.sum()} of {constant.size} runs the prediction is the same for every sample, "
        f"so the accuracy is that class's share "
        f"({percent(obs.rows.drawn_baseline(obs.experiment.task))} for the majority class)."
        + (f" In {flat.sum()} of them the output is constant." if flat.any() else ""),
        "Predicting the majority class is the best constant guess, and where most training "
        "starts. "
        + (
            "Here the output no longer depends on the input at all, and no gradient is left to "
            "change that."
            if flat.any()
            else "Here the output does depend on the input, but never crosses the threshold."
        ),
        fixes.against_constant_output(obs.experiment, end.moving),
        CERTAIN,
        layer=len(obs.hidden),
        run=int(np.flatnonzero(flat if flat.any() else constant)[0]),
        because="every sample gets the same prediction",
    )


@rule("accuracy-frozen", symptom=True, picture="decisions")
def accuracy_frozen(obs: Observations) -> Finding | None:
    end = obs.failing
    if end is None or end.history.epochs < 3 or obs.rows.continuous:
        return None
    loss, accuracy = end.history.loss, end.history.score
    last_loss, last_accuracy = end.history.at_end(loss), end.history.at_end(accuracy)
    with np.errstate(invalid="ignore"):
        fell = last_loss < loss[0] - FALLING * np.abs(loss[0])
    # Within what a share of so many rows can change by chance.
    spread = np.fmax.reduce(accuracy[1:]) - np.fmin.reduce(accuracy[1:])
    still = spread <= 2 * math.sqrt(0.25 / obs.data.training_rows)
    # On the training rows there may be nothing left to gain.
    frozen = fell & still & end.failed & (last_accuracy < obs.goal.score)
    if not frozen.any():
        return None
    which = np.flatnonzero(frozen)[0]
    return Finding(
        SLOW if end.moving else FATAL,
        "The loss falls, but the accuracy does not change",
        f"In {frozen.sum()} of {frozen.size} runs the loss falls while the accuracy stays; in run "
        f"{which} the loss goes from {number(float(loss[0, which]))} to "
        f"{number(float(last_loss[which]))} while the accuracy stays at "
        f"{percent(last_accuracy[which])}.",
        "The loss responds to every small change of the output, the accuracy only to which side of "
        "the threshold it is on. Either no output has crossed the threshold yet, or the accuracy "
        "measures something other than what the loss optimises.",
        fixes.against_constant_output(obs.experiment, end.moving),
        CERTAIN if not end.moving else LIKELY,
        "Train for longer on the same seeds." if end.moving else None,
        run=int(which),
        because="the loss falls but the accuracy does not change",
    )


@rule("oscillation", symptom=True)
def oscillation(obs: Observations) -> Finding | None:
    end = obs.failing
    if end is None or end.history.epochs < 5:
        return None
    # An R² below 0 is worse than the mean, by how much says little.
    changes = np.diff(np.maximum(end.history.score[:, end.failed], 0), axis=0)
    what = "R²" if obs.goal.regression else "the accuracy"
    falls = (changes <= -SWING).mean(axis=0)
    if np.median(falls) < SWINGING_EPOCHS:
        return None
    return Finding(
        FRAGILE if not end.moving else SLOW,
        f"{what[0].upper()}{what[1:]} oscillates",
        f"{what[0].upper()}{what[1:]} falls by {obs.experiment.task.difference(SWING)} or more in "
        f"{np.median(falls):.0%} of the epochs (median of the {runs_that_fail(end.failed)}).",
        "The updates are too large, or the batches too small, for the weights to settle near a "
        "minimum. A lower learning rate lets them settle.",
        (*fixes.lower_rates(obs.experiment), fixes.STANDARDISE),
        LIKELY,
        "Train with a tenth of the learning rate on the same seeds.",
        because=f"{what} oscillates",
    )


@rule("overfitting", unless=("validation-of-last-rows",))
def overfitting(obs: Observations) -> Finding | None:
    if obs.history is None or obs.history.val_score is None:
        return None
    regression = obs.goal.regression
    shown = obs.history.at_end(obs.history.score)
    held_out = obs.history.at_end(obs.history.val_score)
    if regression:
        # An R² below 0 has learnt nothing that it could have memorised.
        held_out = np.maximum(held_out, 0)
    gap = (shown - held_out)[np.isfinite(shown - held_out)]
    chance = 2 * math.sqrt(0.25 / obs.data.held_out_rows / obs.history.runs)
    least = max(GAP, chance)
    if not gap.size or gap.mean() < least:
        return None
    # What is no better than a constant answer has memorised nothing.
    if np.nanmean(shown) < obs.rows.baseline(obs.experiment.task) + least:
        return None
    name, stated = obs.experiment.task.score_name, obs.experiment.task.stated
    return Finding(
        FRAGILE if obs.failing else COSMETIC,
        "Overfitting",
        f"Training {name} ends at {stated(np.nanmean(shown))}, held-out {name} "
        f"at {stated(np.nanmean(held_out))} (mean of the runs; "
        f"{obs.data.training_rows:,} training rows, {obs.parameters:,} weights).",
        "The network memorises the training rows, noise included, and this does not generalise. "
        "More rows, fewer units or fewer epochs help.",
        _against_overfitting(obs),
        LIKELY,
        "Train with more rows or fewer units on the same seeds.",
        because="the network overfits the training rows",
    )


def _against_overfitting(obs: Observations) -> tuple[Fix, ...]:
    remedies = []
    if obs.data.source.random:
        remedies.append(fixes.more_rows(obs.experiment))
    if obs.training.epochs > 1:
        remedies.append(fixes.epochs(max(obs.training.epochs // 5, 1)))
    return tuple(remedies)


@rule("depends-on-the-seed", symptom=True, keeps_severity=True)
def depends_on_the_seed(obs: Observations) -> Finding | None:
    end = obs.failing
    if end is None or not end.rate.successes:
        return None
    others = "fail" if obs.goal.is_target else "do not"
    reached = obs.goal.passes if obs.goal.is_trivial else f"reach {obs.goal.name}"
    evidence = f"{end.rate} {reached}; {scores_of_failed(end)}."
    if end.moving:
        evidence += " Most of them are still improving when training ends."
    return Finding(
        SLOW if end.moving else FRAGILE,
        f"Some runs {obs.goal.passes}, others {others}",
        evidence,
        "The runs differ only in their random numbers: initial weights, data and order. A single "
        "run, good or bad, says little here.",
        fixes.against_constant_output(obs.experiment, end.moving),
        because=f"some runs {obs.goal.passes} and others {others}",
    )
