"""Why a training is stuck: findings with evidence, the most severe first.

`diagnose` needs neither TensorFlow nor a training: what the experiment alone shows is computed
from its data, from draws of its initial weights and from a look ahead in NumPy. With a history,
what happened decides: where all runs succeed nothing is worse than cosmetic.

Each rule is a function from `Observations` to a `Finding`, several or None, registered by its code.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from enum import Enum

import numpy as np

from core import fixes
from core.experiment import (
    BatchNormalisation,
    Blobs,
    Dense,
    Dropout,
    Experiment,
    Table,
    Threshold,
)
from core.fixes import RECTIFIERS, default_rate
from core.history import History
from core.observations import Observations, linear_accuracy, output_range
from core.problems import TARGET, Fix

# --- thresholds that remain, each with its source -------------------------------------------------

RISK = 0.05
"""A risk for a run that counts: half the 10 % of failures that no success rate of 64 runs hides."""
ORDER = 10.0
"""Inputs this many times off unit size are off scale: the initialisers are derived for unit
variance (Glorot and Bengio 2010), and an order of magnitude is more than their own spread."""
OFF_CENTRE = 1.0
"""A column is off centre if its mean is further from 0 than its deviation."""
MINORITY = 0.2
"""A class with less than this share of an equal share's double is rare; "moderate" imbalance in
Google's course on imbalanced data (a minority below 20 % of two classes)."""
SATURATED = 0.5
"""Share of a layer's outputs near a bound (more than half: DeepDiagnosis, Wardat et al. 2022)."""
VANISHING = 1e-3
"""First to last kernel gradient (AutoTrainer, Zhang et al. 2021)."""
EXPLODING = 70.0
"""The same the other way round (AutoTrainer)."""
RESTLESS = 0.1
"""Change of a kernel in one update over the kernel's norm (TheDeepChecker, Braiek and Khomh 2023)."""
SWING = 0.03
SWINGING_EPOCHS = 0.2
"""Accuracy that falls by 0.03 or more in a fifth of the epochs oscillates (AutoTrainer)."""
GAP = 0.1
"""Training above held-out accuracy by this much: what 100 held-out rows can tell from chance (95 %)."""
CLEAR = 0.5
"""Of eight runs ahead, a gain of half is beyond chance (one-sided Fisher test, 0.04)."""
FALLING = 0.05
"""A loss that has fallen by this share has fallen (TheDeepChecker's 5 %)."""
ENOUGH_SURVIVORS = 0.01
"""Share of updates in which a layer may be dropped as a whole."""
SETTLED = 0.1
"""Share of a moving average that may still stem from its initial value."""


class Severity(str, Enum):
    """fatal: cannot learn; fragile: depends on the seed; slow: moves too slowly; cosmetic: harmless here."""

    FATAL = "fatal"
    FRAGILE = "fragile"
    SLOW = "slow"
    COSMETIC = "cosmetic"

    @property
    def rank(self) -> int:
        """0 for the most severe."""
        return list(Severity).index(self)


FATAL, FRAGILE, SLOW, COSMETIC = Severity
CERTAIN, LIKELY, CANNOT_TELL = "certain", "likely", "cannot tell"


@dataclass(frozen=True)
class Finding:
    """One fault, or one thing worth knowing.

    code: stable, in kebab case. title: a few words. evidence: numbers of this experiment or
    history, with units. cause: what goes wrong, in two sentences. fixes: edits of this experiment
    that address it. confidence: "certain", "likely" or "cannot tell"; settle: what would settle
    it, where it is not certain. layer: the dense layer concerned, from 0, for a picture.
    """

    code: str
    severity: Severity
    title: str
    evidence: str
    cause: str
    fixes: tuple[Fix, ...] = ()
    confidence: str = CERTAIN
    settle: str | None = None
    layer: int | None = None


Rule = Callable[[Observations], "Finding | Iterable[Finding] | None"]
RULES: dict[str, Rule] = {}
"""Every rule by the code of its finding, in the order in which equals are reported."""


def rule(code: str) -> Callable[[Rule], Rule]:
    def register(function: Rule) -> Rule:
        RULES[code] = function
        return function

    return register


def diagnose(
    experiment: Experiment, history: History | None = None, target: float = TARGET
) -> tuple[Finding, ...]:
    """What is wrong, most severe first; () where nothing is worth a word.

    history: of this experiment; None for what the configuration, the data and the initial weights
    show. target: the accuracy that counts as success.
    """
    seen = Observations(experiment, history, target)
    found: list[Finding] = []
    for function in RULES.values():
        result = function(seen)
        if result is not None:
            found += [result] if isinstance(result, Finding) else list(result)
    found = [_as_it_turned_out(seen, finding) for finding in found]
    if seen.is_stuck and all(finding.severity is COSMETIC for finding in found):
        found.append(_unexplained(seen))
    return tuple(sorted(found, key=lambda finding: finding.severity.rank))


def verdict(
    findings: tuple[Finding, ...], history: History | None = None, target: float = TARGET
) -> str:
    """The findings in one plain sentence; it says so where nothing is wrong."""
    worst = findings[0].severity if findings else COSMETIC
    if worst is not COSMETIC:
        lead = findings[0].title[0].lower() + findings[0].title[1:]
        return {
            FATAL: f"This cannot learn: {lead}.",
            FRAGILE: f"Whether this learns depends on the seed: {lead}.",
            SLOW: f"This is only slow: {lead}.",
        }[worst]
    if history is None:
        return "Nothing wrong found before training."
    seen = Observations(history.experiment, history, target)
    if seen.ceiling < 1 and seen.scores.mean() >= seen.goal:
        return (
            f"Nothing wrong found, and this is as good as it gets: the classes overlap, and no "
            f"classifier can be right in more than about {seen.ceiling:.1%} of the samples "
            f"(here {seen.scores.mean():.1%})."
        )
    return f"Nothing wrong found: {seen.success} succeed."


def _as_it_turned_out(seen: Observations, finding: Finding) -> Finding:
    """What happened overrules what was expected."""
    if seen.history is None or finding.severity is COSMETIC:
        return finding
    if not seen.is_stuck:
        note = f" All {seen.history.runs} runs succeed all the same."
        return replace(
            finding,
            severity=COSMETIC,
            evidence=finding.evidence + note,
            confidence=CERTAIN,
            settle=None,
        )
    if finding.severity is FATAL and seen.success.successes:
        return replace(finding, severity=FRAGILE)
    return finding


def _unexplained(seen: Observations) -> Finding:
    return Finding(
        "unexplained",
        FRAGILE if seen.success.successes else FATAL,
        "Stuck, and no rule says why",
        f"{seen.success} succeed; {_accuracies(seen)}.",
        "None of the known causes fits what was measured. It may be the data: the inputs may not "
        "tell the classes apart.",
        (fixes.STANDARDISE, fixes.WIDEN, fixes.rate(10 * seen.rate), fixes.rate(seen.rate / 10)),
        CANNOT_TELL,
        "Train with each suggested fix over the same seeds, and look at whether a network can "
        "learn 16 of the rows by heart.",
    )


