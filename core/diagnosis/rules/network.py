"""Rules on the layers: initial weights, width, activations, dropout, normalisation."""

from __future__ import annotations

import math

import numpy as np

from core import fixes
from core.activations import Activation
from core.diagnosis.findings import (
    CERTAIN,
    COSMETIC,
    FATAL,
    FRAGILE,
    LIKELY,
    SLOW,
    Finding,
    Severity,
    confidence_in,
    counted,
    failing_severity,
    layer_name,
    number,
    rounded_up,
)
from core.diagnosis.observations import Observations
from core.diagnosis.observations.ahead import CLEAR
from core.diagnosis.rules.rule import rule
from core.diagnosis.thresholds import ENOUGH_SURVIVORS, LOUD, RISK, SETTLED
from core.experiment import BatchNormalisation, Dense, Dropout
from core.fields import settings
from core.fixes import Fix
from core.fixes.network_edits import output_activations
from core.layers import Layer
from core.rates import percent


@rule("zero-initialisation")
def zero_initialisation(obs: Observations) -> Finding | None:
    zeros = [n for n, level in enumerate(obs.levels) if level is not None]
    zeros = [n for n in zeros if obs.hidden and (n < len(obs.hidden) or len(zeros) > 1)]
    hidden = [n for n in zeros if n < len(obs.hidden)]
    if not hidden:
        return None
    largest = max(float(np.max(gradient)) for gradient in obs.start.gradients)
    same = [n for n in hidden if obs.model.dense[n].units > 1]
    levels = sorted({number(level) for n in zeros if (level := obs.levels[n]) is not None})
    evidence = (
        f"The weights of {', '.join(layer_name(n, obs) for n in zeros)} start at "
        f"{' and '.join(levels)}; the largest "
        f"kernel gradient of any layer before training is {number(largest)}."
    )
    if largest > 0 and same:
        evidence += (
            f" The {obs.model.dense[same[0]].units} units of {layer_name(same[0], obs)} all have "
            "the same output."
        )
    return Finding(
        FATAL if largest == 0 else FRAGILE,
        "Weights start at zero" if levels == ["0"] else "Weights start alike",
        evidence,
        "Units with the same weights and inputs get the same gradient, so they stay alike, or get "
        "no gradient at all. Random initial weights make them differ.",
        (fixes.KEEP_VARIANCE,),
        CERTAIN if largest == 0 else LIKELY,
        None if largest == 0 else "Train with random initial weights on the same seeds.",
        layer=hidden[0],
        because=f"the weights start {'at zero' if levels == ['0'] else 'alike'}",
    )


@rule("no-nonlinearity")
def no_nonlinearity(obs: Observations) -> Finding | None:
    if any(name != "linear" for name in obs.activations) or obs.rows.nothing_varies:
        return None
    regression, straight, best = obs.goal.regression, obs.rows.linear_score, obs.rows.ceiling
    if obs.rows.continuous and not regression:
        return None
    count = len(obs.hidden)
    what = counted(count, "linear hidden layer") if count else "no hidden layer"
    evidence = (
        f"With {what} the network is linear in its inputs; least squares give an R² of "
        f"{straight:.2f}, while {best:.2f} is possible."
        if regression
        else f"With {what} the network can only draw a linear boundary; the best one found is "
        f"right in {percent(straight)} of the rows, while {percent(best)} is possible."
    )
    enough = straight >= min(obs.goal.score, obs.goal.target)
    if enough and not obs.hidden:
        return None
    return Finding(
        COSMETIC if enough else FATAL,
        "No non-linear activation" if not enough else "Linear layers collapse into one",
        evidence,
        "Layers without an activation multiply out to a single linear layer, however many there "
        "are. "
        + (
            "A target that is curved over its inputs needs a non-linear activation in between."
            if regression
            else "Classes that no linear boundary separates need a non-linear activation in "
            "between."
        ),
        (fixes.RECTIFY, fixes.ADD_HIDDEN) if obs.hidden else (fixes.ADD_HIDDEN,),
        CERTAIN if enough else LIKELY,
        None if enough else "Train with a ReLU hidden layer on the same seeds.",
        layer=0,
        because="there is no non-linear activation",
    )


