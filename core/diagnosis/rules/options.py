"""Rules on arguments of `compile` and `fit`: logits, labels of a loss, weights, metrics, split."""

from __future__ import annotations

import math

import numpy as np

from core import fixes, losses
from core.diagnosis.findings import (
    CERTAIN,
    COSMETIC,
    FATAL,
    FRAGILE,
    LIKELY,
    SLOW,
    Finding,
    confidence_in,
    failing_severity,
    number,
)
from core.diagnosis.observations import Observations
from core.diagnosis.observations.ahead import CLEAR
from core.diagnosis.rules.rule import rule
from core.diagnosis.thresholds import MINORITY
from core.fixes import loss_fixes
from core.metrics import METRICS
from core.rates import percent

NEAREST = 0.05
"""The share of the targets nearest to 0 that a relative error is examined on."""
HEAVY = 0.4
"""The share of the weight that they have where they decide what is learnt: 8 times their own."""


@rule("logits-of-probabilities", picture="outputs")
def logits_of_probabilities(obs: Observations) -> Finding | None:
    """An output that is not a logit any more, under a loss that takes it for one."""
    function, output = losses.loss(obs.training.loss), obs.model.output_activation
    if "from_logits" not in obs.training.loss_options or output.name == "linear":
        return None
    ignored = output.probability and function.sees_through
    squash = 1 / (1 + np.exp(-np.array([output.low, output.high])))
    severity = COSMETIC
    if not ignored and obs.failing:
        severity = SLOW if obs.failing.moving else FATAL
    elif not ignored and obs.history is None and obs.ahead.reached_in_time < CLEAR:
        severity = FRAGILE
    effect = (
        "Keras 3 warns and takes the sums before the activation, so nothing changes"
        if ignored
        else f"the {function.link} of it lies between {number(squash[0])} and {number(squash[1])}"
        if function.link == "sigmoid"
        else f"the softmax is taken of numbers from {output.low:g} to {output.high:g}"
    )
    remedies = (
        (loss_fixes.PROBABILITIES, loss_fixes.LOGITS)
        if output.probability
        else (loss_fixes.LOGITS,)
    )
    return Finding(
        severity,
        "An activation on the logits",
        f"The output is {output.name}, and {function.name} has from_logits=True: {effect}.",
        f"With from_logits=True the loss applies the {function.link} itself, and expects outputs "
        "of any size. After another activation they are squeezed twice, and the gradient is small "
        "where the network is wrong.",
        remedies,
        *(
            (CERTAIN, None)
            if ignored
            else confidence_in(obs, severity, "Train with a linear output on the same seeds.")
        ),
        layer=len(obs.hidden),
        because="the loss takes the outputs of an activation as logits",
    )


@rule("multi-label-softmax", picture="outputs")
def multi_label_softmax(obs: Observations) -> Finding | None:
    columns = obs.data.source.label_columns
    if not columns or obs.output_activation != "softmax" or obs.model.output.units == 1:
        return None
    count = obs.rows.targets.sum(axis=1)
    return Finding(
        COSMETIC if obs.goal.learnable and (count == 1).all() else FATAL,
        "Softmax for labels that occur together",
        f"A row has {number(float(count.mean()))} of {columns} labels on average, and "
        f"{(count > 1).mean():.0%} of the rows more than one; at most "
        f"{percent(obs.goal.printable)} of the labels can be right.",
        "Softmax outputs sum to 1, so at most one label of a row can be above 0.5, and each takes "
        "from the others. Labels that are independent need a sigmoid each, with binary "
        "cross-entropy.",
        (fixes.SIGMOID,),
        layer=len(obs.hidden),
        because="softmax allows one label a row",
    )