# --- words --------------------------------------------------------------------------------------


def _number(value: float) -> str:
    """Three digits, with separators: 49,900, 0.0123."""
    if not math.isfinite(value) or value == 0:
        return f"{value:g}"
    if abs(value) >= 1e6 or abs(value) < 1e-3:
        return f"{value:.2g}"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    text = f"{round(value, digits):,.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _whole(value: float) -> int:
    """A count to two digits, rounded up."""
    unit = 10 ** max(0, math.floor(math.log10(max(value, 1))) - 1)
    return int(math.ceil(value / unit) * unit)


def _accuracies(seen: Observations) -> str:
    scores = np.nan_to_num(seen.scores[seen.stuck])
    what = "share of the labels' variance explained" if seen.continuous else "accuracy"
    return f"the others end at {what} {scores.min():.2f} to {scores.max():.2f}"


def _all_stuck(seen: Observations) -> bool:
    return seen.is_stuck and not seen.success.successes


def _layer(number: int, seen: Observations) -> str:
    return "the output layer" if number == len(seen.hidden) else f"layer {number + 1}"


CROSS_ENTROPIES = (
    "binary_crossentropy",
    "categorical_crossentropy",
    "sparse_categorical_crossentropy",
)


# --- output, loss and labels --------------------------------------------------------------------


@rule("output-not-probability")
def output_not_probability(seen: Observations) -> Finding | None:
    activation = seen.model.output.activation
    if seen.training.loss not in CROSS_ENTROPIES or activation in ("sigmoid", "softmax"):
        return None
    out = seen.start.output
    outside = (out <= 1e-7) | (out >= 1 - 1e-7)
    whole = outside.all(axis=(1, 2)).mean()
    evidence = (
        f"The output is {activation}, the loss {seen.training.loss}. Before training "
        f"{outside.mean():.0%} of the outputs lie outside 0 to 1, where the loss clips them and "
        f"the gradient is exactly 0; so do all outputs at once in {whole:.0%} of the starts."
    )
    severity = FATAL
    if seen.history is None and whole < 0.5 and seen.reached(seen.as_is) > 0:
        severity = FRAGILE
    if seen.history is not None and seen.history.health is not None and activation == "relu":
        dead = seen.history.health.dead[-1, -1] == 1
        evidence += (
            f" After training the output is 0 for every sample in {dead.sum()} of {dead.size} runs."
        )
    return Finding(
        "output-not-probability",
        severity,
        "Output is clipped by the loss",
        evidence,
        "Cross-entropy takes the logarithm of a probability, so an output outside 0 to 1 is cut "
        "off at the edge. There the loss no longer changes with the weights, and nothing pulls "
        "the output back.",
        (fixes.REGRESSION,) if seen.continuous else (fixes.fitting_output(seen.experiment),),
        CERTAIN if seen.history is not None or severity is FATAL else LIKELY,
        layer=len(seen.hidden),
    )


@rule("softmax-one-unit")
def softmax_one_unit(seen: Observations) -> Finding | None:
    output = seen.model.output
    if output.activation != "softmax" or output.units > 1:
        return None
    return Finding(
        "softmax-one-unit",
        FATAL,
        "Softmax over a single unit",
        f"The output is 1 for every sample, so accuracy cannot pass {seen.printable:.1%}, the "
        "share of samples labelled 1.",
        "Softmax makes the outputs of a layer add up to 1, and a single one is therefore always "
        "1. This Keras trains the number before the softmax, so the loss may fall while the "
        "decisions never change.",
        (fixes.fitting_output(seen.experiment),),
        layer=len(seen.hidden),
    )


@rule("one-unit-many-classes")
def one_unit_many_classes(seen: Observations) -> Finding | None:
    classes = seen.data.source.classes
    if seen.model.output.units > 1 or classes < 3 or seen.data.target_width > 1 or seen.continuous:
        return None
    return Finding(
        "one-unit-many-classes",
        FATAL,
        f"One output unit for {classes} classes",
        f"Keras cuts one output at 0.5 and compares it with the labels {_labels(seen)}: at most "
        f"{seen.printable:.1%} of the samples can count as right.",
        "One number cut in two can name two classes, not more. Each class needs an output unit "
        "of its own.",
        (fixes.SOFTMAX,),
        layer=len(seen.hidden),
    )


@rule("one-unit-one-hot")
def one_unit_one_hot(seen: Observations) -> Finding | None:
    width = seen.data.target_width
    if seen.model.output.units > 1 or width < 2:
        return None
    return Finding(
        "one-unit-one-hot",
        FATAL,
        f"One output unit against {width} label columns",
        f"The one output is compared with all {width} columns, of which one is 1: the printed "
        f"accuracy cannot pass {seen.printable:.1%}, whatever is learnt.",
        "The squared error stretches the single output over all columns, so it is told to be 1 "
        "and 0 at once. It ends in between for every sample.",
        (fixes.SOFTMAX, fixes.SIGMOID) if seen.data.source.classes == 2 else (fixes.SOFTMAX,),
        layer=len(seen.hidden),
    )


@rule("labels-outside-loss")
def labels_outside_loss(seen: Observations) -> Finding | None:
    if seen.training.loss != "binary_crossentropy" or seen.data.encoding == "one-hot":
        return None
    outside = [t for t in seen.data.targets if not 0 <= t <= 1]
    if not outside or seen.data.source.classes > 2:
        return None
    return Finding(
        "labels-outside-loss",
        FATAL,
        "Labels that no probability can be",
        f"The labels are {_labels(seen)}; binary cross-entropy learns numbers from 0 to 1. "
        f"Accuracy cannot pass {seen.printable:.1%}, the share of samples labelled 0 or 1.",
        "The loss pushes the output towards the label, and a label beyond 1 or below 0 pushes "
        "without end: the loss falls below zero and never stops. The output ends at the edge for "
        "every sample.",
        (fixes.LABELS_FROM_ZERO,),
        layer=len(seen.hidden),
    )


@rule("labels-outside-accuracy")
def labels_outside_accuracy(seen: Observations) -> Finding | None:
    binary = seen.model.output.units == 1 and seen.data.target_width == 1
    if not binary or seen.continuous or seen.data.source.classes > 2:
        return None
    if all(t in (0, 1) for t in seen.data.targets):
        return None
    if seen.training.loss == "binary_crossentropy" and any(
        not 0 <= t <= 1 for t in seen.data.targets
    ):
        return None
    low, high = output_range(seen.model.output.activation)
    beyond = [t for t in seen.data.targets if not low <= t <= high]
    evidence = (
        f"The labels are {_labels(seen)}; the printed accuracy compares them with 0 and 1, so it "
        f"cannot pass {seen.printable:.1%}."
    )
    if seen.history is not None:
        nearest = _nearest_label_accuracy(seen)
        evidence += (
            f" Taking the nearest label as the decision, {nearest.mean():.1%} are right after "
            "training (mean of the runs)."
        )
    if beyond:
        evidence += (
            f" A {seen.model.output.activation} output never reaches "
            f"{', '.join(map(_number, beyond))}."
        )
    return Finding(
        "labels-outside-accuracy",
        FATAL,
        "The accuracy cannot count these labels",
        evidence,
        "For one output unit Keras's accuracy cuts the output at 0.5 into 0 and 1 and counts "
        "labels that are equal. Other labels always count as wrong, even where the network is "
        "right.",
        (fixes.LABELS_FROM_ZERO, fixes.SIGMOID),
        layer=len(seen.hidden),
    )


