"""Rules on continuous targets: their scale, the outputs that can reach them, their loss."""

from __future__ import annotations

import numpy as np

from core import fixes, losses
from core.diagnosis.estimates import grown_share
from core.diagnosis.findings import (
    CERTAIN,
    COSMETIC,
    FATAL,
    FRAGILE,
    SLOW,
    Finding,
    Severity,
    confidence_in,
    failing_severity,
    number,
)
from core.diagnosis.observations import FinalState, Observations
from core.diagnosis.observations.ahead import CLEAR
from core.diagnosis.rules.limits import of_other_models
from core.diagnosis.rules.rule import rule
from core.diagnosis.thresholds import ORDER, RISK
from core.rates import percent


@rule("continuous-labels")
def continuous_labels(obs: Observations) -> Finding | None:
    if not obs.rows.continuous or not losses.loss(obs.training.loss).cross_entropy:
        return None
    values = obs.rows.targets
    outside = ((values < 0) | (values > 1)).mean()
    shares = not outside and obs.data.source.outputs
    return Finding(
        COSMETIC if shares else FATAL,
        "Continuous labels with a classification loss",
        f"The labels take {len(np.unique(values)):,} different values from {number(values.min())} "
        f"to {number(values.max())} in {len(values):,} rows, {outside:.0%} of them outside 0 to 1; "
        f"{obs.training.loss} is a classification loss.",
        "Cross-entropy takes labels as probabilities, from 0 to 1; where they are, its minimum is "
        "at the labels, but never 0. For other labels it has no minimum, and accuracy, which "
        "counts labels that are met exactly, stays near 0.",
        (fixes.REGRESSION,),
        layer=len(obs.hidden),
        because="the labels are continuous and the loss is for classification",
    )


@rule("accuracy-of-regression")
def accuracy_of_regression(obs: Observations) -> Finding | None:
    asked = any("accuracy" in name for name in obs.training.metrics)
    # Class labels that are measurements come from a script that counts them as classes.
    if not obs.goal.regression or (obs.data.source.outputs and not asked):
        return None
    evidence = f"The labels take {len(np.unique(obs.rows.targets)):,} different values."
    if obs.end is not None:
        evidence += (
            f" The network explains an R² of {np.nanmean(obs.end.scores):.2f}, and its predictions "
            f"are off by {_absolute_error(obs.end)} (mean of the runs)."
        )
    return Finding(
        COSMETIC,
        "Accuracy is meaningless for regression",
        evidence,
        "Accuracy counts outputs that equal the label exactly, which hardly ever happens with "
        "continuous labels. R² is the share of their variance that the network explains.",
        (),
    )


def _absolute_error(end: FinalState) -> str:
    """The mean absolute error in the unit of the targets, over all runs."""
    scale = end.draws.rows.prepared.y_scale
    with np.errstate(all="ignore"):
        return number(float(np.nanmean(np.abs(end.output - end.labels) * scale)))


@rule("output-range", picture="outputs")
def output_out_of_range(obs: Observations) -> Finding | None:
    if not obs.goal.regression or obs.goal.printable >= 1 or _single(obs):
        return None
    output, values = obs.model.output_activation, obs.rows.targets
    beyond = ((values < output.low) | (values > output.high)).mean()
    if not beyond:
        return None
    enough = obs.goal.learnable
    # What can be reached may be hard to reach.
    severity = failing_severity(obs) if enough else FATAL
    settle = "Train with a linear output on the same seeds."
    return Finding(
        severity,
        "Targets outside the output's range",
        f"A {output.name} output lies between {output.low:g} and {output.high:g}; {beyond:.0%} "
        f"of the targets, which range from {number(values.min())} to {number(values.max())}, do "
        f"not. R² cannot exceed {_floored(obs.goal.printable)}.",
        "The output can never reach a target outside its activation's range. It is pushed to the "
        "limit, where the gradient vanishes.",
        (fixes.REGRESSION,),
        *(confidence_in(obs, severity, settle) if enough else (CERTAIN, None)),
        layer=len(obs.hidden),
        because="targets lie outside the output's range",
    )


def _single(obs: Observations) -> bool:
    """One output is compared with several targets."""
    return obs.model.output.units == 1 and obs.data.target_width > 1


def _floored(score: float) -> str:
    return number(np.floor(100 * score) / 100)


@rule("one-output-many-targets", picture="outputs")
def one_output_many_targets(obs: Observations) -> Finding | None:
    if not _single(obs) or obs.data.has_one_class_per_row:
        return None
    width = obs.data.target_width
    regression = bool(obs.data.source.outputs)
    what = "targets" if regression else "labels"
    best = (
        f"an R² of {_floored(obs.goal.printable)}"
        if obs.goal.regression
        else f"an accuracy of {percent(obs.goal.printable)}"
    )
    return Finding(
        FATAL if not obs.goal.learnable else COSMETIC,
        f"One output for {width} {what}",
        f"Each row has {width} {what}, and the network 1 output: at best it reaches {best}.",
        f"Keras broadcasts a single output over all columns, so its best value is the mean of a "
        f"row's {what}. Each of them needs an output unit of its own.",
        (fixes.REGRESSION if regression else fixes.SIGMOID,),
        layer=len(obs.hidden),
        because=f"one output is compared with {width} {what}",
    )