@rule("hinge-without-sign", picture="outputs")
def hinge_without_sign(obs: Observations) -> Finding | None:
    output = obs.model.output_activation
    if not losses.loss(obs.training.loss).signs or output.low <= -1:
        return None
    severity = failing_severity(obs)
    return Finding(
        severity,
        "An output without a sign under a hinge loss",
        f"{obs.training.loss} wants outputs below -1 for one class and above 1 for the other; a "
        f"{output.name} output is never below {output.low:g}.",
        "The hinge loss is made for the sign of the output. Of an output that cannot be negative "
        "it pushes one class to the bound, where the gradient vanishes.",
        (loss_fixes.SIGNED_OUTPUT, fixes.fitting_output(obs.experiment)),
        *confidence_in(obs, severity, "Train with a tanh output on the same seeds."),
        layer=len(obs.hidden),
        because="the output cannot have the sign that the hinge loss asks for",
    )


@rule("targets-outside-loss", unless=("continuous-labels",))
def targets_outside_loss(obs: Observations) -> Finding | None:
    low = losses.loss(obs.training.loss).low
    y = obs.rows.targets
    if not obs.goal.regression or math.isinf(low) or not (y < low).any():
        return None
    seen = float(obs.experiment.task.hits(np.maximum(y, low), y).mean())
    poisson = obs.training.loss == "poisson"
    enough = seen >= obs.goal.score and not poisson
    # What can be reached may be hard to reach.
    severity = failing_severity(obs) if enough else FATAL
    settle = "Train with the squared error on the same seeds."
    return Finding(
        severity,
        "Targets that the loss is not made for",
        f"{(y < low).mean():.0%} of the targets, which range from {number(y.min())} to "
        f"{number(y.max())}, lie below {low:g}"
        + (
            "; the loss of those falls without end as the output nears 0."
            if poisson
            else f", and {obs.training.loss} takes each of them as {low:g}: what is left to learn "
            f"has an R² of {math.floor(100 * seen) / 100:g} at best."
        ),
        "The logarithm of a negative number does not exist, so Keras clips targets and outputs. "
        "What lies below is not learnt.",
        (loss_fixes.SQUARED_ERROR,),
        *(confidence_in(obs, severity, settle) if enough else (CERTAIN, None)),
        because=f"{obs.training.loss} cannot see targets below {low:g}",
    )


@rule("relative-error-near-zero")
def relative_error_near_zero(obs: Observations) -> Finding | None:
    if obs.training.loss != "mean_absolute_percentage_error" or not obs.goal.regression:
        return None
    weight = np.sort(1 / np.maximum(np.abs(obs.rows.targets), losses.EPSILON).ravel())
    few = max(round(NEAREST * len(weight)), 1)
    share = float(weight[-few:].sum() / weight.sum())
    if share < HEAVY or obs.all_passed:
        return None
    severity = failing_severity(obs)
    if obs.history is None:
        severity = FRAGILE
    return Finding(
        severity,
        "A relative error of targets near zero",
        f"The {few} targets nearest to 0, of {len(weight):,}, have {share:.0%} of the weight in "
        f"the loss; the smallest is {number(1 / weight[-1])} in size.",
        "The error is divided by the target, so a target near 0 makes it huge. The network then "
        "fits the few rows with small targets, and predicts values near 0 for the rest.",
        (loss_fixes.SQUARED_ERROR,),
        LIKELY,
        "Train with the squared error on the same seeds.",
        because="targets near 0 have nearly all the weight in the loss",
    )