def _nearest_label_accuracy(seen: Observations) -> np.ndarray:
    """(runs,), share of samples whose label is the one nearest to the output."""
    levels = np.array(seen.data.targets)
    out = seen.end.output[..., 0]
    _, y = seen.sampled
    y = np.resize(y, (len(out), *y.shape[1:]))[..., 0]
    nearest = levels[np.abs(out[..., None] - levels).argmin(axis=-1)]
    return (np.abs(nearest - y) < 1e-6).mean(axis=1)


def _labels(seen: Observations) -> str:
    targets = [_number(t) for t in seen.data.targets]
    if len(targets) > 6:
        targets = [*targets[:3], "...", targets[-1]]
    return ", ".join(targets[:-1]) + f" and {targets[-1]}"


@rule("continuous-labels")
def continuous_labels(seen: Observations) -> Finding | None:
    if not seen.continuous or seen.training.loss not in CROSS_ENTROPIES:
        return None
    values = np.array(seen.data.targets)
    return Finding(
        "continuous-labels",
        FATAL,
        "Measurements under a loss for classes",
        f"The labels take {len(values):,} different values from {_number(values.min())} to "
        f"{_number(values.max())} on {seen.data.source.rows:,} rows; {seen.training.loss} is for "
        "classes.",
        "Cross-entropy and accuracy ask which class a sample belongs to. A number on a continuous "
        "scale is hardly ever hit exactly, so the accuracy stays near 0 however close it comes.",
        (fixes.REGRESSION,),
        layer=len(seen.hidden),
    )


@rule("accuracy-of-regression")
def accuracy_of_regression(seen: Observations) -> Finding | None:
    if not seen.continuous or seen.training.loss in CROSS_ENTROPIES:
        return None
    evidence = f"The labels take {seen.data.source.classes:,} different values."
    if seen.history is not None:
        evidence += (
            f" Accuracy ends at {np.nanmean(seen.history.final_accuracy):.1%}, while the network "
            f"explains {max(float(np.nanmean(seen.scores)), 0):.0%} of the labels' variance (mean "
            "of the runs)."
        )
    return Finding(
        "accuracy-of-regression",
        COSMETIC,
        "Accuracy says nothing about a regression",
        evidence,
        "Accuracy counts outputs that equal the label exactly, which a number on a continuous "
        "scale hardly ever does. Read the loss instead.",
        (),
    )


@rule("output-range")
def output_out_of_range(seen: Observations) -> Finding | None:
    """Continuous labels, or one-hot ones, that the squared error cannot bring the output to."""
    if seen.training.loss in CROSS_ENTROPIES or not seen.continuous:
        return None
    low, high = output_range(seen.model.output.activation)
    values = np.array(seen.data.targets)
    beyond = ((values < low) | (values > high)).mean()
    if not beyond:
        return None
    return Finding(
        "output-range",
        FATAL,
        "Labels beyond the output's range",
        f"A {seen.model.output.activation} output lies between {low:g} and {high:g}; {beyond:.0%} "
        f"of the labels, which run from {_number(values.min())} to {_number(values.max())}, do not.",
        "The output can never come to a label beyond its activation's range. It is pushed to the "
        "edge, where the gradient fades.",
        (fixes.REGRESSION,),
        layer=len(seen.hidden),
    )


@rule("unusual-output")
def unusual_output(seen: Observations) -> Finding | None:
    """Pairs of output and loss that this Keras trains well, and others may not."""
    activation, loss = seen.model.output.activation, seen.training.loss
    units = seen.model.output.units
    if units == 1:
        return None
    sigmoid = activation == "sigmoid" and loss in CROSS_ENTROPIES[1:]
    softmax = activation == "softmax" and loss == "binary_crossentropy"
    if not sigmoid and not softmax:
        return None
    return Finding(
        "unusual-output",
        COSMETIC,
        f"{activation.capitalize()} under {loss.replace('_', ' ')}",
        f"{units} {activation} units with {loss}: this Keras takes the numbers before the "
        "activation and trains them as if the two belonged together.",
        "The usual pair is softmax with a categorical and sigmoid with the binary cross-entropy. "
        "Before Keras 3 the loss took the outputs as they were, and this trained worse.",
        (fixes.fitting_output(seen.experiment),),
        layer=len(seen.hidden),
    )


@rule("squared-error")
def squared_error(seen: Observations) -> Finding | None:
    activation = seen.model.output.activation
    if seen.training.loss != "mean_squared_error" or seen.continuous:
        return None
    if seen.model.output.units == 1 and (seen.data.target_width > 1 or activation == "softmax"):
        return None
    if not all(t in (0, 1) for t in seen.data.targets) and seen.data.target_width == 1:
        return None
    steepest = {"sigmoid": 0.25, "softmax": 0.25}.get(activation)
    bounded = activation in ("sigmoid", "softmax")
    severity = COSMETIC
    if seen.is_stuck and (bounded or activation in RECTIFIERS):
        severity = SLOW if seen.moving and bounded else FRAGILE
    slopes = ""
    if steepest:
        slopes = (
            f" An output of 0.01 where 1 is right pulls with a slope of {2 * 0.99 * 0.0099:.2f}; "
            "under cross-entropy with 0.99."
        )
    return Finding(
        "squared-error",
        severity,
        "Squared error for classes",
        f"The loss is mean_squared_error on a {activation} output." + slopes,
        "The squared error of a probability is flat where the network is sure and wrong, so big "
        "mistakes hardly pull. Cross-entropy pulls hardest there.",
        (fixes.fitting_output(seen.experiment),),
        CERTAIN if severity is COSMETIC else LIKELY,
        None if severity is COSMETIC else "Train with cross-entropy over the same seeds.",
        layer=len(seen.hidden),
    )


@rule("spare-output-units")
def spare_output_units(seen: Observations) -> Finding | None:
    units, classes = seen.model.output.units, seen.data.source.classes
    if seen.training.loss != "sparse_categorical_crossentropy" or units <= classes:
        return None
    return Finding(
        "spare-output-units",
        COSMETIC,
        "More output units than classes",
        f"{units} output units for {classes} classes.",
        "A unit without a class learns to stay low. It costs a few updates and no accuracy.",
        (fixes.SOFTMAX,),
        layer=len(seen.hidden),
    )


