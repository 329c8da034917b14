"""What a history says of its runs."""

from dataclasses import replace

import numpy as np
import pytest

from core.fixes import with_training
from core.history import (
    CURVES,
    IMPROVING,
    LOST,
    STUCK,
    SUCCEEDED,
    TARGET,
    Epoch,
    History,
    counted,
    epochs_frame,
)
from core.problems import PROBLEMS
from core.training import train
from support.histories import made_up

FLAT, FALLING = np.full(12, 0.7), np.linspace(0.7, 0.6, 12)
RUNS = {
    # outcome: accuracy and loss of the evaluated epochs
    "ends at the target": (SUCCEEDED, np.linspace(0.5, 0.9, 12), FLAT),
    "passes it and falls back": (LOST, np.where(np.arange(12) == 5, 0.97, 0.6), FALLING),
    "loss falls": (IMPROVING, np.full(12, 0.5), FALLING),
    "accuracy rises": (IMPROVING, np.linspace(0.4, 0.89, 12), FLAT),
    "nothing moves": (STUCK, np.full(12, 0.5), FLAT),
    "moved long ago": (STUCK, np.full(12, 0.7), np.maximum(FALLING, FALLING[5])),
    "loss is no number": (STUCK, np.full(12, 0.5), np.where(np.arange(12) < 9, FALLING, np.nan)),
    "loss falls below 0": (STUCK, np.full(12, 0.5), -10 + 10 * FALLING),
}


def made(accuracy, loss, held_out: bool = False) -> History:
    """accuracy, loss: evaluated, (epochs, runs)."""
    loss, accuracy = np.float32(loss), np.float32(accuracy)
    other = np.full_like(loss, 0.123)
    measured = (other, other, loss, accuracy) if held_out else (loss, accuracy, None, None)
    return made_up(
        PROBLEMS["two-blob"].experiment,
        **dict(zip(CURVES, (other, other, *measured), strict=True)),
        final_loss=loss[-1],
        final_score=accuracy[-1],
    )


@pytest.mark.parametrize("held_out", [False, True])
def test_every_run_has_the_outcome_that_its_curves_show(held_out):
    expected, accuracy, loss = zip(*RUNS.values(), strict=True)
    history = made(np.transpose(accuracy), np.transpose(loss), held_out)
    assert dict(zip(RUNS, history.outcomes(0.9), strict=True)) == dict(
        zip(RUNS, expected, strict=True)
    )
    assert counted(history.outcomes(0.9)) == {SUCCEEDED: 1, STUCK: 4, IMPROVING: 2, LOST: 1}
    assert counted(history.outcomes(0.99)).keys() == {STUCK, IMPROVING}


@pytest.mark.parametrize("epochs", [1, 2])
def test_a_training_of_few_epochs_has_outcomes(epochs):
    history = made(np.full((epochs, 3), [0.5, 0.9, 1.0]), np.full((epochs, 3), 0.7))
    assert history.outcomes(0.9).tolist() == [STUCK, SUCCEEDED, SUCCEEDED]


@pytest.mark.tensorflow
def test_runs_that_succeed_have_that_outcome_and_most_that_improve_get_there():
    asked = PROBLEMS["two-blob"].experiment
    history = train(asked, runs=64)
    outcomes = history.outcomes(TARGET)
    np.testing.assert_array_equal(outcomes == SUCCEEDED, history.successes(TARGET))
    improving = outcomes == IMPROVING
    assert improving.sum() > 10
    longer = train(with_training(epochs=4 * asked.training.epochs)(asked), runs=64)
    assert longer.successes(TARGET)[improving].mean() > 0.9
    clipped = train(PROBLEMS["threshold"].experiment, runs=16).outcomes(TARGET)
    assert IMPROVING not in clipped, "the loss clips the output: there is no gradient"


def test_the_first_epoch_is_that_of_the_accuracy_that_was_asked_for():
    history = made(np.array([[0.5, 0.95], [0.9, 0.5]]), np.full((2, 2), 0.5))
    assert history.epochs_until(0.9).tolist() == [2, 1]
    assert np.isnan(history.epochs_to(0.9)).all()
    printed = replace(history, score=np.array([[0.5, 0.9], [0.5, 0.95]], np.float32))
    np.testing.assert_array_equal(printed.epochs_to(0.9), [np.nan, 1])


def test_the_frame_of_events_is_the_frame_of_the_history():
    history = made(np.random.default_rng(0).random((3, 4)), np.ones((3, 4)))
    events = [
        Epoch(k + 1, 3, **{n: None if v is None else v[k] for n, v in curves(history)})
        for k in range(3)
    ]
    assert epochs_frame(events).equals(history.curves())
    assert list(history.curves()) == ["run", "epoch", *CURVES]
    assert history.curves()["val_loss"].isna().all()
    names = ["run", "epoch", "loss", "accuracy", "evaluated_loss", "evaluated_accuracy"]
    assert list(history.frame()) == [*names, "val_loss", "val_accuracy"]
    assert history.final_accuracy is history.final_score


def curves(history: History) -> list[tuple[str, np.ndarray | None]]:
    return [(name, getattr(history, name)) for name in CURVES]
