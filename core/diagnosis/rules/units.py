"""Rules on what passes through the layers: dead and saturated units, gradients."""

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
    confidence_in,
    counted,
    layer_name,
    number,
    runs_that_fail,
)
from core.diagnosis.observations import Observations
from core.diagnosis.observations.ahead import CLEAR
from core.diagnosis.rules.rule import rule
from core.diagnosis.thresholds import (
    EXPLODING,
    FAINT,
    FALLING,
    LARGE,
    ORDER,
    RISK,
    SATURATED,
    VANISHING,
)
from core.fixes import Fix
from core.initialisers import initialiser

SMALLEST = 1e-6
"""A gradient or a loss below it is rounding."""


@rule(
    "dead-units",
    by_run=True,
    follows=(
        "one-signed-inputs",
        "inputs-unscaled",
        "learning-rate-too-high",
        "bottleneck",
        "initial-scale",
    ),
    picture="dead",
)
def dead_units(obs: Observations) -> Finding | None:
    layers = [n for n, name in enumerate(obs.activations) if name == "relu"]
    if not layers or all(level == 0 for level in obs.levels[:-1]):
        return None
    at_start = np.array([obs.start.dead[n] for n in layers])
    risk = (at_start == 1).any(axis=0).mean()
    by_layer, silenced, evidence = at_start.mean(axis=1), None, ""
    if obs.history is not None and obs.history.health is not None:
        dead = obs.history.at_end(obs.history.health.dead)[layers]
        silenced = (dead == 1).any(axis=0)
        by_layer = np.maximum(by_layer, dead.mean(axis=1))
        evidence = _dead_at_the_end(obs, layers, dead)
        layer = layers[int(((dead == 1).sum(axis=1) + dead.mean(axis=1)).argmax())]
    else:
        layer = layers[int(by_layer.argmax())]
    if by_layer.max() < RISK and risk < RISK:
        return None
    shares = " and ".join(
        f"{share:.0%} of {layer_name(n, obs)}'s units"
        for n, share in zip(layers, at_start.mean(axis=1), strict=True)
    )
    evidence += (
        f"Before training {shares} are dead, and a whole layer is in {risk:.0%} of initialisations."
    )
    severity = COSMETIC
    if obs.failing:
        silent = risk if silenced is None else silenced[obs.failing.failed].mean()
        severity = FATAL if silent > 0.5 else FRAGILE if max(silent, risk) >= RISK else COSMETIC
    elif obs.history is None and risk >= RISK:
        severity = FRAGILE
    known = obs.history is not None
    return Finding(
        severity,
        "Dead units" if severity is COSMETIC else "Dead layers",
        evidence,
        "A ReLU unit whose pre-activation is below 0 for every sample outputs 0 and has a gradient "
        "of exactly 0, so it never changes again. Where all units of a layer are dead, the output "
        "no longer depends on the input.",
        _against_dead_units(obs),
        *(
            (CERTAIN, None)
            if known
            else confidence_in(obs, severity, "Train on several seeds and count the dead layers.")
        ),
        layer=layer,
        because="whole layers are dead" if known else "whole layers can be dead from the start",
    )


def _against_dead_units(obs: Observations) -> tuple[Fix, ...]:
    """In a narrow layer all units can be dead at once, whatever the inputs: width comes first."""
    if min(layer.units for layer in obs.hidden) < fixes.WIDE / 2:
        return fixes.WIDEN, fixes.STANDARDISE, fixes.LEAK
    return fixes.STANDARDISE, fixes.LEAK, *fixes.lower_rates(obs.experiment)


def _dead_at_the_end(obs: Observations, layers: list[int], dead: np.ndarray) -> str:
    """dead: (layers, runs), the share of dead units after the last epoch."""
    runs, rows, text = dead.shape[1], obs.data.training_rows, ""
    for n, silent in zip(layers, (dead == 1).sum(axis=1), strict=True):
        if silent:
            units = obs.hidden[n].units
            who = f"All {units} units" if units > 1 else "The unit"
            text += (
                f"{who} of {layer_name(n, obs)} output 0 for {rows:,} of {rows:,} samples in "
                f"{silent} of {runs} runs. "
            )
    return text + (
        f"After training {dead.mean():.0%} of the hidden ReLU units are dead (mean of "
        f"{counted(runs, 'run')}). "
    )