@rule("validation-of-last-rows")
def validation_of_last_rows(obs: Observations) -> Finding | None:
    data = obs.data
    if not data.held_out_rows or data.held_out != "last" or data.shuffling == "permutation":
        return None
    rows = obs.rows.prepared
    y, held_out = rows.y.astype(float), rows.held_out_y.astype(float)
    # By chance the means of two samples differ by about the deviation over the root of the rows.
    spread = y.std(axis=0)
    off = np.abs(held_out.mean(axis=0) - y.mean(axis=0))
    worst = int(np.argmax(off / np.where(spread > 0, spread, 1e-9)))
    chance = 4 * spread[worst] / math.sqrt(len(held_out))
    if off[worst] <= max(chance, spread[worst] / 2):
        return None
    if obs.rows.continuous or not data.has_one_class_per_row:
        unit = rows.y_scale[worst], rows.y_offset[worst]
        parts = [
            f"{number(float(part[:, worst].min() * unit[0] + unit[1]))} to "
            f"{number(float(part[:, worst].max() * unit[0] + unit[1]))}"
            for part in (y, held_out)
        ]
        seen = (
            f"The targets of the training rows range from {parts[0]}, those held out from "
            f"{parts[1]}"
        )
    else:
        levels, index = np.unique(np.concatenate([y, held_out]), axis=0, return_inverse=True)
        index = index.reshape(-1)
        shares = [
            np.bincount(part, minlength=len(levels)) / len(part)
            for part in (index[: len(y)], index[len(y) :])
        ]
        most = int((shares[1] - shares[0]).argmax())
        seen = (
            f"One class has {shares[0][most]:.0%} of the training rows and {shares[1][most]:.0%} "
            "of those held out"
        )
    return Finding(
        FRAGILE if not obs.all_passed else COSMETIC,
        "The last rows are not like the others",
        f"{seen}, which are the last {data.held_out_rows:,} of {data.source.rows:,} rows.",
        "validation_split takes the last rows as they come, before any shuffling. Where the rows "
        "are sorted, the network is judged on what it has never seen.",
        (loss_fixes.SHUFFLE_FIRST,),
        LIKELY,
        "Shuffle the rows before they are split, and train on the same seeds.",
        because="the rows are sorted and the last ones held out",
    )


@rule("class-weights")
def class_weights(obs: Observations) -> Finding | None:
    """Weights that leave a class, or all but one, without a say."""
    weights = np.array(obs.training.class_weight)
    if not weights.size or obs.rows.nothing_varies:
        return None
    shares = obs.rows.shares
    pull = shares * weights
    pull = pull / max(pull.sum(), 1e-30)
    present = shares > 0
    least, most = int(np.where(present, pull, 2).argmin()), int(pull.argmax())
    fair = MINORITY / present.sum()
    if pull[least] >= fair or pull[least] >= shares[least]:
        return None
    nothing = pull[least] == 0
    severity = FATAL if nothing else FRAGILE if pull[least] < fair / 4 else COSMETIC
    if obs.history is not None and not obs.failing:
        severity = COSMETIC
    return Finding(
        severity,
        "Class weights against a class",
        f"Class {least} has {shares[least]:.1%} of the rows and, with a weight of "
        f"{number(weights[least])}, {pull[least]:.1%} of the weight in the loss; class {most} has "
        f"{pull[most]:.1%}.",
        "The weights multiply the loss of each row, so classes with little weight hardly count. "
        "Balanced weights are the inverse of the class's share of the rows.",
        (loss_fixes.NO_CLASS_WEIGHTS, loss_fixes.balanced(shares)),
        *(
            (CERTAIN, None)
            if nothing
            else confidence_in(obs, severity, "Train without class weights on the same seeds.")
        ),
        because="the class weights leave a class without a say",
    )


@rule("metric-unfit")
def metric_unfit(obs: Observations) -> Finding | None:
    """Metrics that say nothing of the task; accuracy of a regression has a rule of its own."""
    task, units = obs.experiment.task.name, obs.model.output.units
    objections = {
        name: METRICS[name].objection(task, units, obs.data.target_width)
        for name in obs.training.metrics
        if not (obs.goal.regression and "accuracy" in name)
    }
    unfit = {name: why for name, why in objections.items() if why}
    if not unfit:
        return None
    return Finding(
        COSMETIC,
        "A metric that does not fit" if len(unfit) == 1 else "Metrics that do not fit",
        f"{len(unfit)} of {len(obs.training.metrics)} metrics. "
        + " ".join(f"{name}: {why}" for name, why in unfit.items()),
        f"The task is {obs.experiment.task.label}, whose score is {obs.experiment.task.score}. "
        "A metric is only shown, and changes nothing in the training.",
    )
