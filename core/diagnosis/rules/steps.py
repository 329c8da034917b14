"""Rules on what changes the updates on their way: schedules, weight decay, momentum, stopping."""

from __future__ import annotations

import math

import numpy as np

from core import fixes as data_fixes
from core.callbacks import EarlyStopping
from core.diagnosis.findings import COSMETIC, FATAL, FRAGILE, LIKELY, Finding, confidence_in, number
from core.diagnosis.observations import Observations
from core.diagnosis.observations.ahead import CLEAR, ends_better
from core.diagnosis.rules.rule import rule
from core.diagnosis.thresholds import DECAYED, ENDURING, SHRUNK
from core.fixes import update_fixes as fixes


@rule("rate-decays-too-early")
def rate_decays_too_early(obs: Observations) -> Finding | None:
    schedule, dies = obs.training.optimizer.schedule, obs.rate_dies
    if schedule is None or dies is None or obs.stopped_early:
        return None  # it was still large enough
    severity = COSMETIC
    if not obs.all_passed and obs.goal.learnable:
        whole = obs.rate * obs.updates
        gain = obs.ahead.reached(obs.ahead.as_is, whole) - obs.ahead.reached_in_time
        on_its_way = obs.failing is not None and math.isfinite(obs.failing.way_left)
        if gain >= CLEAR or on_its_way:
            severity = FATAL if obs.failing else FRAGILE
    return Finding(
        severity,
        "The learning rate decays too early",
        f"It is below {DECAYED:.0%} of {obs.rate:g} after {dies:,} of {obs.updates:,} updates "
        f"({dies / obs.updates:.0%} of the training); all updates together go as far as "
        f"{obs.travel / obs.rate:,.0f} at the full rate.",
        "A learning rate near 0 changes nothing, however many updates follow. The decay steps of a "
        "schedule are updates, not epochs.",
        (fixes.NO_SCHEDULE, fixes.cosine(obs.updates)),
        *confidence_in(obs, severity, "Train at a constant learning rate on the same seeds."),
        because="the learning rate decays before the network has learnt",
    )


@rule("weight-decay-too-strong")
def weight_decay_too_strong(obs: Observations) -> Finding | None:
    decay = obs.training.optimizer.weight_decay
    kept = math.exp(-decay * obs.travel)
    if not decay or kept > SHRUNK or obs.all_passed or not obs.goal.learnable:
        return None
    as_is, without = obs.ahead.as_is, obs.ahead.undecayed
    if as_is is None or without is None:
        return None
    gain = obs.ahead.reached(without, obs.travel) - obs.ahead.reached_in_time
    if gain < CLEAR and not ends_better(as_is, without) and not obs.decayed_away:
        return None
    ended = ""
    if obs.failing and obs.decayed_away:
        growth = float(np.median(obs.failing.growth[obs.failing.failed]))
        ended = f" The kernels of the runs that fail end at {growth:.2f} times their initial norm."
    share = f"{kept:.1%}" if kept >= 0.0005 else "less than 0.1%"
    return Finding(
        FATAL if obs.failing else FRAGILE,
        "The weight decay is too strong",
        f"A weight decay of {decay:g} at a learning rate of {obs.rate:g} leaves {share} of a "
        f"weight after {obs.updates:,} updates without a gradient. From the same initial weights, "
        f"{obs.ahead.reached(without):.0%} of the simulated runs reach "
        f"{obs.goal.name} without the decay, {obs.ahead.reached(as_is):.0%} with it.{ended}",
        "The decay pulls every weight to 0, and the gradient has to hold against it. Where it is "
        "too strong, the weights stay too small to tell the inputs apart.",
        fixes.weaker_decays(obs.experiment),
        *confidence_in(obs, FRAGILE, "Train without weight decay on the same seeds."),
        because="the weight decay is too strong",
    )


@rule("penalty-too-strong")
def penalty_too_strong(obs: Observations) -> Finding | None:
    if not obs.is_penalised:
        return None
    helps = _unpenalised_is_better(obs)
    severity = COSMETIC
    if helps or obs.penalised_away:
        severity = FATAL if obs.failing else FRAGILE
    elif not obs.start.penalty > obs.start.loss:
        return None
    as_is, without = obs.ahead.as_is, obs.ahead.unpenalised if helps else None
    evidence = (
        f"Before training the penalties add {number(obs.start.penalty)} to a loss of "
        f"{number(obs.start.loss)}."
    )
    if helps:
        evidence += (
            f" From the same initial weights, {obs.ahead.reached(without):.0%} of the simulated "
            f"runs reach {obs.goal.name} without them, {obs.ahead.reached(as_is):.0%} with "
            "them."
        )
    if obs.failing and obs.penalised_away:
        growth = float(np.median(obs.failing.growth[obs.failing.failed]))
        evidence += (
            f" The kernels of the runs that fail end at {number(growth)} times their initial norm."
        )
    return Finding(
        severity,
        "The regularisers are too strong" if severity is not COSMETIC else "Strong regularisers",
        evidence,
        "The loss is the error of the outputs plus the penalties. Where these are larger, the "
        "training makes the weights or outputs small in place of the error.",
        (data_fixes.NO_PENALTY,),
        *confidence_in(obs, severity, "Train without regularisers on the same seeds."),
        because="the regularisers are too strong",
    )