@rule(
    "saturated-units",
    follows=("inputs-unscaled", "learning-rate-too-high", "initial-scale"),
    picture="saturated",
)
def saturated_units(obs: Observations) -> Finding | None:
    bounded = [n for n, name in enumerate(obs.activations) if name in ("sigmoid", "tanh")]
    if not bounded:
        return None
    at_start = [obs.start.saturated[n] for n in bounded]
    worst = bounded[int(np.argmax(at_start))]
    share = max(at_start)
    evidence = (
        f"Before training {share:.0%} of {layer_name(worst, obs)}'s "
        f"{obs.activations[worst]} outputs lie within 1% of a bound."
    )
    ended = 0.0
    # Outputs that are not numbers lie nowhere.
    known = obs.failing.failed & obs.failing.history.finite if obs.failing else np.zeros(1, bool)
    if obs.failing and obs.failing.history.health is not None and known.any():
        saturated = obs.failing.history.at_end(obs.failing.history.health.saturated)
        last = saturated[bounded][:, known].mean(axis=1)
        ended = float(last.max())
        worst = bounded[int(last.argmax())] if ended > SATURATED else worst
        evidence += (
            f" After training {ended:.0%} of {layer_name(worst, obs)}'s units do for every "
            f"sample, in the {runs_that_fail(known)}."
        )
    if share <= SATURATED and ended <= SATURATED:
        return None
    if obs.failing:
        severity = FRAGILE
    else:
        slow = obs.history is None and obs.ahead.reached_in_time < CLEAR
        severity = SLOW if slow else COSMETIC
    # Inputs that are off scale have a finding of their own, whose fix is to scale them.
    scaled = obs.rows.sizes.max(initial=0) <= ORDER
    remedies = [fixes.STANDARDISE, fixes.RECTIFY] if scaled else [fixes.RECTIFY, fixes.STANDARDISE]
    if scaled and share > SATURATED and max(obs.start.spreads[:-1]) > LARGE:
        remedies.insert(0, fixes.KEEP_VARIANCE)
    if ended > SATURATED >= share:
        remedies = [*fixes.lower_rates(obs.experiment), *remedies]
    return Finding(
        severity,
        "Saturated units",
        evidence,
        "A sigmoid or tanh is flat far from 0, so hardly any gradient passes through it. The "
        "weights before it then hardly change.",
        tuple(remedies),
        *confidence_in(obs, severity, "Train with the first fix below on the same seeds."),
        layer=worst,
        because="hidden units are saturated",
    )


@rule(
    "vanishing-gradient",
    follows=("saturated-units", "hidden-softmax", "initial-scale"),
    picture="gradient_norm",
)
def vanishing_gradient(obs: Observations) -> Finding | None:
    if len(obs.hidden) < 2 or 0 in obs.levels[:-1]:
        return None
    if obs.history is not None and obs.history.health is not None:
        runs = obs.failing.failed if obs.failing else slice(None)
        norms = np.median(obs.history.health.gradient_norm[0][:, runs], axis=1)
        when = "in the first epoch"
    else:
        norms = np.array([np.median(gradient) for gradient in obs.start.gradients])
        when = "before training"
    first, last = float(norms[0]), float(norms[-1])
    if not (math.isfinite(first) and math.isfinite(last)) or last == 0 or first == 0:
        return None
    at_start = [float(np.median(gradient)) for gradient in obs.start.gradients]
    if at_start[-1] > 0 and 0 < at_start[0] / at_start[-1] < first / last:
        first, last, when = at_start[0], at_start[-1], "before training"
    held = _cannot_move(obs, first) and not _cannot_move(obs, last)
    # What does not pass the layers forwards does not pass them backwards either.
    faint = obs.start.signal < FAINT and all(initialiser(x.initialiser).by_size for x in obs.hidden)
    if first / last >= VANISHING and not held and not faint:
        return None
    evidence = (
        f"The norm of the kernel gradient {when} is {number(last)} in the last layer and "
        f"{number(first)} in the first, {number(first / last)} times that."
    )
    if held:
        evidence += (
            f" {obs.updates:,} updates at a learning rate of {obs.rate:g} move the first layer "
            f"by about {number(obs.travel * first)}."
        )
    if faint:
        evidence += (
            f" Before training the rows differ {number(obs.start.signal)} times as much in layer "
            f"{len(obs.hidden)} as in the inputs."
        )
    if obs.failing:
        severity = FATAL if not obs.failing.moving else SLOW
    else:
        slow = obs.history is None and obs.ahead.reached_in_time < CLEAR
        severity = SLOW if slow else COSMETIC
    return Finding(
        severity,
        "Vanishing gradient",
        evidence,
        "Each layer multiplies the gradient by its weights and by the slope of its activation, at "
        "most a quarter for a sigmoid. After several layers, little is left for the first ones.",
        (fixes.RECTIFY, fixes.ADAM) if fixes.follows_gradient(obs.experiment) else (fixes.RECTIFY,),
        *confidence_in(obs, severity, "Train with ReLU hidden layers on the same seeds."),
        layer=0,
        because="the gradient vanishes before it reaches the first layer",
    )