@rule("bottleneck")
def bottleneck(obs: Observations) -> Finding | None:
    if not obs.hidden or not obs.goal.learnable:
        return None
    width = min(layer.units for layer in obs.hidden)
    if width >= fixes.WIDE / 2 or obs.all_passed:
        return None
    index = [layer.units for layer in obs.hidden].index(width)
    # Where runs do get stuck, a single number between input and output is reason enough to ask.
    if not obs.ahead.width_helps and not (obs.failing and width == 1):
        return None
    as_is, wide = obs.ahead.as_is, obs.ahead.wide
    if as_is is None or wide is None:
        return None
    reached, reached_wide = obs.ahead.reached(as_is), obs.ahead.reached(wide)
    stated = obs.experiment.task.stated
    severity = _bottleneck_severity(obs, reached)
    return Finding(
        severity,
        "A layer is too narrow",
        f"{layer_name(index, obs).capitalize()} has {counted(width, 'unit')}. In a short "
        f"simulation, {reached:.0%} of initialisations reach {obs.goal.name}, with a mean of "
        f"{stated(as_is.end.mean())}; with {fixes.WIDE} units per hidden layer "
        f"{reached_wide:.0%} do, with a mean of {stated(wide.end.mean())}.",
        "Everything that the output can know about the input passes through this layer. With few "
        "units, those that are needed are likely to point the wrong way or to be dead.",
        (fixes.WIDEN,),
        *confidence_in(obs, severity, "Train with wider layers on the same seeds."),
        layer=index,
        because=f"{layer_name(index, obs)} is too narrow",
    )


def _bottleneck_severity(obs: Observations, reached: float) -> Severity:
    if obs.failing:
        return SLOW if obs.failing.moving else FATAL
    if min(layer.units for layer in obs.hidden) > 1 and not obs.ahead.covers_training:
        return COSMETIC  # two units may do in the updates that the simulation does not see
    return FRAGILE if reached < CLEAR else SLOW


@rule("hidden-softmax")
def hidden_softmax(obs: Observations) -> Finding | None:
    softmax = [n for n, name in enumerate(obs.activations) if name == "softmax"]
    if not softmax:
        return None
    severity = failing_severity(obs)
    return Finding(
        severity,
        "Softmax in a hidden layer",
        f"{layer_name(softmax[0], obs).capitalize()} has {obs.hidden[softmax[0]].units} softmax "
        "units: their outputs always sum to 1.",
        "Softmax makes units compete, so a hidden layer passes on little more than which of them "
        "is largest. ReLU or tanh units do not depend on each other.",
        (fixes.RECTIFY,),
        *confidence_in(obs, severity, "Train with ReLU hidden layers on the same seeds."),
        layer=softmax[0],
        because="a hidden layer uses softmax",
    )


@rule("dropout-too-high")
def dropout_too_high(obs: Observations) -> Finding | None:
    worst, index, width, units = 0.0, None, 0, obs.data.source.features
    dense = -1
    for layer in obs.model.before:  # after it there is a finding of its own
        if isinstance(layer, Dense):
            dense, units = dense + 1, layer.units
        elif isinstance(layer, Dropout) and layer.rate**units > worst:
            worst, index, width, rate = layer.rate**units, dense, units, layer.rate
    # What is left is scaled by 1 / (1 - rate), so the variance grows by rate / (1 - rate).
    if index is None:
        return None
    noise = rate / (1 - rate) / width
    if worst < ENOUGH_SURVIVORS and not (obs.failing and noise > LOUD):
        return None
    severity = COSMETIC
    harmful = worst >= RISK or noise > LOUD
    if (obs.failing and harmful) or (obs.history is None and worst > LOUD):
        severity = FRAGILE
    where = "the inputs" if index < 0 else layer_name(index, obs)
    return Finding(
        severity,
        "Dropout leaves too little signal",
        f"Dropout of {rate:g} on the {counted(width, 'unit')} of {where} keeps "
        f"{width * (1 - rate):.1f} on average, and none at all in {worst:.0%} of the samples.",
        "A sample whose units are all dropped says nothing about its class and trains only the "
        "biases. With few units even moderate dropout is mostly noise.",
        (fixes.NO_DROPOUT,),
        *confidence_in(obs, severity, "Train without dropout on the same seeds."),
        layer=max(index, 0),
        because="dropout leaves too little of the signal",
    )


@rule("dropout-after-output")
def dropout_after_output(obs: Observations) -> Finding | None:
    noisy = [layer for layer in obs.model.after if layer.random]
    if not noisy:
        return None
    severity = COSMETIC if obs.all_passed else FRAGILE
    names = " and ".join(f"{layer.label} ({_in_numbers(layer)})" for layer in noisy)
    return Finding(
        severity,
        "Dropout after the output layer",
        f"{names} follows the last dense layer, so in training it changes the very outputs that "
        "the loss compares with the labels.",
        "An output set to 0 is wrong whatever the network knows, and no gradient passes through "
        "it. Dropout belongs before the last dense layer.",
        (fixes.NO_OUTPUT_DROPOUT,),
        *confidence_in(obs, severity, "Train without it on the same seeds."),
        layer=len(obs.hidden),
        because="dropout follows the output layer",
    )


