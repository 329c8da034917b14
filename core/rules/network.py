"""Rules on the layers: initial weights, width, activations, dropout, normalisation."""

from __future__ import annotations

import numpy as np

from core import fixes
from core.experiment import (
    BatchNormalisation,
    Dense,
    Dropout,
)
from core.findings import (
    CERTAIN,
    COSMETIC,
    ENOUGH_SURVIVORS,
    FATAL,
    FRAGILE,
    LIKELY,
    LOUD,
    RISK,
    SETTLED,
    SLOW,
    Finding,
    Severity,
    expected,
    layer_name,
    number,
    rounded_up,
    rule,
)
from core.observations import CLEAR, Observations, linear_accuracy


@rule("zero-initialisation")
def zero_initialisation(seen: Observations) -> Finding | None:
    zeros = [n for n, layer in enumerate(seen.model.dense) if layer.initialiser == "zeros"]
    zeros = [n for n in zeros if seen.hidden and (n < len(seen.hidden) or len(zeros) > 1)]
    hidden = [n for n in zeros if n < len(seen.hidden)]
    if not hidden:
        return None
    largest = max(float(np.max(gradient)) for gradient in seen.start_gradients)
    same = [n for n in hidden if seen.model.dense[n].units > 1]
    evidence = (
        f"The weights of {', '.join(layer_name(n, seen) for n in zeros)} start at 0; the largest "
        f"kernel gradient of any layer before training is {number(largest)}."
    )
    if largest > 0 and same:
        evidence += (
            f" The {seen.model.dense[same[0]].units} units of {layer_name(same[0], seen)} put out "
            "the same number for every sample."
        )
    return Finding(
        "zero-initialisation",
        FATAL if largest == 0 else FRAGILE,
        "Weights start at zero",
        evidence,
        "Units that start alike and see the same inputs get the same gradient, so they stay alike, "
        "or have none at all. Random initial weights make them differ.",
        (fixes.KEEP_VARIANCE,),
        CERTAIN if largest == 0 else LIKELY,
        layer=hidden[0],
    )


@rule("no-nonlinearity")
def no_nonlinearity(seen: Observations) -> Finding | None:
    if any(layer.activation != "linear" for layer in seen.hidden) or seen.continuous:
        return None
    if (seen.shares > 0).sum() < 2:
        return None
    straight = linear_accuracy(seen.inputs, seen.classes)
    what = f"{len(seen.hidden)} linear hidden layers" if seen.hidden else "no hidden layer"
    evidence = (
        f"With {what} the network is one straight cut; the best found by itself is right in "
        f"{straight:.1%} of the rows, while {seen.ceiling:.1%} are possible."
    )
    enough = straight >= min(seen.goal, seen.target)
    if enough and not seen.hidden:
        return None
    return Finding(
        "no-nonlinearity",
        COSMETIC if enough else FATAL,
        "Nothing bends" if not enough else "Linear layers add up to one",
        evidence,
        "Layers without an activation multiply out to a single linear layer, however many there "
        "are. Classes that no straight cut separates need a bend in between.",
        (fixes.RECTIFY, fixes.ADD_HIDDEN) if seen.hidden else (fixes.ADD_HIDDEN,),
        CERTAIN if enough else LIKELY,
        None if enough else "Train with a ReLU hidden layer over the same seeds.",
        layer=0,
    )


@rule("bottleneck")
def bottleneck(seen: Observations) -> Finding | None:
    if not seen.hidden or not seen.learnable:
        return None
    width = min(layer.units for layer in seen.hidden)
    if width >= fixes.ROOMY / 2 or (seen.history is not None and not seen.is_stuck):
        return None
    place = [layer.units for layer in seen.hidden].index(width)
    # Where runs do get stuck, a single number between input and output is reason enough to ask.
    if not seen.width_helps and not (seen.is_stuck and width == 1 and seen.wide is not None):
        return None
    narrow, wide = seen.reached(seen.as_is), seen.reached(seen.wide)
    return Finding(
        "bottleneck",
        _bottleneck_severity(seen, narrow),
        "A layer too narrow",
        f"{layer_name(place, seen).capitalize()} has {width} unit{'s' * (width > 1)}. Looking "
        f"ahead, {narrow:.0%} of the starts get to {seen.goal:.2f}, with a mean accuracy of "
        f"{seen.as_is.end.mean():.2f}; with {fixes.ROOMY} units a hidden layer {wide:.0%} do, with "
        f"{seen.wide.end.mean():.2f}.",
        "All that the output can know about the input passes through this layer. With few units it "
        "is likely that the ones that are needed point the wrong way or are dead.",
        (fixes.WIDEN,),
        LIKELY,
        "Train with wider layers over the same seeds.",
        layer=place,
    )


