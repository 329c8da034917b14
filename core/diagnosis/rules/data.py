"""Rules on the rows: their labels, their scale, their order."""

from __future__ import annotations

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
    confidence_in,
    counted,
    number,
)
from core.diagnosis.observations import Observations
from core.diagnosis.observations.ahead import CLEAR
from core.diagnosis.rules.limits import of_other_models
from core.diagnosis.rules.rule import rule
from core.diagnosis.thresholds import MINORITY, OFF_CENTRE, ORDER, RISK
from core.fixes import loss_fixes
from core.rates import percent


@rule("one-class-only", always=True)
def one_class_only(obs: Observations) -> Finding | None:
    if not obs.rows.nothing_varies:
        return None
    regression = obs.goal.regression
    what, same = (
        ("target", "have the same target") if regression else ("label", "belong to one class")
    )
    return Finding(
        FATAL,
        f"All rows have the same {what}",
        f"All {len(obs.rows.classes):,} training rows that were examined {same}.",
        f"A network that only sees one {what} learns to predict it for any input. It is right "
        "without having learned anything.",
        (fixes.PERMUTE,) if obs.data.shuffling == "rows" else (),
        because=f"all rows have the same {what}",
    )


@rule("class-missing")
def class_missing(obs: Observations) -> Finding | None:
    missing = np.flatnonzero(obs.rows.shares == 0)
    if obs.rows.continuous or not len(missing) or len(missing) >= len(obs.rows.shares) - 1:
        return None
    return Finding(
        COSMETIC,
        "A class without rows",
        f"{len(missing)} of {len(obs.rows.shares)} classes {_have(len(missing))} no training rows.",
        "A network cannot learn a class that it never sees. It gets every row of that class wrong.",
    )


def _have(count: int) -> str:
    return "has" if count == 1 else "have"


@rule("class-imbalance", follows=("rows-lost",))
def class_imbalance(obs: Observations) -> Finding | None:
    if obs.rows.continuous or obs.rows.nothing_varies:
        return None
    if obs.data.source.label_columns:
        return _label_imbalance(obs)
    shares = obs.rows.shares[obs.rows.shares > 0]
    if shares.min() * len(shares) / 2 >= MINORITY:
        return None
    severity = COSMETIC
    constant, balanced = percent(obs.rows.drawn_baseline(obs.experiment.task)), ""
    if obs.end is not None:
        score = obs.end.balanced_accuracy
        balanced = (
            f" After training the balanced accuracy, the mean over the classes, is "
            f"{percent(score.min())} to {percent(score.max())}; always predicting one class has "
            f"{percent(1 / len(shares))}."
        )
    if _settles_for_one_answer(obs):
        severity = FATAL if obs.goal.is_trivial else SLOW
    return Finding(
        severity,
        "One class is rare",
        f"The rarest class has {percent(shares.min())} of the rows, and always predicting the most "
        f"common one is right in {constant}.{balanced}",
        "Until the network learns something, predicting the majority class costs least. An "
        f"accuracy of {constant} is then no sign of learning.",
        (loss_fixes.balanced(obs.rows.shares),),
        CERTAIN if severity is COSMETIC else LIKELY,
        None if severity is COSMETIC else "Compare the accuracy on each class.",
        because="one class is rare",
    )


def _settles_for_one_answer(obs: Observations) -> bool:
    """Most runs that fail decide the same for every row, and not because their loss has risen."""
    end = obs.failing
    if end is None:
        return False
    loss = end.history.loss
    with np.errstate(invalid="ignore"):
        settled = end.constant_decision & (end.history.at_end(loss) <= loss[0])
    return bool(settled[end.failed].mean() > 0.5)


