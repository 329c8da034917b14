"""Rules on whether the updates get there: learning rate, epochs, batches."""

from __future__ import annotations

import math

import numpy as np

from core import fixes
from core.diagnosis.estimates import grown_share
from core.diagnosis.findings import (
    COSMETIC,
    FATAL,
    FRAGILE,
    LIKELY,
    SLOW,
    Finding,
    confidence_in,
    counted,
    number,
    rounded_up,
    runs_that_fail,
)
from core.diagnosis.observations import Observations
from core.diagnosis.observations.ahead import CLEAR
from core.diagnosis.rules.rule import rule
from core.diagnosis.thresholds import BARELY, ORDER, PRECISION, RESTLESS
from core.fixes import default_rate, usual_rate

TOO_HIGH = "The learning rate is too high"
OVERSHOOTING = (
    "Each update overshoots the minimum it should approach, so the loss rises or bounces instead "
    "of falling. Such a step can also push units to where they have no gradient."
)


def _updates_missing(obs: Observations) -> float | None:
    """Updates that the goal takes, where there are too few; None where enough or unknown.

    A history decides it by its last weights: what is still missing from there.
    """
    if not obs.goal.learnable or obs.rate_dies is not None or obs.stopped_early or obs.futile:
        return None  # more updates change nothing then
    if obs.history is not None and obs.goal.is_unknown:
        return None  # towards nothing that is known to be possible there is no pace
    if obs.history is not None:
        if obs.failing is None or not obs.failing.moving:
            return None
        return obs.updates + float(np.median(obs.failing.updates_left))
    needed = obs.ahead.updates_needed
    if math.isinf(needed) and _hardly(obs):
        covered = obs.ahead.updates_covered
        # At least: the look ahead goes no further. A schedule may never get there.
        return covered if math.isfinite(covered) else None
    return needed if PRECISION * obs.updates < needed < math.inf else None


def _missing_evidence(obs: Observations, needed: float) -> str:
    epochs = rounded_up(needed / obs.updates_per_epoch)
    least = (
        "about" if obs.history is not None or needed != obs.ahead.updates_covered else "more than"
    )
    text = (
        f"{_epochs(obs)} of {counted(obs.updates_per_epoch, 'update')} "
        f"make {obs.updates:,}. At a "
        f"learning rate of {obs.rate:g}, {least} {rounded_up(needed):,} are needed, or "
        f"{epochs:,} epochs"
    )
    if obs.failing is not None:
        failed, loss = obs.failing.failed, obs.failing.history.loss
        text += (
            f"; the median loss of the {runs_that_fail(failed)} went from "
            f"{number(float(np.nanmedian(loss[0][failed])))} to "
            f"{number(float(np.nanmedian(obs.failing.history.at_end(loss)[failed])))}"
        )
    return text + "."


def _epochs(obs: Observations) -> str:
    return counted(obs.training.epochs, "epoch")


@rule("learning-rate-too-low")
def learning_rate_too_low(obs: Observations) -> Finding | None:
    default, usual = default_rate(obs.experiment), usual_rate(obs.experiment)
    if not obs.goal.learnable or obs.futile:
        return None
    if obs.rate >= usual:
        return _rate_too_low_for_its_gradient(obs)
    needed = _updates_missing(obs)
    if needed is None:
        # A rate so low that the whole training is a step or two of the look ahead.
        if not _barely_moves(obs):
            return None
        needed = math.inf
    factor = min(10.0 ** math.ceil(math.log10(max(min(needed / obs.updates, 1e6), 1.1))), 1e6)
    better = sorted({min(obs.rate * factor, 0.1), usual}, reverse=True)
    if math.isfinite(needed):
        evidence = _missing_evidence(obs, needed)
    else:
        evidence = (
            f"{obs.updates:,} updates at a learning rate of {obs.rate:g} move no weight by more "
            f"than about {number(obs.ahead.farthest_move)}."
        )
    evidence += f" Keras's default for this optimizer is {default:g}"
    evidence += f"; before TensorFlow 2 it was {usual:g}." if usual != default else "."
    return _too_low(obs, evidence, better)