def _cannot_move(obs: Observations, gradient: float) -> bool:
    """Gradient descent moves a layer by less than its own size in the whole training."""
    if not fixes.follows_gradient(obs.experiment):
        return False
    units = obs.hidden[0].units
    size = math.sqrt(2 * units * obs.data.source.features / (units + obs.data.source.features))
    return obs.travel * gradient < 0.1 * size


@rule("exploding-gradient", symptom=True, picture="gradient_norm")
def exploding_gradient(obs: Observations) -> Finding | None:
    """A gradient that grows while the loss rises, or while the weights grow for nothing.

    A network that leaves a plateau has a gradient that grows as well, but its loss falls.
    """
    end = obs.failing
    if end is None or end.history.health is None:
        return None
    norms = end.history.health.gradient_norm.max(axis=1)
    runs, loss = np.arange(end.history.runs), end.history.loss
    norms, loss = (np.where(np.isfinite(part), part, np.inf) for part in (norms, loss))
    # Of a run that was stopped, nothing is known of later epochs.
    stopped, last = ~end.history.trained, loss[end.history.ends - 1, runs]
    norms, loss = np.where(stopped, 0, norms), np.where(stopped, last, loss)
    highest, peak = norms.argmax(axis=0), norms.max(axis=0)
    lowest = np.minimum.accumulate(loss, axis=0)[highest, runs]
    with np.errstate(invalid="ignore"):
        grown = peak / np.maximum(norms[0], SMALLEST)
        idle = loss[-1] >= loss[0] - FALLING * np.abs(loss[0])
    risen = loss[highest, runs] > 2 * np.maximum(lowest, SMALLEST)
    steep = end.failed & (grown > EXPLODING)
    if not steep.any():
        return None
    exploding = steep & (risen | (idle & (end.growth > ORDER)))
    if exploding.sum() <= end.failed.sum() / 2:
        return None
    first = float(np.median(norms[0][exploding]))
    return Finding(
        FATAL,
        "Exploding gradient",
        f"The largest kernel gradient goes from {number(first)} in the first epoch to "
        f"{number(float(np.median(peak[exploding])))}, while the loss goes from "
        f"{number(float(np.median(lowest[exploding])))} to "
        f"{number(float(np.median(loss[highest, runs][exploding])))} and the kernels end at "
        f"{number(float(np.median(end.growth[exploding])))} times their initial norm (median of "
        f"{exploding.sum()} of {end.history.runs} runs).",
        "Every update makes the next gradient larger, and the weights grow without bound. A lower "
        "learning rate or scaled inputs prevent this.",
        (*fixes.lower_rates(obs.experiment), fixes.STANDARDISE),
        LIKELY,
        "Train with a tenth of the learning rate on the same seeds.",
        because="the gradient explodes",
    )
