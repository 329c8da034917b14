"""Callbacks of each run of a stack against Keras's own callbacks of one run."""

from dataclasses import replace

import numpy as np
import pytest

from core.callbacks import CALLBACKS, EarlyStopping, ReduceLROnPlateau, TerminateOnNaN
from core.experiment import SGD, Adam, Experiment, InvalidExperiment
from core.history import CURVES, History
from core.schedules import ExponentialDecay
from support.pages import opened, setting
from support.training import LAYOUTS, laid_out, noisy_table, small

HELD_OUT = {"source": noisy_table(), "hold_out": 0.3}
CASES = {
    "stop, keep the last": ((EarlyStopping("loss", 0.01, 1),), Adam(0.02)),
    "stop, restore the best": (
        (EarlyStopping(patience=2, restore_best_weights=True, start_from_epoch=2),),
        Adam(0.1),
    ),
    "a baseline and a plateau": (
        (
            ReduceLROnPlateau("accuracy", 0.3, 1, min_delta=0.01, cooldown=1, min_lr=0.003),
            EarlyStopping("val_accuracy", patience=4, baseline=0.6, restore_best_weights=True),
        ),
        Adam(0.05),
    ),
    "nothing to watch for one": (
        (EarlyStopping("loss", patience=3, mode="max"), ReduceLROnPlateau(patience=1, factor=0.5)),
        SGD(0.02, 0.9),
    ),
}


def case(name, epochs=12):
    callbacks, optimizer = CASES[name]
    return small(optimizer=optimizer, data=HELD_OUT, epochs=epochs, callbacks=callbacks)


@pytest.mark.tensorflow
@pytest.mark.parametrize("name", CASES)
def test_every_run_is_that_of_keras(name):
    from core.reference import fit
    from core.training import train

    experiment, runs = case(name), 5
    alone = {run: fit(experiment, seed=3, run=run) for run in (0, 4)}
    layouts = LAYOUTS if name == "stop, restore the best" else LAYOUTS[:1]
    for layout in layouts:
        with laid_out(layout):
            stacked = train(experiment, runs=runs, seed=3)
        for run, theirs in alone.items():
            assert stacked.ends[run] == theirs.epochs, (layout, run)
            for curve in CURVES:
                ours, of = getattr(stacked, curve)[:, run], theirs.epochs
                kept = getattr(theirs, curve)[:, 0]
                np.testing.assert_allclose(ours[:of], kept, rtol=2e-3, atol=2e-4, err_msg=curve)
                assert np.isnan(ours[of:]).all()
            for figure in ("final_loss", "final_score"):
                ours, kept = getattr(stacked, figure)[run], getattr(theirs, figure)[0]
                assert ours == pytest.approx(kept, rel=2e-3, abs=2e-4), figure
            for a, b in zip(stacked.weights_at(-1, run), theirs.weights_at(-1, 0), strict=True):
                np.testing.assert_allclose(a, b, rtol=2e-3, atol=2e-4)
    assert len(set(stacked.ends)) > 1 or name == "nothing to watch for one", stacked.ends


@pytest.mark.tensorflow
def test_a_stopped_run_is_frozen_and_others_go_on():
    from core.training import train

    experiment = case("stop, keep the last", epochs=12)
    history = train(experiment, runs=5, seed=3)
    free = replace(experiment, training=replace(experiment.training, callbacks=()))
    other = train(free, runs=5, seed=3)
    first = int(history.ends.argmin())
    end = int(history.ends[first])
    assert end < history.epochs == history.ends.max()
    np.testing.assert_array_equal(history.loss[:end, first], other.loss[:end, first])
    assert history.final_loss[first] == other.val_loss[end - 1, first]
    after = history.key_epochs >= end
    for array in history.weights:
        kept = array[after][..., first]
        assert (kept == kept[0]).all()
    assert history.finite.all()
    late = int(history.ends.argmax())
    for a, b in zip(
        history.weights_at(-1, late), other.weights_at(history.epochs, late), strict=True
    ):
        np.testing.assert_array_equal(a, b)


@pytest.mark.tensorflow
def test_the_training_ends_when_all_runs_are_stopped():
    from core.training import train

    experiment = small(optimizer=SGD(1e-6), callbacks=(EarlyStopping("loss", 0.1, 2),), epochs=40)
    history = train(experiment, runs=4)
    assert history.epochs == 3
    assert not history.cancelled
    assert history.key_epochs[-1] == 3
    assert history.last_epochs is None


@pytest.mark.tensorflow
def test_a_run_whose_loss_is_nan_is_stopped():
    from core.training import train

    experiment = small(
        activation="linear",
        loss="mean_squared_error",
        optimizer=SGD(100.0),
        callbacks=(TerminateOnNaN(),),
        epochs=30,
    )
    history = train(experiment, runs=3)
    assert history.epochs < 30
    assert not history.finite.any()


def test_outcomes_are_those_of_the_epochs_that_a_run_was_trained():
    epochs, runs = 30, 3
    falling = np.linspace(1, 0.4, epochs, dtype=np.float32)[:, None].repeat(runs, axis=1)
    falling[12:, 1] = np.nan
    falling[9:, 2] = falling[8, 2]
    score = np.full((epochs, runs), 0.5, np.float32)
    history = History(
        small(), 0, falling, score, falling, score, None, None, None,
        final_loss=falling[[29, 11, 29], [0, 1, 2]], final_score=score[-1],
        key_epochs=np.array([0]), weights=(), cancelled=False, seconds=0, compile_seconds=0,
        last_epochs=np.array([30, 12, 30]), final_epochs=np.array([30, 12, 30]),
    )  # fmt: skip
    assert list(history.outcomes(0.9)) == ["still improving", "still improving", "stuck"]
    assert history.finite.all()
    np.testing.assert_array_equal(history.at_end(falling), history.final_loss)


def test_they_are_registered_and_come_back_from_json():
    made = tuple(kind() for kind in CALLBACKS.values())
    experiment = small(callbacks=made)
    assert Experiment.from_json(experiment.to_json()) == experiment
    assert "callbacks" not in small().to_json()


@pytest.mark.parametrize(
    ("callbacks", "message"),
    [
        ((EarlyStopping(), EarlyStopping(patience=3)), "at most one of each"),
        (("early stopping",), "at most one of each of EarlyStopping"),
        ((ReduceLROnPlateau(),), "without a schedule"),
    ],
)
def test_what_keras_would_not_take_is_refused(callbacks, message):
    with pytest.raises(InvalidExperiment, match=message):
        small(optimizer=SGD(schedule=ExponentialDecay()), callbacks=callbacks)


@pytest.mark.tensorflow
def test_the_page_has_their_controls_and_those_of_a_schedule():
    app = opened("two-blob")
    for name in ("earlystopping", "reducelronplateau"):
        setting(app, f"two-blob.{name}").set_value(True).run()
    setting(app, "two-blob.earlystopping-patience").set_value(7).run()
    setting(app, "two-blob.earlystopping-baseline").set_value("0.25").run()
    link = app.query_params
    assert link["earlystopping"] == "yes"
    assert link["earlystopping-patience"] == "7"
    assert link["earlystopping-baseline"] == "0.25"
    assert "earlystopping-monitor" not in link
    setting(app, "two-blob.schedule").set_value("cosinedecay").run()
    assert any("without a schedule" in error.value for error in app.error)
    setting(app, "two-blob.reducelronplateau").set_value(False).run()
    assert not app.error
    assert setting(app, "two-blob.schedule-decay-steps").value == 1_000
    assert not app.exception