def _too_low(obs: Observations, evidence: str, better: list[float]) -> Finding:
    return Finding(
        SLOW,
        "The learning rate is too low",
        evidence,
        "Each update moves the weights in proportion to the learning rate, and at this rate the "
        "updates do not take them far enough. The network is slow rather than stuck.",
        tuple(fixes.rate(value) for value in better),
        LIKELY,
        "Train with the higher learning rate on the same seeds.",
        because=f"a learning rate of {obs.rate:g} is too low",
    )


def _rate_too_low_for_its_gradient(obs: Observations) -> Finding | None:
    """Gradient descent has no rate that suits all gradients, so its default may be too low.

    It is where the updates that are missing are there at a higher rate that does not diverge.
    """
    faster = min(ORDER * obs.rate, fixes.HIGHEST_RATE)
    needed = _updates_missing(obs)
    if needed is None or faster <= obs.rate or not fixes.follows_gradient(obs.experiment):
        return None
    enough = needed * obs.rate / faster <= PRECISION * obs.updates
    if not enough or obs.ahead.as_is is None or batch_too_large(obs) is not None:
        return None
    trial = obs.ahead.trial(faster / obs.rate)
    if grown_share(trial) >= CLEAR:
        return None
    before, after = (float(np.median(loss)) for loss in trial)
    evidence = (
        f"At a learning rate of {faster:g}, the first {obs.ahead.trial_updates} updates take the "
        f"loss from {number(before)} to {number(after)}. {_missing_evidence(obs, needed)}"
    )
    return _too_low(obs, evidence, [faster])


def _barely_moves(obs: Observations) -> bool:
    """After all updates of the training hardly anything has happened yet."""
    return not obs.all_passed and _hardly(obs)


def _hardly(obs: Observations) -> bool:
    """No weight moves by more than little, beside what the initial weights are."""
    return obs.ahead.farthest_move < BARELY * obs.ahead.scale


@rule(
    "too-few-updates",
    follows=(
        "learning-rate-too-low",
        "batch-too-large",
        "vanishing-gradient",
        "initial-scale",
        "inputs-unscaled",
        "target-unscaled",
    ),
)
def too_few_updates(obs: Observations) -> Finding | None:
    needed = _updates_missing(obs)
    if needed is None:
        return None
    usual = usual_rate(obs.experiment)
    if obs.rate < usual and needed * obs.rate / usual <= obs.updates:
        return None  # the learning rate alone explains it
    epochs = rounded_up(1.5 * needed / obs.updates_per_epoch)
    faster = min(10 * obs.rate, 0.1) if obs.rate < 0.1 else None
    remedies = [fixes.epochs(min(epochs, 10_000))]
    if faster:
        remedies.append(fixes.rate(faster))
    return Finding(
        SLOW,
        "Too few updates",
        _missing_evidence(obs, needed),
        "The network is still improving when training ends. It needs more epochs, more updates "
        "per epoch or a higher learning rate.",
        tuple(remedies),
        LIKELY,
        "Train for longer on the same seeds.",
        because=f"{_epochs(obs)} {'are' if obs.training.epochs > 1 else 'is'} too few",
    )