def _label_imbalance(obs: Observations) -> Finding | None:
    """The same of several labels a row."""
    shares = obs.rows.targets.mean(axis=0)
    rare = np.minimum(shares, 1 - shares)
    count = int((rare < MINORITY / 2).sum())
    if not count:
        return None
    severity = COSMETIC
    if _settles_for_one_answer(obs):
        severity = SLOW
    worst = int(rare.argmin())
    return Finding(
        severity,
        "Some labels are rare" if count > 1 else "One label is rare",
        f"{count} of {len(shares)} labels are nearly always the same; label {worst + 1} is 1 in "
        f"{percent(shares[worst])} of the rows. Without looking at the inputs, "
        f"{percent(obs.rows.drawn_baseline(obs.experiment.task))} of all labels can be right.",
        "Until the network learns something, predicting the more common value of each label costs "
        "least. An accuracy near that share is then no sign of learning.",
        (),
        CERTAIN if severity is COSMETIC else LIKELY,
        None if severity is COSMETIC else "Compare the accuracy on the rows with each label.",
        because="some labels are rare",
    )


@rule("label-conflict")
def label_conflict(obs: Observations) -> Finding | None:
    """Overlap that no network can undo, from the generator or from equal rows."""
    ceiling, goal = obs.rows.ceiling, obs.goal
    if ceiling >= 1 - 1e-9 or obs.rows.continuous:
        return None
    if goal.is_estimated:
        return None if goal.score == goal.target else of_other_models(obs)
    note = "" if goal.is_target else f" {goal.enough}"
    return Finding(
        COSMETIC,
        "The classes overlap",
        f"The best possible classifier is right in {percent(ceiling)} of the samples.{note}",
        "The same inputs occur with different labels, so any network gets some samples wrong. An "
        "accuracy near that limit is as good as it gets.",
    )


@rule("inputs-unscaled")
def inputs_unscaled(obs: Observations) -> Finding | None:
    sizes = obs.rows.sizes
    if not len(sizes) or (sizes.max() <= ORDER and sizes.max() >= 1 / ORDER):
        return None
    large = sizes.max() > ORDER
    varying = obs.rows.inputs[:, obs.rows.varying]
    evidence = (
        f"The inputs range from {number(varying.min())} to {number(varying.max())} with a root "
        f"mean square of {number(sizes.max())}; the initial weights suit a value of about 1."
    )
    if len(sizes) > 1 and sizes.max() > ORDER * sizes.min():
        evidence += f" That of the smallest column is {number(sizes.min())}."
    if large:
        evidence += " " + _bias_reach(obs)
    severity = COSMETIC
    if obs.failing:
        severity = FATAL if large and not obs.failing.moving else SLOW
    elif obs.history is None and large and (_out_of_reach(obs) or _thrown(obs)):
        severity = FRAGILE
    elif obs.history is None and obs.ahead.fails and obs.ahead.scaling_helps:
        severity = FRAGILE if large else SLOW
    cause = (
        "One update changes the first layer's pre-activations by the learning rate times the size "
        "of the input, so large inputs make the steps coarse, while the biases, which shift the "
        "boundary, move no faster. Dividing or standardising the inputs puts both on one scale."
        if large
        else "Small inputs hardly change the first layer's pre-activations, so the weights must "
        "grow a long way before the output depends on the input. That takes many updates."
    )
    return Finding(
        severity,
        "Inputs are not scaled",
        evidence,
        cause,
        (fixes.STANDARDISE,),
        *confidence_in(obs, severity, "Train with standardised inputs on the same seeds."),
        layer=0,
        because="the inputs are not scaled",
    )


def _out_of_reach(obs: Observations) -> bool:
    """No start ahead gets to the goal, and no bias can come as far as the inputs' mean."""
    centre = float(np.abs(obs.rows.inputs.mean(axis=0)).max())
    stays = not fixes.follows_gradient(obs.experiment) and obs.travel < centre
    return stays and obs.ahead.reached_in_time < RISK


def _thrown(obs: Observations) -> bool:
    """Gradient descent diverges at once: its steps grow with the square of the inputs."""
    return (
        fixes.follows_gradient(obs.experiment)
        and obs.ahead.as_is is not None
        and obs.ahead.diverging >= CLEAR
    )


