"""How a training ended, in words that are right for any number of runs."""

import numpy as np
import pytest

from core.history import IMPROVING, LOST, STUCK, SUCCEEDED
from core.problems import PROBLEMS
from pages.elements.headline import headline, others


class Ended:
    """As much of a history as the words are made of."""

    experiment = PROBLEMS["threshold"].experiment

    def __init__(self, **counts: int):
        names = {"succeeded": SUCCEEDED, "stuck": STUCK, "improving": IMPROVING, "lost": LOST}
        self._outcomes = np.repeat([names[name] for name in counts], list(counts.values())).astype(
            "<U15"
        )
        self.runs = len(self._outcomes)

    def outcomes(self, target):
        return self._outcomes

    def successes(self, target):
        return self._outcomes == SUCCEEDED


@pytest.mark.parametrize(
    ("counts", "head", "failed"),
    [
        ({"succeeded": 64}, "All 64 runs ended at 90% or above", None),
        ({"stuck": 64}, "None of 64 runs ended at 90% or above", "All 64 are stuck."),
        (
            {"stuck": 40, "improving": 24},
            "None of 64 runs ended at 90% or above",
            "Of all 64, 40 are stuck and 24 are still improving.",
        ),
        (
            {"succeeded": 18, "stuck": 40, "improving": 5, "lost": 1},
            "18 of 64 runs ended at 90% or above",
            "Of the other 46, 40 are stuck, 5 are still improving and 1 reached 90% and lost it "
            "again.",
        ),
        (
            {"succeeded": 63, "improving": 1},
            "63 of 64 runs ended at 90% or above",
            "The other one is still improving.",
        ),
        (
            {"succeeded": 1, "lost": 15},
            "1 of 16 runs ended at 90% or above",
            "The other 15 reached 90% and lost it again.",
        ),
        ({"succeeded": 1}, "The run ended at 90% or above", None),
        ({"stuck": 1}, "The run ended below 90%", "It is stuck."),
        ({"lost": 1}, "The run ended below 90%", "It reached 90% and lost it again."),
    ],
)
def test_the_words_fit_the_counts(counts, head, failed):
    history = Ended(**counts)
    assert headline(history, 0.9) == head
    assert others(history, 0.9) == failed


def test_a_target_has_its_own_digits():
    assert headline(Ended(stuck=2), 0.955) == "None of 2 runs ended at 95.5% or above"