# --- data ---------------------------------------------------------------------------------------


@rule("one-class-only")
def one_class_only(seen: Observations) -> Finding | None:
    if seen.continuous or (seen.shares > 0).sum() > 1:
        return None
    return Finding(
        "one-class-only",
        FATAL,
        "All rows have one label",
        f"All {len(seen.classes):,} training rows that were looked at belong to one class.",
        "A network that sees one label learns to say it, whatever the input. It is right without "
        "having learnt anything.",
        (fixes.PERMUTE,) if seen.data.shuffling == "rows" else (),
    )


@rule("class-missing")
def class_missing(seen: Observations) -> Finding | None:
    missing = np.flatnonzero(seen.shares == 0)
    if seen.continuous or not len(missing) or len(missing) >= len(seen.shares) - 1:
        return None
    return Finding(
        "class-missing",
        COSMETIC,
        "A class without rows",
        f"{len(missing)} of {len(seen.shares)} classes have no training row.",
        "What is never shown is never learnt. Rows of that class will all be decided wrongly.",
    )


@rule("class-imbalance")
def class_imbalance(seen: Observations) -> Finding | None:
    shares = seen.shares[seen.shares > 0]
    if seen.continuous or len(shares) < 2 or shares.min() * len(shares) / 2 >= MINORITY:
        return None
    severity = COSMETIC
    common = shares.max()
    if seen.is_stuck and seen.constant[seen.stuck].mean() > 0.5:
        severity = SLOW
    return Finding(
        "class-imbalance",
        severity,
        "One class is rare",
        f"The most common class has {common:.1%} of the rows, the rarest {shares.min():.1%}: always "
        f"saying the common one is right in {common:.1%}.",
        "While the network knows nothing, saying the common class always costs least. An accuracy "
        f"of {common:.2f} is then no sign of learning.",
        (),
        CERTAIN if severity is COSMETIC else LIKELY,
        None if severity is COSMETIC else "Count the right decisions of each class.",
    )


@rule("label-conflict")
def label_conflict(seen: Observations) -> Finding | None:
    """Overlap that no network can undo, from the generator or from equal rows."""
    if seen.ceiling >= 1 - 1e-9 or seen.continuous:
        return None
    estimated = isinstance(seen.data.source, Table) and seen.agreement > seen.ceiling
    reason = "the nearest rows agree in" if estimated else "the best classifier is right in"
    note = ""
    if seen.ceiling < seen.target:
        note = f" The target of {seen.target:g} is out of reach; {seen.goal:.2f} counts here."
    return Finding(
        "label-conflict",
        COSMETIC,
        "The classes overlap",
        f"Where classes overlap {reason} {seen.ceiling:.1%} of the samples.{note}",
        "The same inputs occur with different labels, so some samples will be decided wrongly by "
        "any network. An accuracy near that ceiling is as good as it gets.",
        (),
        LIKELY if estimated else CERTAIN,
        "More rows, or an estimate of the noise in the labels." if estimated else None,
    )


@rule("inputs-unscaled")
def inputs_unscaled(seen: Observations) -> Finding | None:
    sizes = seen.sizes
    if not len(sizes) or (sizes.max() <= ORDER and sizes.max() >= 1 / ORDER):
        return None
    large = sizes.max() > ORDER
    varying = seen.inputs[:, seen.varying]
    evidence = (
        f"The inputs run from {_number(varying.min())} to {_number(varying.max())} with a root "
        f"mean square of {_number(sizes.max())}, where the initial weights expect about 1."
    )
    if len(sizes) > 1 and sizes.max() > ORDER * sizes.min():
        evidence += f" The smallest column's is {_number(sizes.min())}."
    if large:
        evidence += " " + _bias_reach(seen)
    gain = seen.gain_from_scaling()
    severity = COSMETIC
    if seen.is_stuck:
        severity = FATAL if large else SLOW
    elif seen.history is None and gain >= CLEAR:
        severity = FRAGILE if large else SLOW
    cause = (
        "One update changes what the first layer adds up by the learning rate times the size of "
        "the input, so big inputs make the steps coarse, while the biases, which place the "
        "boundary among the inputs, move no faster. Divided or standardised inputs put both on "
        "one scale."
        if large
        else "Small inputs hardly change what the first layer puts out, so the weights must grow "
        "a long way before the output depends on the input. That takes many updates."
    )
    return Finding(
        "inputs-unscaled",
        severity,
        "Inputs are not scaled",
        evidence,
        cause,
        (fixes.STANDARDISE,),
        *_expected(seen, severity, "Train with standardised inputs over the same seeds."),
        layer=0,
    )


def _bias_reach(seen: Observations) -> str:
    centre = float(np.abs(seen.inputs.mean(axis=0)).max())
    if fixes.smooth(seen.experiment):
        return f"Their mean is {_number(centre)}."
    return (
        f"A bias moves by about the learning rate an update, {_number(seen.way)} in all "
        f"{seen.updates:,} updates, and the inputs' mean is {_number(centre)}."
    )


def _expected(seen: Observations, severity: Severity, how: str) -> tuple[str, str | None]:
    """Confidence, and what would settle it, for a finding on something that need not do harm."""
    if severity is not COSMETIC:
        return LIKELY, how
    if seen.history is None:
        return CANNOT_TELL, how
    return CERTAIN, None


@rule("one-signed-inputs")
def one_signed_inputs(seen: Observations) -> Finding | None:
    varying = seen.inputs[:, seen.varying]
    if not varying.size:
        return None
    one_sided = (varying.min(axis=0) >= 0) | (varying.max(axis=0) <= 0)
    off = np.abs(varying.mean(axis=0)) > OFF_CENTRE * varying.std(axis=0)
    if not (one_sided & off).all():
        return None
    positive = varying.max() > 0
    offset = float((np.abs(varying.mean(axis=0)) / varying.std(axis=0)).max())
    evidence = (
        f"All inputs are {'positive' if positive else 'negative'}, {_number(varying.min())} to "
        f"{_number(varying.max())}; their mean is {offset:.1f} standard deviations from 0."
    )
    dead = 0.0
    if seen.hidden and seen.hidden[0].activation == "relu":
        dead = float(seen.dead_at_start[0].mean())
        evidence += f" {dead:.0%} of the units of layer 1 are dead from the start."
    gain = seen.gain_from_scaling()
    severity = COSMETIC
    if seen.is_stuck and (gain >= CLEAR / 2 or seen.sizes.max() > ORDER):
        severity = SLOW if seen.moving else FRAGILE
    elif seen.history is None and gain >= CLEAR:
        severity = SLOW
    return Finding(
        "one-signed-inputs",
        severity,
        "Inputs of one sign",
        evidence,
        "With inputs of one sign a unit's sum has the sign of its weights: a ReLU unit is on for "
        "all samples or for none, and a boundary between the classes lies far from where the "
        "weights start. Centred inputs fall on both sides.",
        (fixes.STANDARDISE,),
        *_expected(seen, severity, "Train with standardised inputs over the same seeds."),
        layer=0,
    )