def _bias_reach(obs: Observations) -> str:
    centre = float(np.abs(obs.rows.inputs.mean(axis=0)).max())
    if fixes.follows_gradient(obs.experiment):
        return f"Their mean is {number(centre)}."
    return (
        f"Each update moves a bias by about {obs.rate:g}, so {number(obs.travel)} in all "
        f"{obs.updates:,} updates, while the inputs' mean is {number(centre)}."
    )


@rule("one-signed-inputs")
def one_signed_inputs(obs: Observations) -> Finding | None:
    varying = obs.rows.inputs[:, obs.rows.varying]
    if not varying.size:
        return None
    one_sided = (varying.min(axis=0) >= 0) | (varying.max(axis=0) <= 0)
    off = np.abs(varying.mean(axis=0)) > OFF_CENTRE * varying.std(axis=0)
    if not (one_sided & off).all():
        return None
    positive = varying.max() > 0
    offset = float((np.abs(varying.mean(axis=0)) / varying.std(axis=0)).max())
    evidence = (
        f"All inputs are {'positive' if positive else 'negative'}, {number(varying.min())} to "
        f"{number(varying.max())}; their mean is {offset:.1f} standard deviations from 0, which "
        f"makes the loss about {number(obs.rows.conditioning)} times steeper in one direction."
    )
    dead = 0.0
    if obs.hidden and obs.activations[0] == "relu":
        dead = float(obs.start.dead[0].mean())
        evidence += f" {dead:.0%} of the units of layer 1 are dead before training."
    severity = COSMETIC
    off_scale = obs.rows.sizes.max() > ORDER
    if off_scale:
        evidence += " The inputs are off scale as well, which matters more and has the same fix."
    elif obs.failing and (obs.rows.conditioning > ORDER**2 or obs.ahead.scaling_helps):
        severity = SLOW if obs.failing.moving else FRAGILE
    elif obs.history is None and obs.ahead.fails and obs.ahead.scaling_helps:
        severity = SLOW
    how = "Train with standardised inputs on the same seeds."
    return Finding(
        severity,
        "All inputs have the same sign",
        evidence,
        "With inputs of one sign, the signs of a unit's weights decide that of its "
        "pre-activations: a ReLU unit is on for all samples or for none, and the boundary between "
        "the classes lies far from where the weights start. Centred inputs lie on both sides of 0.",
        (fixes.STANDARDISE,),
        *((CERTAIN, None) if off_scale else confidence_in(obs, severity, how)),
        layer=0,
        because="all inputs have the same sign",
    )


@rule("constant-column")
def constant_column(obs: Observations) -> Finding | None:
    constant = int((~obs.rows.varying).sum())
    if not constant:
        return None
    features = obs.data.source.features
    return Finding(
        FATAL if constant == features else COSMETIC,
        "All inputs are constant" if constant == features else "A constant input column",
        f"{constant} of {features} input columns {_have(constant)} the same value in every row.",
        "A column that is the same for every sample says nothing about its label. It only adds to "
        "the biases.",
        layer=0,
        because="all inputs are constant",
    )


@rule("rows-lost")
def rows_lost(obs: Observations) -> Finding | None:
    if obs.data.shuffling != "rows":
        return None
    rows = obs.data.source.rows
    partners = np.random.default_rng(0).integers(0, np.arange(2, rows + 1))
    kept = len(np.unique(np.append(partners, 0)))
    return Finding(
        COSMETIC,
        "Shuffling loses rows",
        f"Of {rows:,} rows, {kept:,} survive; {rows - kept:,} are overwritten with copies of them.",
        "random.shuffle swaps the rows of a two-dimensional NumPy array through views, so one row "
        "of each swapped pair overwrites the other. About half of the rows are lost, and with "
        "sorted rows the classes are no longer balanced.",
        (fixes.PERMUTE,),
    )


