"""Rules on how output, loss and labels fit together."""

from __future__ import annotations

import math

import numpy as np

from core import fixes, losses
from core.diagnosis.findings import CERTAIN, COSMETIC, FATAL, FRAGILE, LIKELY, SLOW, Finding, number
from core.diagnosis.observations import FinalState, Observations
from core.diagnosis.rules.rule import rule
from core.fixes import loss_fixes
from core.rates import percent

OFTEN = 0.9
"""Share of initialisations without any gradient from which on hardly a run can learn."""


@rule("output-not-probability", picture="decisions")
def output_not_probability(obs: Observations) -> Finding | None:
    activation = obs.output_activation
    if not obs.training.takes_probabilities or activation in ("sigmoid", "softmax"):
        return None
    out = obs.start.output
    outside = (out <= 1e-7) | (out >= 1 - 1e-7)
    whole = outside.all(axis=(1, 2)).mean()
    evidence = (
        f"The output is {activation}, the loss {obs.training.loss}. Before training "
        f"{outside.mean():.0%} of the outputs lie outside 0 to 1, where the loss clips them and "
        "the gradient is exactly 0"
        + (f"; in {whole:.0%} of initialisations, every output does." if whole else ".")
    )
    remedies = [fixes.fitting_output(obs.experiment)]
    if losses.loss(obs.training.loss).logits and not obs.rows.continuous:
        remedies.append(loss_fixes.LOGITS)
    severity = FATAL
    if obs.history is None and whole < OFTEN and obs.ahead.reached(obs.ahead.as_is) > 0:
        severity = FRAGILE
    if obs.history is not None and obs.history.health is not None and activation == "relu":
        dead = obs.history.at_end(obs.history.health.dead)[-1] == 1
        evidence += (
            f" After training the output is 0 for every sample in {dead.sum()} of {dead.size} runs."
        )
    return Finding(
        severity,
        "The loss clips the output",
        evidence,
        "Cross-entropy takes the logarithm of a probability, so an output outside 0 to 1 is "
        "clipped. There the loss no longer changes with the weights, and no gradient moves the "
        "output back.",
        tuple(remedies),
        CERTAIN if obs.history is not None or severity is FATAL else LIKELY,
        None
        if obs.history is not None or severity is FATAL
        else "Train on several seeds: a run whose first outputs lie inside 0 to 1 may learn.",
        layer=len(obs.hidden),
        because="the loss clips the output",
    )


@rule("softmax-one-unit")
def softmax_one_unit(obs: Observations) -> Finding | None:
    if obs.output_activation != "softmax" or obs.model.output.units > 1:
        return None
    return Finding(
        FATAL,
        "Softmax over a single unit",
        "The output is 1 for every sample, so "
        + (
            "R² cannot exceed 0."
            if obs.goal.regression
            else f"accuracy cannot exceed {percent(obs.goal.printable)}, the share of samples "
            "labelled 1."
        ),
        "Softmax makes the outputs of a layer sum to 1, so a single output is always 1. Keras 3 "
        "trains the logit before the softmax, so the loss may fall while the predictions never "
        "change.",
        (fixes.fitting_output(obs.experiment),),
        layer=len(obs.hidden),
        because="softmax over a single unit always outputs 1",
    )


@rule("categorical-one-column")
def categorical_one_column(obs: Observations) -> Finding | None:
    """A loss over the classes of a row, of which there is one column."""
    function = losses.loss(obs.training.loss)
    if function.link != "softmax" or not function.logits or obs.model.output.units > 1:
        return None
    if obs.data.target_width > 1 or obs.rows.continuous:
        return None
    return Finding(
        FATAL,
        "Categorical cross-entropy over a single column",
        f"{function.name} divides the 1 output by the sum of the outputs of its row, so it takes "
        "it for 1 whatever the weights are: the loss is 0 in every epoch, and so is the gradient.",
        "The loss compares the shares that the outputs have of their sum. A single output has all "
        "of it, so nothing is left to learn.",
        (fixes.fitting_output(obs.experiment),),
        layer=len(obs.hidden),
        because=f"{function.name} over a single column is constant",
    )