@rule("constant-column")
def constant_column(seen: Observations) -> Finding | None:
    constant = int((~seen.varying).sum())
    if not constant:
        return None
    features = seen.data.source.features
    return Finding(
        "constant-column",
        FATAL if constant == features else COSMETIC,
        "Inputs that never change" if constant == features else "A column that never changes",
        f"{constant} of {features} input columns have the same value in every row.",
        "What is the same for every sample cannot tell the classes apart. It only shifts what the "
        "biases have to do.",
        layer=0,
    )


@rule("rows-lost")
def rows_lost(seen: Observations) -> Finding | None:
    if seen.data.shuffling != "rows":
        return None
    rows = seen.data.source.rows
    partners = np.random.default_rng(0).integers(0, np.arange(2, rows + 1))
    kept = len(np.unique(np.append(partners, 0)))
    return Finding(
        "rows-lost",
        COSMETIC,
        "Rows lost to the shuffle",
        f"Of {rows:,} rows {kept:,} survive; the other {rows - kept:,} places hold copies of them.",
        "random.shuffle swaps rows of a two-dimensional NumPy array through views, so that one of "
        "each swapped pair overwrites the other. About half of the rows are lost, and with sorted "
        "rows the classes are no longer equally frequent.",
        (fixes.PERMUTE,),
    )


@rule("rows-repeated")
def rows_repeated(seen: Observations) -> Finding | None:
    source = seen.data.source
    if not isinstance(source, Table):
        return None
    rows = len(seen.inputs)
    distinct = len(np.unique(np.column_stack([seen.inputs, seen.classes]), axis=0))
    # Labels and inputs that take few values repeat of themselves.
    if distinct == rows or distinct > 0.9 * rows:
        return None
    leak = " Copies of held-out rows are among the training rows." if seen.data.hold_out else ""
    return Finding(
        "rows-repeated",
        COSMETIC,
        "Repeated rows",
        f"{rows - distinct:,} of {rows:,} training rows repeat another one.{leak}",
        "A repeated row counts several times and adds nothing new. Where its copy is held out, the "
        "evaluation is no longer on unseen data.",
    )


@rule("sorted-unshuffled")
def sorted_unshuffled(seen: Observations) -> Finding | None:
    if seen.training.shuffle or seen.continuous or len(seen.classes) < 4:
        return None
    full = seen.rows if seen.drawn is seen.data else None
    classes = seen.classes
    changes = int((classes[1:] != classes[:-1]).sum())
    expected = len(classes) * (1 - np.square(seen.shares).sum())
    # As many changes of class as there are classes, where chance would give many times that.
    if changes >= ORDER * len(seen.shares) or changes * ORDER > expected:
        return None
    batch = min(seen.training.batch_size, seen.data.training_rows)
    if batch >= seen.data.training_rows:
        return None
    del full
    return Finding(
        "sorted-unshuffled",
        COSMETIC if not seen.is_stuck and seen.history is not None else FRAGILE,
        "Sorted by class and never shuffled",
        f"The class changes {changes} times along the rows (about {expected:,.0f} times in random "
        f"order), and the batches of {batch} come in that order in every epoch.",
        "Each batch holds one class, so the network learns to say that class and forgets the one "
        "before. The end of every epoch belongs to the last class.",
        (fixes.RESHUFFLE, fixes.PERMUTE),
        LIKELY,
        "Train with shuffling over the same seeds.",
    )


@rule("evaluated-on-training-data")
def evaluated_on_training_data(seen: Observations) -> Finding | None:
    if seen.data.held_out_rows:
        return None
    return Finding(
        "evaluated-on-training-data",
        COSMETIC,
        "Evaluated on the training data",
        f"All {seen.data.training_rows:,} rows are trained on; none is held out.",
        "An accuracy on the rows that were trained on cannot show whether the network will be "
        "right on others. It does not explain why a training is stuck.",
        (fixes.HOLD_OUT,),
    )


# --- pace ---------------------------------------------------------------------------------------


def _learnable(seen: Observations) -> bool:
    """The goal can be printed at all, so that the pace towards it means something."""
    return seen.printable >= seen.goal


def _updates_missing(seen: Observations) -> float | None:
    """Updates from the first to the goal, where there are too few of them; None where enough or unknown.

    A history decides it by its last weights: what is still missing from there. Infinite where more
    updates than the look ahead covers, and thus than the training has, lead nowhere yet.
    """
    if not _learnable(seen):
        return None
    if seen.history is not None:
        if not seen.is_stuck or not seen.moving:
            return None
        return seen.updates + float(np.median(seen.updates_left))
    needed = seen.updates_needed
    if needed <= seen.updates or math.isnan(needed):
        return None
    if math.isinf(needed):
        return None
    return needed


def _missing_evidence(seen: Observations, needed: float) -> str:
    epochs = _whole(needed / seen.updates_an_epoch)
    text = (
        f"{seen.training.epochs:,} epochs of {seen.updates_an_epoch:,} updates at the learning "
        f"rate {seen.rate:g} are {seen.updates:,} updates. At this pace about {_whole(needed):,} "
        f"are needed, or {epochs:,} epochs"
    )
    if seen.history is not None:
        first, last = seen.history.loss[0], seen.history.loss[-1]
        stuck = seen.stuck
        text += (
            f"; the loss of the {stuck.sum()} runs that are not there yet went from "
            f"{_number(float(np.nanmedian(first[stuck])))} to "
            f"{_number(float(np.nanmedian(last[stuck])))}"
        )
    return text + "."


@rule("learning-rate-too-low")
def learning_rate_too_low(seen: Observations) -> Finding | None:
    usual = default_rate(seen.experiment)
    needed = _updates_missing(seen)
    slow = needed is not None
    # A rate so low that the whole training is a step or two of the look ahead.
    if not slow and seen.rate < usual and _learnable(seen):
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
            f"{seen.updates:,} updates at the learning rate {seen.rate:g} move a weight by at most "
            f"about {_number(seen.way)}."
        )
    return Finding(
        "learning-rate-too-low",
        SLOW,
        "The learning rate is too low",
        f"{evidence} Keras's default for this optimizer is {usual:g}.",
        "Each update moves the weights by an amount in proportion to the learning rate, and these "
        "are too small to get there in the given updates. The network is not stuck, it is slow.",
        tuple(fixes.rate(value) for value in better),
        LIKELY,
        "Train with the higher learning rate over the same seeds.",
    )


def _barely_moves(seen: Observations) -> bool:
    """After all updates of the training nothing has happened yet."""
    if seen.as_is is None or (seen.history is not None and not seen.is_stuck):
        return False
    return not fixes.smooth(seen.experiment) and seen.way < 0.02