def _bottleneck_severity(seen: Observations, narrow: float) -> Severity:
    if seen.is_stuck:
        return SLOW if seen.moving else FATAL
    return FRAGILE if narrow < CLEAR else SLOW


@rule("hidden-softmax")
def hidden_softmax(seen: Observations) -> Finding | None:
    places = [n for n, layer in enumerate(seen.hidden) if layer.activation == "softmax"]
    if not places:
        return None
    severity = COSMETIC
    if seen.is_stuck:
        severity = SLOW if seen.moving else FRAGILE
    return Finding(
        "hidden-softmax",
        severity,
        "Softmax in a hidden layer",
        f"{layer_name(places[0], seen).capitalize()} has {seen.hidden[places[0]].units} softmax "
        "units: their outputs always add up to 1.",
        "Softmax makes units compete, so that a hidden layer passes on little more than which of "
        "them is largest. ReLU or tanh units say each their own.",
        (fixes.RECTIFY,),
        *expected(seen, severity, "Train with ReLU hidden layers over the same seeds."),
        layer=places[0],
    )


@rule("dropout-too-high")
def dropout_too_high(seen: Observations) -> Finding | None:
    worst, place, width, units = 0.0, None, 0, seen.data.source.features
    dense = -1
    for layer in seen.model.layers:
        if isinstance(layer, Dense):
            dense, units = dense + 1, layer.units
        elif isinstance(layer, Dropout) and layer.rate**units > worst:
            worst, place, width, rate = layer.rate**units, dense, units, layer.rate
    # What is left is scaled by 1 / (1 - rate), so the variance grows by rate / (1 - rate).
    if place is None:
        return None
    noise = rate / (1 - rate) / width
    if worst < ENOUGH_SURVIVORS and not (seen.is_stuck and noise > LOUD):
        return None
    severity = COSMETIC
    harmful = worst >= RISK or noise > LOUD
    if (seen.is_stuck and harmful) or (seen.history is None and worst > LOUD):
        severity = FRAGILE
    where = "the inputs" if place < 0 else layer_name(place, seen)
    return Finding(
        "dropout-too-high",
        severity,
        "Dropout leaves too little",
        f"Dropout of {rate:g} on the {width} unit{'s' * (width > 1)} of {where} leaves "
        f"{width * (1 - rate):.1f} on average, and none at all in {worst:.0%} of the samples.",
        "A sample whose units are all dropped says nothing about its class, and teaches only the "
        "biases. With few units even moderate dropout is mostly noise.",
        (fixes.NO_DROPOUT,),
        *expected(seen, severity, "Train without dropout over the same seeds."),
        layer=max(place, 0),
    )


@rule("batch-norm-small-batch")
def batch_norm_small_batch(seen: Observations) -> Finding | None:
    normalised = any(isinstance(layer, BatchNormalisation) for layer in seen.model.layers)
    batch = min(seen.training.batch_size, seen.data.training_rows)
    if not normalised or batch > 4:
        return None
    severity = FATAL if batch == 1 else COSMETIC
    if seen.is_stuck and batch > 1:
        severity = FRAGILE
    return Finding(
        "batch-norm-small-batch",
        severity,
        "Batch normalisation of tiny batches",
        f"Batches of {batch} are normalised by their own mean and deviation"
        + (", and one row less its own mean is 0." if batch == 1 else "."),
        "In training, batch normalisation sees a sample only in relation to its batch; with one or "
        "two rows that says nothing about it. Larger batches, or standardised inputs without it, "
        "do what was meant.",
        (fixes.batch(fixes.DEFAULT_BATCH), fixes.NO_NORMALISATION),
        CERTAIN if batch == 1 else LIKELY,
    )


@rule("batch-norm-unsettled")
def batch_norm_unsettled(seen: Observations) -> Finding | None:
    if not any(isinstance(layer, BatchNormalisation) for layer in seen.model.layers):
        return None
    left = 0.99**seen.updates
    if left < SETTLED:
        return None
    return Finding(
        "batch-norm-unsettled",
        SLOW if seen.is_stuck or (seen.history is None and left > 0.5) else COSMETIC,
        "Moving averages have not settled",
        f"After {seen.updates:,} updates {left:.0%} of batch normalisation's moving averages still "
        "stem from their initial 0 and 1.",
        "Training normalises by the batch, evaluation by moving averages, which follow at 1 % an "
        "update. Until they have settled the network is evaluated as another one than was trained.",
        (
            fixes.epochs(min(rounded_up(460 / seen.updates_an_epoch), 10_000)),
            fixes.NO_NORMALISATION,
        ),
        LIKELY,
        "Train for longer over the same seeds.",
    )