@rule("one-unit-many-classes")
def one_unit_many_classes(obs: Observations) -> Finding | None:
    classes = obs.data.source.classes
    if (
        obs.model.output.units > 1
        or classes < 3
        or obs.data.target_width > 1
        or obs.rows.continuous
    ):
        return None
    return Finding(
        FATAL,
        f"One output unit for {classes} classes",
        f"Keras thresholds a single output at 0.5 and compares it with the labels {_labels(obs)}: "
        f"at most {percent(obs.goal.printable)} of the samples can count as right.",
        "One number with one threshold can tell two classes apart, not more. Each class needs an "
        "output unit of its own.",
        (fixes.SOFTMAX,),
        layer=len(obs.hidden),
        because=f"one output unit cannot tell {classes} classes apart",
    )


@rule("one-unit-one-hot")
def one_unit_one_hot(obs: Observations) -> Finding | None:
    width = obs.data.target_width
    if obs.model.output.units > 1 or width < 2 or not obs.data.has_one_class_per_row:
        return None
    return Finding(
        FATAL,
        f"One output unit for {width} label columns",
        f"The single output is compared with all {width} columns, one of which is 1, so the "
        f"printed accuracy cannot exceed {percent(obs.goal.printable)}.",
        "The squared error compares the single output with every column, so its target is 1 and "
        "0 at once. It ends up in between for every sample.",
        (fixes.SOFTMAX, fixes.SIGMOID) if obs.data.source.classes == 2 else (fixes.SOFTMAX,),
        layer=len(obs.hidden),
        because=f"one output unit is compared with {width} label columns",
    )


@rule("labels-outside-loss")
def labels_outside_loss(obs: Observations) -> Finding | None:
    function = losses.loss(obs.training.loss)
    if obs.data.encoding == "one-hot" or obs.data.source.classes > 2 or math.isinf(function.high):
        return None
    if all(function.low <= t <= function.high for t in obs.data.targets):
        return None
    name = function.label.replace("crossentropy", "cross-entropy")
    return Finding(
        FATAL,
        f"Labels outside [{function.low:g}, {function.high:g}]",
        f"The labels are {_labels(obs)}; {name} expects labels from {function.low:g} to "
        f"{function.high:g}. Accuracy cannot exceed {percent(obs.goal.printable)}, the share of "
        "samples labelled 0 or 1.",
        "A hinge loss multiplies the output by the label, whose sign stands for the class. Labels "
        "of one sign push every output the same way."
        if function.signs
        else "The loss pushes the output towards the label, and a label above 1 or below 0 pushes "
        "without end: the loss drops below zero and keeps falling. The output ends up at 0 or 1 "
        "for every sample.",
        (fixes.LABELS_FROM_ZERO,),
        layer=len(obs.hidden),
        because=f"some labels lie outside [{function.low:g}, {function.high:g}]",
    )


@rule("labels-outside-accuracy")
def labels_outside_accuracy(obs: Observations) -> Finding | None:
    binary = obs.model.output.units == 1 and obs.data.target_width == 1
    if not binary or obs.rows.continuous or obs.data.source.classes > 2:
        return None
    if all(t in (0, 1) for t in obs.data.targets):
        return None
    if obs.training.loss == "binary_crossentropy" and any(
        not 0 <= t <= 1 for t in obs.data.targets
    ):
        return None
    output = obs.model.output_activation
    beyond = [t for t in obs.data.targets if not output.low <= t <= output.high]
    evidence = (
        f"The labels are {_labels(obs)}; Keras's accuracy compares them with 0 and 1, so it "
        f"cannot exceed {percent(obs.goal.printable)}."
    )
    if obs.end is not None:
        nearest = _nearest_label_accuracy(obs.end)
        evidence += (
            f" With the nearest label as the prediction, {percent(nearest.mean())} are right after "
            "training (mean of the runs)."
        )
    if beyond:
        evidence += f" A {output.name} output never reaches {', '.join(map(number, beyond))}."
    return Finding(
        FATAL,
        "Accuracy cannot match these labels",
        evidence,
        "For one output unit Keras's accuracy thresholds the output at 0.5 and counts labels that "
        "equal the resulting 0 or 1. Other labels always count as wrong, even where the network "
        "is right.",
        (fixes.LABELS_FROM_ZERO, fixes.SIGMOID),
        layer=len(obs.hidden),
        because="accuracy cannot match these labels",
    )


def _nearest_label_accuracy(end: FinalState) -> np.ndarray:
    """(runs,), share of samples whose label is the one nearest to the output."""
    levels = np.array(end.history.experiment.data.targets)
    nearest = levels[np.abs(end.output[..., :1] - levels).argmin(axis=-1)]
    return (np.abs(nearest - end.labels[..., 0]) < 1e-6).mean(axis=1)


