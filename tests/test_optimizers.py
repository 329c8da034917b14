"""Optimizers, clipping and schedules against Keras: the stack in both layouts, and in NumPy."""

from dataclasses import replace

import numpy as np
import pytest

from core.experiment import Experiment, InvalidExperiment
from core.optimizers import (
    CLIPPING,
    OPTIMIZERS,
    SGD,
    Adadelta,
    Adagrad,
    Adam,
    AdamW,
    Follower,
    Ftrl,
    Lion,
    RMSprop,
)
from core.schedules import (
    SCHEDULES,
    PiecewiseConstantDecay,
)
from support.optimizers import OPTIONS
from support.training import LAYOUTS, close, fitted_weights, laid_out, small


def named(optimizer):
    return type(optimizer).__name__


def test_the_cases_cover_both_registries():
    assert {named(each) for each in OPTIONS} == set(OPTIMIZERS)
    assert {named(each.schedule) for each in OPTIONS if each.schedule} == set(SCHEDULES)


@pytest.mark.tensorflow
@pytest.mark.parametrize("optimizer", OPTIONS, ids=named)
def test_every_run_ends_with_kerass_own_weights(optimizer):
    from core.training import train

    experiment = small(optimizer=optimizer, activation="sigmoid")
    run = 2
    keras_own = fitted_weights(experiment, seed=1, run=run)
    clips = any(getattr(optimizer, name) for name in CLIPPING)
    # Only what is clipped looks at the axes itself.
    layouts = LAYOUTS if clips else (LAYOUTS[OPTIONS.index(optimizer) % 2],)
    for layout in layouts:
        with laid_out(layout):
            ours = train(experiment, runs=3, seed=1).weights_at(-1, run)
        assert close(ours, keras_own), layout


@pytest.mark.tensorflow
@pytest.mark.parametrize("optimizer", [SGD(0.1), *OPTIONS], ids=named)
def test_the_look_ahead_takes_kerass_own_updates(optimizer):
    import keras

    from core.engine.keras_models import keras_optimizer

    rng = np.random.default_rng(0)
    start = [rng.normal(size=(4, 3)), rng.normal(size=(1, 3))]
    variables = [keras.Variable(each.astype(np.float32)) for each in start]
    theirs = keras_optimizer(small(optimizer=optimizer), optimizer.learning_rate)
    ours, follower = [each[None].astype(np.float32) for each in start], Follower(optimizer)
    factors = np.ones(30)
    if optimizer.schedule is not None:
        factors = optimizer.schedule.factors(np.arange(30))
    for number in range(30):
        gradients = [rng.normal(size=each.shape).astype(np.float32) / 5 for each in start]
        theirs.apply([keras.ops.convert_to_tensor(each) for each in gradients], variables)
        rate = optimizer.learning_rate * factors[number]
        follower.update(ours, [each[None] for each in gradients], rate)
    for a, b in zip(ours, variables, strict=True):
        np.testing.assert_allclose(a[0], b.numpy(), rtol=2e-4, atol=2e-5)


@pytest.mark.tensorflow
@pytest.mark.parametrize("optimizer", OPTIONS, ids=named)
def test_the_factors_are_kerass_schedule(optimizer):
    from core.engine.keras_models import keras_schedule

    if optimizer.schedule is None:
        return
    theirs = keras_schedule(optimizer.schedule, 0.2)
    numbers = np.arange(60)
    expected = [float(theirs(int(number))) for number in numbers]
    np.testing.assert_allclose(0.2 * optimizer.schedule.factors(numbers), expected, rtol=1e-4)


@pytest.mark.parametrize("optimizer", OPTIONS, ids=named)
def test_a_schedules_travel_is_the_sum_of_its_factors(optimizer):
    schedule = optimizer.schedule
    if schedule is None:
        return
    whole = schedule.factors(np.arange(300)).sum()
    assert schedule.travel(300) == pytest.approx(whole)
    assert schedule.updates_to(whole / 2, 300) == pytest.approx(
        np.searchsorted(schedule.factors(np.arange(300)).cumsum(), whole / 2) + 0.5, abs=1
    )
    assert schedule.updates_to(2 * whole, 300) == np.inf
    far = schedule.factors(np.arange(100_000)).sum()
    assert schedule.travel(100_000) == pytest.approx(far, rel=0.01)


LONG = {
    "SGD": (SGD(0.001, 0.9), 0.2),
    "RMSprop": (RMSprop(0.001, momentum=0.5), 0.6),
    "Adam": (Adam(0.001), 0.2),
    "Adagrad": (Adagrad(0.01), 0.2),
    "Adadelta": (Adadelta(0.5), 0.35),
    "Ftrl": (Ftrl(0.01), 0.2),
    "Lion": (Lion(0.001), 0.1),
    "AdamW": (AdamW(0.001, 0.5), 0.2),
}


@pytest.mark.parametrize("name", LONG)
def test_long_steps_lead_where_as_many_updates_lead(name):
    """On a slope that does not change; the tolerance is a share of the way."""
    optimizer, tolerance = LONG[name]
    weights, slope = [np.full((1, 2, 1), 1.0)], [np.array([[[0.5], [0.02]]])]
    far, leaping, path = [weights[0].copy()], Follower(optimizer), 0.0
    for _ in range(10):
        path += float(leaping.step(far, slope, 0.05)[0])
    near, updating = [weights[0].copy()], Follower(optimizer)
    for _ in range(round(path / optimizer.learning_rate)):
        updating.update(near, slope, optimizer.learning_rate)
    start = np.zeros_like(weights[0]) if name == "Ftrl" else weights[0]
    way = np.abs(near[0] - start).max()
    assert way > 0.2
    np.testing.assert_allclose(far[0], near[0], atol=tolerance * way)


def test_options_at_their_defaults_are_not_in_the_json_and_others_come_back():
    plain = small(optimizer=Adam())
    assert '"optimizer":{"kind":"Adam","learning_rate":0.001}' in plain.to_json()
    for optimizer in OPTIONS:
        experiment = replace(plain, training=replace(plain.training, optimizer=optimizer))
        assert Experiment.from_json(experiment.to_json()) == experiment


@pytest.mark.parametrize(
    ("optimizer", "message"),
    [
        (SGD(clipnorm=1.0, clipvalue=0.5), "clipvalue is 0.5; it should be 0 together with clip"),
        (SGD(schedule=PiecewiseConstantDecay((5, 3), (0.5, 0.1))), "in rising order"),
        (SGD(schedule=PiecewiseConstantDecay((3, 5), (0.5,))), "2 numbers from 0 up"),
    ],
)
def test_what_does_not_fit_together_is_refused(optimizer, message):
    with pytest.raises(InvalidExperiment, match=message):
        small(optimizer=optimizer)
