"""The rows of a run: what the questions drew, and what shuffling, scaling and splitting do."""

import random
from dataclasses import replace

import numpy as np
import pytest

from core.data import baseline, prepare, surviving_rows
from core.experiment import Blobs, Data, Dense, Experiment, Model, Threshold, Training
from core.problems import PROBLEMS

ASKED = PROBLEMS["threshold"].experiment.data
BLOBS = PROBLEMS["two-blob"].experiment.data


class Recorder(random.Random):
    """Python's own generator, which remembers what `shuffle` draws."""

    def __init__(self, seed):
        super().__init__(seed)
        self.drawn = []

    def _randbelow(self, n):
        self.drawn.append(super()._randbelow(n))
        return self.drawn[-1]


def test_rows_are_lost_exactly_as_random_shuffle_loses_them():
    table = np.arange(2_000).reshape(1_000, 2)
    shuffled, python = table.copy(), Recorder(3)
    python.shuffle(shuffled)
    expected = table[surviving_rows(np.array(python.drawn[::-1]))]
    np.testing.assert_array_equal(shuffled, expected)
    assert len(np.unique(shuffled[:, 0])) < 600


def test_shuffling_rows_keeps_about_half_of_them_and_a_permutation_all():
    distinct = replace(ASKED, source=Threshold(threshold=10**9, samples=5_000))
    lossy = [len(np.unique(prepare(distinct, 0, run).x)) for run in range(5)]
    assert all(4_850 < rows < 5_150 for rows in lossy)
    kept = prepare(replace(distinct, shuffling="permutation"), 0, 0)
    assert len(np.unique(kept.x, axis=0)) > 9_900


def test_threshold_as_asked():
    rows = prepare(replace(ASKED, shuffling="none"), seed=0, run=0)
    assert rows.x.shape == (10_000, 1)
    np.testing.assert_array_equal(rows.y[:4, 0], [0, 1, 0, 1])
    assert rows.x[rows.y == 0].max() < 50_000 <= rows.x[rows.y == 1].min()
    assert rows.x.max() < 100_000
    assert len(rows.held_out_x) == 0


def test_two_blobs_as_asked():
    rows = prepare(BLOBS, seed=0, run=0)
    assert rows.x.shape == (400, 2)
    first = rows.y[:, 0] == 1
    assert first.sum() == 200
    assert 0.2 <= rows.x[first].min() < rows.x[first].max() <= 0.4
    assert 0.5 <= rows.x[~first].min() < rows.x[~first].max() <= 0.7


def test_overlap_moves_the_second_blob_and_noise_spreads_both():
    moved = prepare(replace(BLOBS, source=Blobs(overlap=1.0)), 0, 0)
    first = moved.y[:, 0] == 1
    np.testing.assert_allclose(moved.x[first].mean(0), moved.x[~first].mean(0), atol=0.02)
    noisy = prepare(replace(BLOBS, source=Blobs(noise=0.5)), 0, 0)
    assert noisy.x.std() > 2 * moved.x.std()


@pytest.mark.parametrize(
    ("scaling", "low", "high"), [("divide", 0.0, 1.0), ("min-max", 0.0, 1.0), ("none", 0, 1e5)]
)
def test_scaling_gives_the_range_it_names(scaling, low, high):
    x = prepare(replace(ASKED, scaling=scaling), 0, 0).x
    assert low <= x.min() < low + 0.01 * high
    assert 0.99 * high < x.max() <= high


def test_the_scaler_sees_the_training_part_alone():
    data = replace(ASKED, scaling="standardise", hold_out=0.2)
    rows = prepare(data, 0, 0)
    assert rows.x.shape == (8_000, 1)
    assert rows.held_out_x.shape == (2_000, 1)
    np.testing.assert_allclose([rows.x.mean(), rows.x.std()], [0, 1], atol=1e-4)
    raw = prepare(replace(data, scaling="none"), 0, 0)
    np.testing.assert_allclose(
        rows.held_out_x, (raw.held_out_x - raw.x.mean()) / raw.x.std(), rtol=1e-3, atol=1e-4
    )


def test_a_constant_column_stays_finite():
    source = Blobs(bounds=((0.5, 0.5), (0.5, 0.5)))
    for scaling in ("min-max", "standardise"):
        assert np.isfinite(prepare(replace(BLOBS, source=source, scaling=scaling), 0, 0).x).all()


@pytest.mark.parametrize(
    ("encoding", "expected"),
    [("as-is", [[2.0], [1.0]]), ("index", [[1.0], [0.0]]), ("one-hot", [[0, 1], [1, 0]])],
)
def test_labels_are_encoded_in_sorted_order(encoding, expected):
    data = replace(BLOBS, label_values=(2, 1), encoding=encoding)
    y = prepare(data, 0, 0).y
    np.testing.assert_array_equal(y[[0, -1]], expected)


def test_fresh_data_a_run_unless_a_data_seed_is_given():
    assert not np.array_equal(prepare(ASKED, 0, 0).x, prepare(ASKED, 0, 1).x)
    assert not np.array_equal(prepare(ASKED, 0, 0).x, prepare(ASKED, 1, 0).x)
    same = replace(ASKED, seed=5)
    np.testing.assert_array_equal(prepare(same, 0, 0).x, prepare(same, 3, 9).x)


def test_the_baseline_counts_the_rows_that_are_evaluated():
    def experiment(data):
        return Experiment(data, Model((Dense(1, "sigmoid"),)), Training())

    assert baseline(experiment(replace(ASKED, shuffling="none")), 0, 0) == 0.5
    held_out = replace(Data(Threshold(samples=50)), hold_out=0.2)
    rows = prepare(held_out, 0, 0)
    share = rows.held_out_y.mean()
    assert baseline(experiment(held_out), 0, 0) == pytest.approx(max(share, 1 - share))