def _in_numbers(layer: Layer) -> str:
    """The settings of a layer: "rate 0.5"."""
    named = ((name, getattr(layer, name)) for name in settings(layer))
    return ", ".join(f"{name} {value:g}" for name, value in named)


@rule("repeated-output-activation", picture="outputs")
def repeated_output_activation(obs: Observations) -> Finding | None:
    every = output_activations(obs.model)
    if len(every) < 2:
        return None
    first, last = every[-2:]
    out = obs.start.output
    constant = _one_sided(first, last) and obs.model.output.units == 1
    severity = FATAL if constant else failing_severity(obs)
    evidence = (
        f"The outputs pass through {first.name} and then {last.name}; before training they lie "
        f"between {number(float(out.min()))} and {number(float(out.max()))}."
    )
    if constant:
        evidence += f" {last.name.capitalize()} of a {first.name} output is never below 0.5."
    return Finding(
        severity,
        "Two activations on the output",
        evidence,
        "The second activation takes the bounded outputs of the first for sums. What it gives is "
        "squeezed into a part of its range, so no output can be sure, and gradients are small.",
        (fixes.ONE_OUTPUT_ACTIVATION,),
        *(
            (CERTAIN, None)
            if constant
            else confidence_in(obs, severity, "Train with one of them on the same seeds.")
        ),
        layer=len(obs.hidden),
        because="the output has two activations",
    )


def _one_sided(first: Activation, last: Activation) -> bool:
    """Every output is above the threshold of 0.5, whatever the sums are."""
    return last.name == "sigmoid" and first.saturates and first.low >= 0


@rule("batch-norm-small-batch")
def batch_norm_small_batch(obs: Observations) -> Finding | None:
    normalised = any(isinstance(layer, BatchNormalisation) for layer in obs.model.layers)
    batch = min(obs.training.batch_size, obs.data.training_rows)
    if not normalised or batch > 4:
        return None
    severity = FATAL if batch == 1 else COSMETIC
    if obs.failing and batch > 1:
        severity = FRAGILE
    return Finding(
        severity,
        "Batch normalisation with tiny batches",
        f"Batches of {batch} are normalised by their own mean and standard deviation"
        + (", and a row minus its own mean is 0." if batch == 1 else "."),
        "In training, batch normalisation sees a sample only relative to its batch, which says "
        "little about it when the batch has one or two rows. Larger batches help, and so do "
        "standardised inputs without batch normalisation.",
        (fixes.batch(fixes.DEFAULT_BATCH), fixes.NO_NORMALISATION),
        *(
            (CERTAIN, None)
            if batch == 1
            else confidence_in(obs, severity, "Train with larger batches on the same seeds.")
        ),
        because="batch normalisation gets tiny batches",
    )


@rule("batch-norm-unsettled", follows=("too-few-updates", "batch-too-large"))
def batch_norm_unsettled(obs: Observations) -> Finding | None:
    momenta = [x.momentum for x in obs.model.layers if isinstance(x, BatchNormalisation)]
    if not momenta:
        return None
    momentum = max(momenta)
    left = momentum**obs.updates
    if left < SETTLED:
        return None
    harmful = obs.failing or (obs.history is None and left > 0.5)
    severity = SLOW if harmful else COSMETIC
    settle = "Train without batch normalisation on the same seeds."
    longer: tuple[Fix, ...] = ()
    if momentum < 1:  # with 1 they never settle
        epochs = min(rounded_up(_settling(momentum) / obs.updates_per_epoch), 10_000)
        settle, longer = "Train for longer on the same seeds.", (fixes.epochs(epochs),)
    return Finding(
        severity,
        "Batch normalisation's averages have not settled",
        f"After {obs.updates:,} updates, {left:.0%} of batch normalisation's moving averages "
        "still comes from their initial 0 and 1.",
        "Training normalises with batch statistics, evaluation with moving averages, of which an "
        f"update replaces {1 - momentum:.2g}. Until they have settled, the evaluated network "
        "differs from the trained one.",
        (*longer, fixes.NO_NORMALISATION),
        *confidence_in(obs, severity, settle),
        because="batch normalisation's moving averages have not settled",
    )


def _settling(momentum: float) -> float:
    """Updates after which 1% of the initial value of a moving average is left."""
    return math.log(0.01) / math.log(momentum)