@rule("too-few-updates")
def too_few_updates(seen: Observations) -> Finding | None:
    needed = _updates_missing(seen)
    if needed is None:
        return None
    usual = default_rate(seen.experiment)
    if seen.rate < usual and needed * seen.rate / usual <= seen.updates:
        return None  # the learning rate alone explains it
    epochs = _whole(1.5 * needed / seen.updates_an_epoch)
    faster = min(10 * seen.rate, 0.1) if seen.rate < 0.1 else None
    remedies = [fixes.epochs(min(epochs, 10_000))]
    if faster:
        remedies.append(fixes.rate(faster))
    return Finding(
        "too-few-updates",
        SLOW,
        "Slow, but moving: too few updates",
        _missing_evidence(seen, needed),
        "The network is on its way and stops before it arrives. It needs more epochs, more "
        "updates an epoch or larger steps.",
        tuple(remedies),
        LIKELY,
        "Train for longer over the same seeds.",
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
        f"Batches of {batch:,} make {seen.updates_an_epoch:,} updates an epoch; of "
        f"{fixes.DEFAULT_BATCH} they would make "
        f"{-(-seen.data.training_rows // fixes.DEFAULT_BATCH):,}, {smaller:,} in all. About "
        f"{_whole(needed):,} are needed.",
        "An epoch makes one update a batch, and a network moves only in updates. Larger batches "
        "make each one more exact, not larger.",
        (fixes.batch(fixes.DEFAULT_BATCH),),
        LIKELY,
        "Train with the smaller batches over the same seeds.",
    )


@rule("learning-rate-too-high")
def learning_rate_too_high(seen: Observations) -> Finding | None:
    # Scaling comes first: what diverges on inputs of thousands need not on inputs of 1.
    if seen.history is not None and not seen.is_stuck:
        return None
    usual = default_rate(seen.experiment)
    worth = seen.rate > 3 * usual or (fixes.smooth(seen.experiment) and seen.rate > usual / 10)
    if not worth or not _learnable(seen) or seen.as_is is None:
        return None
    (loss, _), (lower, _), (lowest, _) = (seen.trial[part] for part in (1.0, 0.1, 0.01))
    diverging = _grown(loss)
    calmer = min(_grown(lower), _grown(lowest))
    restless = 0.0
    if seen.is_stuck and seen.history.health is not None:
        ratios = seen.history.health.update_ratio[-1][:, seen.stuck]
        restless = float(np.median(np.nan_to_num(ratios, nan=np.inf).max(axis=0)))
    if diverging - calmer < CLEAR and not (restless > RESTLESS and seen.rate > 3 * usual):
        return None
    if seen.history is None and diverging < 1:
        return None
    before, after = (float(np.median(x)) for x in loss)
    evidence = (
        f"In the first 30 updates at the learning rate {seen.rate:g} the loss goes from "
        f"{_number(before)} to {_number(after)}; at {seen.rate / 10:g} to "
        f"{_number(float(np.median(lower[1])))}."
    )
    if restless > RESTLESS:
        evidence += (
            f" At the end one update still changes a layer by {_number(restless)} of its size."
        )
    return Finding(
        "learning-rate-too-high",
        FATAL if seen.is_stuck else FRAGILE,
        "The learning rate is too high",
        evidence,
        "Each update jumps across the valley it should descend into, so the loss rises or bounces "
        "instead of falling. Such a jump can also push units to where they have no gradient.",
        (fixes.rate(seen.rate / 10), fixes.rate(seen.rate / 100)),
        LIKELY,
        "Train with a tenth of the learning rate over the same seeds.",
    )


def _grown(loss: np.ndarray) -> float:
    """Share of runs whose loss (before, after) has at least doubled or is no number."""
    return float((~(loss[1] < 2 * np.maximum(loss[0], 1e-3))).mean())