def _labels(obs: Observations) -> str:
    targets = [number(t) for t in obs.data.targets]
    if len(targets) > 6:
        targets = [*targets[:3], "...", targets[-1]]
    return ", ".join(targets[:-1]) + f" and {targets[-1]}"


@rule("unusual-output")
def unusual_output(obs: Observations) -> Finding | None:
    """Pairs of output and loss that this Keras trains well, and others may not."""
    activation, loss = obs.output_activation, obs.training.loss
    units = obs.model.output.units
    if units == 1:
        return None
    categorical = losses.loss(loss).cross_entropy and losses.loss(loss).link == "softmax"
    sigmoid = activation == "sigmoid" and categorical
    softmax = activation == "softmax" and loss == "binary_crossentropy"
    one_class = obs.data.has_one_class_per_row and not obs.rows.continuous
    if activation == "sigmoid" and loss == "binary_crossentropy" and one_class:
        return _class_by_class(obs)
    if not sigmoid and not softmax:
        return None
    return Finding(
        COSMETIC,
        f"{activation.capitalize()} with {loss.replace('_', ' ')}",
        f"{units} {activation} units with {loss}: Keras 3 takes the logits before the activation "
        "and trains them as if activation and loss belonged together.",
        "The usual pairs are softmax with categorical and sigmoid with binary cross-entropy. "
        "Before Keras 3 the loss took the outputs as they were, and this pair trained worse.",
        (fixes.fitting_output(obs.experiment),),
        layer=len(obs.hidden),
    )


def _class_by_class(obs: Observations) -> Finding:
    """Sigmoids for classes that exclude each other."""
    units, share = obs.model.output.units, float(obs.rows.targets.mean())
    return Finding(
        COSMETIC,
        "A sigmoid for each of several classes",
        f"{units} sigmoid units with binary_crossentropy for one class a row: of the labels "
        f"{percent(share)} are 1, so always answering 0 has a binary accuracy of "
        f"{percent(1 - share)}.",
        "Each unit learns its own class and takes no account of the others, which is usual for "
        "labels that occur together. The accuracy here counts the largest output, as Keras does.",
        (fixes.SOFTMAX,),
        layer=len(obs.hidden),
    )


@rule("squared-error")
def squared_error(obs: Observations) -> Finding | None:
    activation = obs.output_activation
    function = losses.loss(obs.training.loss)
    if not function.distance or obs.rows.continuous:
        return None
    squared = function.name == "mean_squared_error"
    name = "squared error" if squared else function.label
    if obs.model.output.units == 1 and (obs.data.target_width > 1 or activation == "softmax"):
        return None
    if not all(t in (0, 1) for t in obs.data.targets) and obs.data.target_width == 1:
        return None
    steepest = {"sigmoid": 0.25, "softmax": 0.25}.get(activation)
    bounded = activation in ("sigmoid", "softmax")
    severity = COSMETIC
    if obs.failing and (bounded or obs.model.output_activation.rectifier):
        severity = SLOW if obs.failing.moving and bounded else FRAGILE
    slopes = ""
    if steepest and squared:
        slopes = (
            f" At an output of 0.01 where 1 is right, its slope is {2 * 0.99 * 0.0099:.2f}; that "
            "of cross-entropy is 0.99."
        )
    return Finding(
        severity,
        f"{name.capitalize()} for classification",
        f"The loss is {function.name} on a {activation} output." + slopes,
        f"The {name} of a probability is flat where the network is confidently wrong, so "
        "large mistakes give small gradients. Cross-entropy is steepest there.",
        (fixes.fitting_output(obs.experiment),),
        CERTAIN if severity is COSMETIC else LIKELY,
        None if severity is COSMETIC else "Train with cross-entropy on the same seeds.",
        layer=len(obs.hidden),
        because=f"the {name} gives small gradients for large mistakes",
    )


@rule("spare-output-units")
def spare_output_units(obs: Observations) -> Finding | None:
    units, classes = obs.model.output.units, obs.data.source.classes
    if obs.training.loss != "sparse_categorical_crossentropy" or units <= classes:
        return None
    return Finding(
        COSMETIC,
        "More output units than classes",
        f"{units} output units for {classes} classes.",
        "A unit without a class learns to output values near 0. It costs a few updates and no "
        "accuracy.",
        (fixes.SOFTMAX,),
        layer=len(obs.hidden),
    )