def _unpenalised_is_better(obs: Observations) -> bool:
    """A look ahead without the penalties comes further than one with them, which falls short."""
    if obs.all_passed or not obs.goal.learnable:
        return False
    if obs.history is None and obs.ahead.reached_in_time >= CLEAR:
        return False
    as_is, without = obs.ahead.as_is, obs.ahead.unpenalised
    if as_is is None or without is None:
        return False
    gain = obs.ahead.reached(without, obs.travel) - obs.ahead.reached_in_time
    return gain >= CLEAR or ends_better(as_is, without)


@rule("momentum-too-high")
def momentum_too_high(obs: Observations) -> Finding | None:
    momentum = getattr(obs.training.optimizer, "momentum", 0.0)
    if momentum < ENDURING or obs.all_passed:
        return None
    remembered = "all updates" if momentum == 1 else f"the last {1 / (1 - momentum):,.0f} updates"
    return Finding(
        FATAL if obs.failing else FRAGILE,
        "The momentum is too high",
        f"With a momentum of {momentum:g} each change is a sum over {remembered}; the training has "
        f"{obs.updates:,}.",
        "The weights keep the speed that they once had, so they pass each minimum and swing around "
        "it without coming to rest. A momentum of 0.9 forgets after about ten updates.",
        (fixes.MOMENTUM,),
        LIKELY,
        "Train with a momentum of 0.9 on the same seeds.",
        because=f"a momentum of {momentum:g} does not let the weights come to rest",
    )


@rule("stopped-too-early")
def stopped_too_early(obs: Observations) -> Finding | None:
    stopping = next((c for c in obs.training.callbacks if isinstance(c, EarlyStopping)), None)
    end = obs.failing
    if stopping is None or end is None:
        return None
    history = end.history
    stopped = end.failed & (history.ends < obs.training.epochs)
    if not stopped.any():
        return None
    last = int(np.median(history.ends[stopped]))
    # Some other run passed only after it had been trained for longer.
    until = history.epochs_until(obs.goal.score)
    later = end.passed & (until > last)
    if not end.moving and not later.any():
        return None
    evidence = (
        f"{stopped.sum()} of {history.runs} runs were stopped by a patience of "
        f"{stopping.patience} and fail, half of them by epoch {last} of {obs.training.epochs:,}, "
        f"at a median loss of {number(float(np.nanmedian(history.final_loss[stopped])))}."
    )
    if later.any():
        evidence += f" {later.sum()} others reach {obs.goal.name} later than that."
    elif end.moving:
        evidence += " A look ahead from their last weights reaches the goal."
    return Finding(
        FATAL,
        "Stopped too early",
        evidence,
        "A loss that does not fall for some epochs can still fall later: many trainings begin on a "
        "plateau. The patience should be longer than the plateau.",
        fixes.more_patience(obs.experiment, stopping.patience),
        LIKELY,
        "Train with more patience on the same seeds.",
        because=f"a patience of {stopping.patience} stops runs before they have learnt",
    )


@rule("monitor-not-measured")
def monitor_not_measured(obs: Observations) -> Finding | None:
    parts = ("", "val_") if obs.data.held_out_rows else ("",)
    metric = obs.experiment.task.metric
    measured = [part + name for part in parts for name in ("loss", metric)]
    watched = [getattr(callback, "monitor", "loss") for callback in obs.training.callbacks]
    idle = [name for name in watched if name not in measured]
    if not idle:
        return None
    with_held_out_rows = {f"val_{name}" for name in measured}
    hold_out = (data_fixes.HOLD_OUT,) if with_held_out_rows.issuperset(idle) else ()
    return Finding(
        COSMETIC,
        "A callback watches what is not measured",
        f"{len(idle)} of {len(watched)} callbacks watch {', '.join(dict.fromkeys(idle))}; "
        f"{', '.join(measured)} are measured.",
        "Keras prints a warning and the callback never acts, so nothing is stopped, restored or "
        "lowered. A name that begins with val_ needs held-out rows.",
        (*hold_out, fixes.monitoring(measured[-2])),
    )