# --- the network --------------------------------------------------------------------------------


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
        f"The weights of {', '.join(_layer(n, seen) for n in zeros)} start at 0; the largest kernel "
        f"gradient of any layer before training is {_number(largest)}."
    )
    if largest > 0 and same:
        evidence += (
            f" The {seen.model.dense[same[0]].units} units of {_layer(same[0], seen)} put out the "
            "same number for every sample."
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
    if not seen.hidden or not _learnable(seen):
        return None
    width = min(layer.units for layer in seen.hidden)
    if width >= fixes.ROOMY / 2 or (seen.history is not None and not seen.is_stuck):
        return None
    number = [layer.units for layer in seen.hidden].index(width)
    narrow, enough = seen.reached(seen.as_is), CLEAR / 2 if seen.is_stuck else CLEAR
    if math.isnan(narrow) or narrow > 1 - enough:
        return None
    wide = seen.reached(seen.wide)
    if math.isnan(wide) or wide - narrow < enough:
        return None
    return Finding(
        "bottleneck",
        FATAL if seen.is_stuck and not seen.moving else FRAGILE if narrow < CLEAR else SLOW,
        "A layer too narrow",
        f"{_layer(number, seen).capitalize()} has {width} unit{'s' * (width > 1)}. Looking ahead, "
        f"{narrow:.0%} of the starts get to {seen.goal:.2f}; with {fixes.ROOMY} units a hidden "
        f"layer {wide:.0%} do.",
        "All that the output can know about the input passes through this layer. With few units it "
        "is likely that the ones that are needed point the wrong way or are dead.",
        (fixes.WIDEN,),
        LIKELY,
        "Train with wider layers over the same seeds.",
        layer=number,
    )


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
        f"{_layer(places[0], seen).capitalize()} has {seen.hidden[places[0]].units} softmax units: "
        "their outputs always add up to 1.",
        "Softmax makes units compete, so that a hidden layer passes on little more than which of "
        "them is largest. ReLU or tanh units say each their own.",
        (fixes.RECTIFY,),
        *_expected(seen, severity, "Train with ReLU hidden layers over the same seeds."),
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
    # The rest of the signal is scaled by 1 / (1 - rate), so its variance grows by rate / (1 - rate).
    if place is None:
        return None
    noise = rate / (1 - rate) / width
    if worst < ENOUGH_SURVIVORS and not (seen.is_stuck and noise > 0.25):
        return None
    severity = COSMETIC
    if seen.is_stuck or (seen.history is None and worst > 0.25):
        severity = FRAGILE
    where = "the inputs" if place < 0 else _layer(place, seen)
    return Finding(
        "dropout-too-high",
        severity,
        "Dropout leaves too little",
        f"Dropout of {rate:g} on the {width} unit{'s' * (width > 1)} of {where} leaves "
        f"{width * (1 - rate):.1f} on average, and none at all in {worst:.0%} of the samples.",
        "A sample whose units are all dropped says nothing about its class, and teaches only the "
        "biases. With few units even moderate dropout is mostly noise.",
        (fixes.NO_DROPOUT,),
        *_expected(seen, severity, "Train without dropout over the same seeds."),
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
        (fixes.epochs(min(_whole(460 / seen.updates_an_epoch), 10_000)), fixes.NO_NORMALISATION),
        LIKELY,
        "Train for longer over the same seeds.",
    )


# --- units and gradients ------------------------------------------------------------------------


@rule("dead-units")
def dead_units(seen: Observations) -> Finding | None:
    layers = [n for n, layer in enumerate(seen.hidden) if layer.activation == "relu"]
    if not layers or all(layer.initialiser == "zeros" for layer in seen.hidden):
        return None
    at_start = np.array([seen.dead_at_start[n] for n in layers])
    whole = (at_start == 1).any(axis=0).mean()
    worst = layers[int(at_start.mean(axis=1).argmax())]
    share = float(at_start.mean(axis=1).max())
    evidence = ""
    ended = None
    if seen.history is not None and seen.history.health is not None:
        dead = seen.history.health.dead[-1][layers]
        ended = (dead == 1).any(axis=0)
        fallen = int(ended.sum())
        worst = layers[
            int((dead == 1).sum(axis=1).argmax() if fallen else dead.mean(axis=1).argmax())
        ]
        units = seen.hidden[worst].units
        here = int((seen.history.health.dead[-1, worst] == 1).sum())
        rows = seen.data.training_rows
        runs = seen.history.runs
        share = max(share, float(dead.mean(axis=1).max()))
        if here:
            evidence = (
                f"{'All ' if units > 1 else 'The '}{units} unit{'s' * (units > 1)} of "
                f"{_layer(worst, seen)} output 0 for {rows:,} of {rows:,} samples in {here} of "
                f"{runs} runs. "
            )
        evidence += f"At the end {dead.mean():.0%} of the hidden ReLU units are dead (mean of {runs} runs). "
    if share < RISK and whole < RISK:
        return None
    evidence += (
        f"Before training {share_text(at_start, layers, seen)}; a whole layer is dead in "
        f"{whole:.0%} of the starts."
    )
    severity = COSMETIC
    if seen.is_stuck:
        fatal = ended[seen.stuck].mean() if ended is not None else whole
        severity = FATAL if fatal > 0.5 else FRAGILE if fatal >= RISK or whole >= RISK else COSMETIC
    elif seen.history is None and whole >= RISK:
        severity = FRAGILE
    return Finding(
        "dead-units",
        severity,
        "Dead units" if severity is COSMETIC else "Whole layers of dead units",
        evidence.strip(),
        "A ReLU unit whose sum is below 0 for every sample puts out 0 and has a gradient of exactly "
        "0, so it never changes again. Where all units of a layer are dead, the output no longer "
        "depends on the input.",
        (
            *((fixes.STANDARDISE,) if seen.data.scaling != "standardise" else ()),
            fixes.LEAK,
            fixes.WIDEN,
        ),
        CERTAIN if seen.history is not None else LIKELY,
        None if seen.history is not None else "Train over several seeds and count the dead layers.",
        layer=worst,
    )


def share_text(at_start: np.ndarray, layers: list[int], seen: Observations) -> str:
    shares = at_start.mean(axis=1)
    return (
        ", ".join(
            f"{share:.0%} of {_layer(n, seen)}'s units"
            for n, share in zip(layers, shares, strict=True)
        )
        + " are"
    )


@rule("saturated-units")
def saturated_units(seen: Observations) -> Finding | None:
    bounded = [n for n, layer in enumerate(seen.hidden) if layer.activation in ("sigmoid", "tanh")]
    if not bounded:
        return None
    at_start = [seen.saturated_at_start[n] for n in bounded]
    worst = bounded[int(np.argmax(at_start))]
    share = max(at_start)
    evidence = (
        f"Before training {share:.0%} of {_layer(worst, seen)}'s {seen.hidden[worst].activation} "
        "outputs lie within 1 % of a bound."
    )
    ended = 0.0
    if seen.is_stuck and seen.history.health is not None:
        last = seen.history.health.saturated[-1][bounded][:, seen.stuck]
        ended = float(np.nanmean(last, axis=1).max())
        worst = bounded[int(np.nanmean(last, axis=1).argmax())] if ended > SATURATED else worst
        evidence += (
            f" At the end {ended:.0%} of {_layer(worst, seen)}'s units do for every sample, in the "
            f"{seen.stuck.sum()} runs that fail."
        )
    if share <= SATURATED and ended <= SATURATED:
        return None
    if seen.is_stuck:
        severity = FRAGILE
    else:
        slow = seen.history is None and seen.reached(seen.as_is, seen.way) < CLEAR
        severity = SLOW if slow else COSMETIC
    remedies = [fixes.RECTIFY]
    if seen.data.scaling != "standardise":
        remedies.insert(0, fixes.STANDARDISE)
    if ended > SATURATED >= share:
        remedies.insert(0, fixes.rate(seen.rate / 10))
    return Finding(
        "saturated-units",
        severity,
        "Saturated units",
        evidence,
        "A sigmoid or tanh far from 0 is flat, so that hardly any gradient passes through it. The "
        "weights before it then hardly move.",
        tuple(remedies),
        *_expected(seen, severity, "Train with the sums kept small, over the same seeds."),
        layer=worst,
    )


@rule("vanishing-gradient")
def vanishing_gradient(seen: Observations) -> Finding | None:
    if len(seen.hidden) < 2 or any(layer.initialiser == "zeros" for layer in seen.hidden):
        return None
    if seen.history is not None and seen.history.health is not None:
        runs = seen.stuck if seen.is_stuck else slice(None)
        norms = np.median(seen.history.health.gradient_norm[0][:, runs], axis=1)
        when = "in the first epoch"
    else:
        norms = np.array([np.median(gradient) for gradient in seen.start_gradients])
        when = "before training"
    first, last = float(norms[0]), float(norms[-1])
    if not (math.isfinite(first) and math.isfinite(last)) or last == 0 or first == 0:
        return None
    held = _cannot_move(seen, first) and not _cannot_move(seen, last)
    if first / last >= VANISHING and not held:
        return None
    evidence = (
        f"The kernel gradient {when} has the norm {_number(last)} in the last layer and "
        f"{_number(first)} in the first, {_number(first / last)} of it."
    )
    if held:
        evidence += (
            f" {seen.updates:,} updates at the learning rate {seen.rate:g} move the first layer by "
            f"about {_number(seen.way * first)}."
        )
    if seen.is_stuck:
        severity = FATAL if not seen.moving else SLOW
    else:
        slow = seen.history is None and seen.reached(seen.as_is, seen.way) < CLEAR
        severity = SLOW if slow else COSMETIC
    return Finding(
        "vanishing-gradient",
        severity,
        "The gradient vanishes on its way back",
        evidence,
        "Each layer multiplies the gradient by its weights and by the slope of its activation, at "
        "most a quarter for a sigmoid. After several layers little is left for the first ones.",
        (fixes.RECTIFY, fixes.ADAM) if fixes.smooth(seen.experiment) else (fixes.RECTIFY,),
        LIKELY,
        "Train with ReLU hidden layers over the same seeds.",
        layer=0,
    )


def _cannot_move(seen: Observations, gradient: float) -> bool:
    """Gradient descent moves a layer by less than its own size in the whole training."""
    if not fixes.smooth(seen.experiment):
        return False
    units = seen.hidden[0].units
    size = math.sqrt(2 * units * seen.data.source.features / (units + seen.data.source.features))
    return seen.way * gradient < 0.1 * size


@rule("exploding-gradient")
def exploding_gradient(seen: Observations) -> Finding | None:
    if not seen.is_stuck or seen.history.health is None:
        return None
    norms = seen.history.health.gradient_norm[:, :, seen.stuck]
    finite = np.isfinite(norms).all(axis=(0, 1))
    if finite.any():
        first = np.median(norms[0][:, finite].max(axis=0))
        peak = np.median(norms[:, :, finite].max(axis=(0, 1)))
        grown = peak / max(first, 1e-12)
    else:
        first, peak, grown = math.nan, math.inf, math.inf
    # Inputs of thousands make gradients of thousands; that is no explosion but a matter of scale.
    if grown <= EXPLODING:
        return None
    return Finding(
        "exploding-gradient",
        FATAL,
        "The gradient explodes",
        f"The largest kernel gradient goes from {_number(float(first))} in the first epoch to "
        f"{_number(float(peak))} (median of the {seen.stuck.sum()} runs that fail).",
        "Every update makes the next gradient larger, until the weights are thrown far away. Smaller "
        "steps or scaled inputs keep it in bounds.",
        (
            fixes.rate(seen.rate / 10),
            *((fixes.STANDARDISE,) if seen.data.scaling != "standardise" else ()),
        ),
        LIKELY,
        "Train with a tenth of the learning rate over the same seeds.",
    )


# --- the course of the training -------------------------------------------------------------------


@rule("non-finite-loss")
def non_finite_loss(seen: Observations) -> Finding | None:
    if seen.history is None or seen.history.finite.all():
        return None
    lost = ~seen.history.finite
    epoch = (~np.isfinite(seen.history.loss)).argmax(axis=0)[lost].min() + 1
    remedies = [fixes.rate(seen.rate / 10)]
    if seen.data.scaling != "standardise":
        remedies.append(fixes.STANDARDISE)
    if seen.training.loss in CROSS_ENTROPIES and seen.model.output.activation not in (
        "sigmoid",
        "softmax",
    ):
        remedies.insert(0, fixes.fitting_output(seen.experiment))
    return Finding(
        "non-finite-loss",
        FATAL,
        "The loss is no longer a number",
        f"In {lost.sum()} of {lost.size} runs the loss becomes infinite or NaN, first in epoch "
        f"{epoch}.",
        "A number grew beyond what a computer can hold, or 0 was divided by 0. From then on every "
        "weight is NaN and nothing can be learnt.",
        tuple(remedies),
    )


@rule("loss-below-zero")
def loss_below_zero(seen: Observations) -> Finding | None:
    if seen.history is None or not (seen.history.loss < -1e-6).any():
        return None
    below = (seen.history.loss < -1e-6).any(axis=0)
    return Finding(
        "loss-below-zero",
        FATAL,
        "The loss falls below zero",
        f"In {below.sum()} of {below.size} runs; the lowest is "
        f"{_number(float(np.nanmin(seen.history.loss)))}.",
        "A cross-entropy of labels from 0 to 1 is never negative, so some labels lie outside. The "
        "loss then has no lowest point, and falls for ever without anything being learnt.",
        (fixes.LABELS_FROM_ZERO,),
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
        "Every sample gets the same answer",
        f"In {constant.sum()} of {constant.size} runs the decision is the same for every sample, so "
        f"the accuracy is that class's share ({seen.shares.max():.1%} for the most common one). In "
        f"{flat.sum()} of them the output is one and the same number.",
        "Saying the most common class is the best that can be done without looking at the input, "
        "and where most trainings begin. "
        + (
            "Here the output no longer depends on the input at all, and the gradient cannot bring "
            "it back."
            if flat.any()
            else "Here the output does depend on the input, but never crosses the line."
        ),
        _escapes(seen),
        CERTAIN,
        layer=len(seen.hidden),
    )


def _escapes(seen: Observations) -> tuple[Fix, ...]:
    """What most often frees a constant output, for findings that are a symptom more than a cause."""
    remedies = []
    output = seen.model.output.activation
    if seen.training.loss in CROSS_ENTROPIES and output not in ("sigmoid", "softmax"):
        remedies.append(fixes.fitting_output(seen.experiment))
    if seen.data.scaling != "standardise":
        remedies.append(fixes.STANDARDISE)
    if seen.hidden and min(layer.units for layer in seen.hidden) < fixes.ROOMY:
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
        "The loss falls, the accuracy does not move",
        f"In {frozen.sum()} of {frozen.size} runs; in run {which + 1} the loss goes from "
        f"{_number(float(loss[0, which]))} to {_number(float(loss[-1, which]))} and the accuracy "
        f"stays at {accuracy[-1, which]:.3f}.",
        "The loss sees every small change of the output, the accuracy only which side of the line it "
        "is on. Either no output has crossed the line yet, or the accuracy compares something else "
        "than the loss trains.",
        _escapes(seen),
        CERTAIN if not seen.moving else LIKELY,
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
        "The accuracy swings",
        f"It falls by {SWING:g} or more in {np.median(falls):.0%} of the epochs (median of the "
        f"{seen.stuck.sum()} runs that fail).",
        "The steps are too coarse, or the batches too small, for the place the weights are in. "
        "Smaller steps let them settle.",
        (
            fixes.rate(seen.rate / 10),
            *((fixes.STANDARDISE,) if seen.data.scaling != "standardise" else ()),
        ),
        LIKELY,
        "Train with a tenth of the learning rate over the same seeds.",
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
        "Better on known rows than on new ones",
        f"The training accuracy ends at {np.nanmean(seen.history.accuracy[-1]):.1%}, the held-out one "
        f"at {np.nanmean(seen.history.val_accuracy[-1]):.1%} (mean of the runs; "
        f"{seen.data.training_rows:,} training rows, {seen.parameters:,} weights).",
        "The network learns the training rows by heart, noise and all, and this does not carry over "
        "to others. More rows, fewer units or fewer epochs help.",
        _against_overfitting(seen),
        LIKELY,
        "Train with more rows or fewer units over the same seeds.",
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
    if not seen.is_stuck or not seen.success.successes:
        return None
    few = seen.stuck.mean() <= RISK and seen.moving
    return Finding(
        "depends-on-the-seed",
        SLOW if few else FRAGILE,
        "Some runs learn, others do not",
        f"{seen.success} reach {seen.goal:.2f}; {_accuracies(seen)}.",
        "The runs differ in nothing but their random numbers: initial weights, data and order. One "
        "training, good or bad, says little here.",
        _escapes(seen),
    )