@rule("rows-repeated", follows=("rows-lost",))
def rows_repeated(obs: Observations) -> Finding | None:
    if obs.data.source.random:
        return None
    rows = len(obs.rows.inputs)
    distinct = obs.rows.distinct
    # Labels and inputs that take few values repeat of themselves.
    if distinct == rows or distinct > 0.9 * rows:
        return None
    leak = " Copies of held-out rows are among the training rows." if obs.data.hold_out else ""
    return Finding(
        COSMETIC,
        "Duplicate rows",
        f"{rows - distinct:,} of {rows:,} training rows are copies of another one.{leak}",
        "A duplicate counts several times and adds nothing new. Where its copy is held out, the "
        "evaluation is no longer on unseen data.",
    )


@rule("sorted-unshuffled")
def sorted_unshuffled(obs: Observations) -> Finding | None:
    if obs.training.shuffle or len(obs.rows.classes) < 4:
        return None
    if obs.rows.continuous:
        return _sorted_by_target(obs)
    classes = obs.rows.classes
    changes = int((classes[1:] != classes[:-1]).sum())
    by_chance = len(classes) * (1 - np.square(obs.rows.shares).sum())
    # As many changes of class as there are classes, where chance would give many times that.
    if changes >= ORDER * len(obs.rows.shares) or changes * ORDER > by_chance:
        return None
    batch = min(obs.training.batch_size, obs.data.training_rows)
    if batch >= obs.data.training_rows:
        return None
    return Finding(
        COSMETIC if obs.all_passed else FRAGILE,
        "Sorted by class and never shuffled",
        f"The rows change class {counted(changes, 'time')} (about {by_chance:,.0f} times "
        f"in random order), and every epoch takes batches of {batch} in that order.",
        "Each batch holds a single class, so the network learns to predict it and forgets the one "
        "before. Every epoch ends with the last class.",
        (fixes.RESHUFFLE, fixes.PERMUTE),
        LIKELY,
        "Train with shuffling on the same seeds.",
        because="the rows are sorted by class and never shuffled",
    )


def _sorted_by_target(obs: Observations) -> Finding | None:
    """Batches whose targets are much alike, as those of sorted rows are."""
    batch = min(obs.training.batch_size, obs.data.training_rows)
    y, batches = obs.rows.targets, len(obs.rows.targets) // batch
    if batches < 2 or batch < 2 or not y.std(axis=0).any():
        return None
    spread = y[: batches * batch].reshape(batches, batch, -1).std(axis=1).mean(axis=0)
    worst = int((spread / np.where(y.std(axis=0) > 0, y.std(axis=0), np.inf)).argmin())
    within, whole = float(spread[worst]), float(y[:, worst].std())
    if whole == 0 or within > whole / 2:
        return None
    scale = obs.rows.prepared.y_scale[worst]
    return Finding(
        COSMETIC if obs.all_passed else FRAGILE,
        "Sorted and never shuffled",
        f"Within a batch of {batch} rows the standard deviation of the target is "
        f"{number(within * scale)}, over all rows {number(whole * scale)}, and every epoch takes "
        "the batches in that order.",
        "Each batch holds targets that are much alike, so the network learns to predict them and "
        "forgets those before. Every epoch ends with the last ones.",
        (fixes.RESHUFFLE, fixes.PERMUTE),
        LIKELY,
        "Train with shuffling on the same seeds.",
        because="the rows are sorted and never shuffled",
    )


@rule("evaluated-on-training-data")
def evaluated_on_training_data(obs: Observations) -> Finding | None:
    if obs.data.held_out_rows:
        return None
    return Finding(
        COSMETIC,
        "Evaluated on the training data",
        f"All {obs.data.training_rows:,} rows are used for training; none is held out.",
        f"{obs.experiment.task.score} on the training rows cannot show whether the network "
        "generalises. It does not explain why a training is stuck.",
        (fixes.HOLD_OUT,),
    )