@rule("batch-too-large")
def batch_too_large(obs: Observations) -> Finding | None:
    needed = _updates_missing(obs)
    batch = min(obs.training.batch_size, obs.data.training_rows)
    if needed is None or batch <= fixes.DEFAULT_BATCH:
        return None
    smaller = -(-obs.data.training_rows // fixes.DEFAULT_BATCH) * obs.training.epochs
    if smaller < needed:
        return None
    return Finding(
        SLOW,
        "Large batches leave few updates",
        f"Updates per epoch: {obs.updates_per_epoch:,} with batches of {batch:,}, "
        f"{-(-obs.data.training_rows // fixes.DEFAULT_BATCH):,} with batches of "
        f"{fixes.DEFAULT_BATCH}, which makes {smaller:,} in all. About {rounded_up(needed):,} are "
        "needed.",
        "Each batch makes one update, and only updates change the weights. Larger batches make "
        "each update more exact, not larger.",
        (fixes.batch(fixes.DEFAULT_BATCH),),
        LIKELY,
        "Train with smaller batches on the same seeds.",
        because=f"batches of {batch:,} leave too few updates",
    )


def _rate_that_loses(obs: Observations) -> Finding:
    """What a look ahead does not show, as it is short or the network too big: the loss is lost."""
    assert obs.failing is not None, "there are runs whose loss is lost"
    lost = obs.failing.failed & ~obs.failing.history.finite
    gradient = max(float(np.median(each)) for each in obs.start.gradients)
    return Finding(
        COSMETIC if _off_scale(obs) else FATAL,
        TOO_HIGH,
        f"At a learning rate of {obs.rate:g} the loss becomes infinite or NaN in {lost.sum()} of "
        f"{lost.size} runs. Before training the largest kernel gradient has a norm of "
        f"{number(gradient)}.",
        OVERSHOOTING,
        fixes.lower_rates(obs.experiment),
        LIKELY,
        "Train with a tenth of the learning rate on the same seeds.",
        because=f"a learning rate of {obs.rate:g} is too high",
    )


def _off_scale(obs: Observations) -> bool:
    """At a usual rate it is the data that make the loss so steep."""
    inputs = obs.rows.sizes.max(initial=0) > ORDER or obs.rows.conditioning > ORDER**2
    targets = obs.goal.regression and obs.rows.target_size > ORDER
    return obs.rate <= 3 * usual_rate(obs.experiment) and (inputs or targets)


@rule(
    "learning-rate-too-high",
    follows=("inputs-unscaled", "target-unscaled", "initial-scale"),
)
def learning_rate_too_high(obs: Observations) -> Finding | None:
    if obs.all_passed:
        return None
    default = usual_rate(obs.experiment)
    worth = obs.rate > 3 * default or (
        fixes.follows_gradient(obs.experiment) and obs.rate > default / 10
    )
    if not worth or not obs.goal.learnable:
        return None
    if obs.training.takes_probabilities and not obs.model.output_activation.probability:
        return None  # a loss that clips the output jumps at any rate
    lost = obs.failing is not None and obs.failing.lost
    if obs.ahead.as_is is None:
        return _rate_that_loses(obs) if lost else None
    restless = 0.0
    if obs.failing and obs.failing.history.health is not None:
        ratios = obs.failing.history.at_end(obs.failing.history.health.update_ratio)
        ratios = ratios[:, obs.failing.failed]
        restless = float(np.median(np.nan_to_num(ratios, nan=0.0, posinf=0.0).max(axis=0)))
    high = obs.rate > 3 * default
    killed = obs.failing.silenced_in_training if obs.failing and high else 0.0
    # Where small steps lead nowhere either, large ones are not what is wrong.
    restless_alone = high and (restless > RESTLESS or killed >= CLEAR)
    if obs.ahead.diverging < CLEAR and not (
        restless_alone and obs.ahead.reached(obs.ahead.as_is) >= CLEAR
    ):
        return _rate_that_loses(obs) if high and lost else None
    loss = obs.ahead.trial(1.0)
    if obs.history is None and grown_share(loss) < 1:
        return None
    before, after = (float(np.median(x)) for x in loss)
    evidence = (
        f"In the first {obs.ahead.trial_updates} updates at a learning rate of "
        f"{obs.rate:g} the loss goes "
        f"from {number(before)} to {number(after)}; at {obs.rate / 10:g} to "
        f"{number(float(np.median(obs.ahead.trial(0.1)[1])))}."
    )
    if restless > RESTLESS:
        evidence += (
            f" At the end one update still changes a kernel by {number(restless)} of its norm."
        )
    if killed >= CLEAR:
        evidence += f" In {killed:.0%} of the runs that fail a whole layer dies in training."
    severity = FATAL if obs.failing else FRAGILE
    if _off_scale(obs):
        severity = COSMETIC
    return Finding(
        severity,
        TOO_HIGH,
        evidence,
        OVERSHOOTING,
        fixes.lower_rates(obs.experiment),
        *confidence_in(obs, severity, "Train with a tenth of the learning rate on the same seeds."),
        because=f"a learning rate of {obs.rate:g} is too high",
    )