@rule("target-unscaled", picture="outputs")
def target_unscaled(obs: Observations) -> Finding | None:
    if not obs.data.source.outputs or not obs.goal.learnable:
        return None
    mean, spread = obs.rows.targets.mean(axis=0), obs.rows.targets.std(axis=0)
    size = obs.rows.target_size
    large = size > ORDER
    if not spread.any() or (not large and spread.max() >= 1 / ORDER):
        return None
    worst = int(np.argmax(np.hypot(mean, spread)))
    out = obs.start.output
    evidence = (
        f"The targets have a mean of {number(mean[worst])} and a standard deviation of "
        f"{number(spread[worst])}; before training the outputs have {number(out.mean())} and "
        f"{number(out.std())}."
    )
    thrown = large and _thrown(obs)
    if thrown:
        before, after = (float(np.median(part)) for part in obs.ahead.trial(1.0))
        evidence += (
            f" In the first {obs.ahead.trial_updates} updates at a learning rate of "
            f"{obs.rate:g} the loss "
            f"goes from {number(before)} to {number(after)}, as the gradient grows with the error."
        )
    elif not fixes.follows_gradient(obs.experiment):
        evidence += (
            f" Each update moves a weight by about {obs.rate:g}, so {number(obs.travel)} in all "
            f"{obs.updates:,} updates."
        )
    # Inputs that are off scale give outputs as large as the targets: that is not what is wrong.
    far = large and size > float(np.sqrt(np.square(out).mean()))
    severity = _severity_off_scale(obs, far, thrown)
    cause = (
        "The initial weights give outputs of about 1, so the weights must grow a long way to reach "
        "the targets, while the gradient of the squared error is as large as they are. "
        "Standardised targets have the scale that initial weights and learning rate suit."
        if large
        else "The initial outputs vary far more than the targets, so the network must first "
        "unlearn them, down to a precision that the steps hardly allow. Standardised targets "
        "have the scale that initial weights and learning rate suit."
    )
    return Finding(
        severity,
        "Targets are not scaled",
        evidence,
        cause,
        (fixes.STANDARDISE_TARGETS,),
        *confidence_in(obs, severity, "Train with standardised targets on the same seeds."),
        layer=len(obs.hidden),
        because="the targets are not scaled",
    )


def _severity_off_scale(obs: Observations, large: bool, thrown: bool) -> Severity:
    if obs.failing:
        return FATAL if large and not obs.failing.moving else SLOW
    if obs.history is not None:
        return COSMETIC
    if thrown:
        return FRAGILE
    late = obs.ahead.fails or (large and obs.ahead.reached_in_time < RISK)
    if not late or not obs.ahead.target_scaling_helps:
        return COSMETIC
    return FRAGILE if large and fixes.follows_gradient(obs.experiment) else SLOW


def _thrown(obs: Observations) -> bool:
    """Gradient descent diverges at once: its steps grow with the errors."""
    return fixes.follows_gradient(obs.experiment) and grown_share(obs.ahead.trial(1.0)) >= CLEAR


@rule("constant-regression", symptom=True, picture="outputs")
def constant_regression(obs: Observations) -> Finding | None:
    end = obs.failing
    if end is None or not obs.goal.regression or not obs.rows.targets.std(axis=0).any():
        return None
    constant = (end.output_spread < 1 / ORDER) & end.failed & end.history.finite
    if not constant.any():
        return None
    rows = obs.rows.prepared
    predicted = rows.in_unit_of_targets(end.output[constant].mean(axis=(0, 1)))[0]
    target = rows.in_unit_of_targets(rows.y.mean(axis=0))[0]
    return Finding(
        SLOW if end.moving else FATAL,
        "Every sample gets about the same prediction",
        f"In {constant.sum()} of {constant.size} runs the standard deviation of the predictions is "
        f"{np.median(end.output_spread[constant]):.1%} of that of the targets (median). They are "
        f"about {number(float(predicted))}, the mean of the targets is {number(float(target))}, "
        f"and R² is {number(float(np.median(end.scores[constant])))}.",
        "The mean of the targets is the best constant prediction and has an R² of 0; most training "
        "starts by moving there. Here the output does not depend on the input beyond that.",
        fixes.against_constant_output(obs.experiment, end.moving),
        CERTAIN,
        layer=len(obs.hidden),
        run=int(np.flatnonzero(constant)[0]),
        because="every sample gets about the same prediction",
    )


@rule("noisy-targets")
def noisy_targets(obs: Observations) -> Finding | None:
    """Noise that no network can predict, from the generator or as estimated."""
    if not obs.goal.noisy:
        return None
    if obs.goal.is_estimated:
        return of_other_models(obs)
    return Finding(
        COSMETIC,
        "The targets are noisy",
        f"The best possible model has an R² of {obs.rows.ceiling:.2f}. {obs.goal.enough}",
        "The same inputs occur with different targets, and no network can predict the difference. "
        "An R² near that limit is as good as it gets.",
    )
