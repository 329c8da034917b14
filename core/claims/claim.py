"""What a claim is, how it is tested, and what follows from the test."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from core.claims.criteria import Criterion, Outcome
from core.experiment import Experiment
from core.history import History, Progress
from core.posts import Post
from core.rates import Rate

HOLDS, SOMETIMES, FAILS, UNTESTABLE, UNTESTED = (
    "holds",
    "holds sometimes",
    "does not hold",
    "cannot be tested",
    "not tested yet",
)
WORDS = (HOLDS, SOMETIMES, FAILS, UNTESTABLE, UNTESTED)
"""What can be said of a claim; the last, of one that the record does not have."""
MOST, FEW = 0.9, 0.1
"""A claim holds where the interval of its rate lies at or above the first of these, and does not
hold where it lies at or below the second."""
RUNS = 2_048
"""Runs of every experiment in the record: no interval is then wider than 4.4 percentage points."""
KEPT = 256
"""The most runs whose own values are kept, so that a record does not grow with its runs."""
RULE = (
    f"A claim holds when the 95% interval of the runs that meet its criterion lies at {MOST:.0%} "
    f"or above, and does not hold when it lies at {FEW:.0%} or below; in between it holds "
    "sometimes."
)


@dataclass(frozen=True)
class Source:
    """Who made a claim, and where.

    Attributes:
        who: `asker`, `answer`, `comment` or `ours`.
        document: the part of the post, in words; post: None for a claim of ours.
    """

    who: str
    document: str = ""
    post: Post | None = None

    def __str__(self) -> str:
        return "Ours" if self.post is None else f"{self.document}, {self.post.year}"

    @property
    def markdown(self) -> str:
        """As text, linked to the post."""
        return str(self) if self.post is None else f"[{self}]({self.post.url})"


OURS = Source("ours")


@dataclass(frozen=True)
class Arm:
    """One of the experiments that test a claim, and what it is called."""

    label: str
    experiment: Experiment


@dataclass(frozen=True)
class Verdict:
    """How many runs met a claim's criterion, and what follows.

    Attributes:
        claim: its key.
        rate: of the runs that meet it.
        median, range: of what was measured in the runs, the smallest and the largest; an epoch that
            never came is later than all others, infinity.
        met: bool (kept,), of the first runs, at most KEPT: those that meet it.
        values: float (kept,), what was measured in each of these, NaN where an epoch never came.
    """

    claim: str
    seed: int
    rate: Rate
    median: float
    range: tuple[float, float]
    met: np.ndarray
    values: np.ndarray

    @classmethod
    def of(cls, claim: str, seed: int, met: np.ndarray, values: np.ndarray) -> Verdict:
        """From what every run came to, (runs,) each."""
        known = np.nan_to_num(values, nan=np.inf)
        ends = float(known.min()), float(known.max())
        median = float(np.median(known))
        return cls(claim, seed, Rate.of(met), median, ends, met[:KEPT], values[:KEPT])

    @property
    def runs(self) -> int:
        return self.rate.runs

    @property
    def word(self) -> str:
        """HOLDS, SOMETIMES or FAILS, by RULE."""
        if self.rate.low >= MOST:
            return HOLDS
        return FAILS if self.rate.high <= FEW else SOMETIMES


@dataclass(frozen=True)
class Claim:
    """One sentence that somebody said, and the test of it.

    Attributes:
        problem: key of the problem that it is about.
        text: the claim, in words of our own.
        reported: what its source saw.
        arms: the experiments that test it; the last one is what the claim is about, those before
            it are compared with it.
        criterion: the test of every run; None for a claim that no run can decide.
        note: what the figures mean, or why it cannot be tested.
        version: how it depends on the libraries' versions.
        fits: runs over which the record repeats it with plain `model.fit`, which takes up to half
            a minute a run; 0 for none.
    """

    key: str
    problem: str
    text: str
    source: Source
    reported: str
    arms: tuple[Arm, ...]
    criterion: Criterion | None
    note: str
    version: str = ""
    fits: int = 0

    @property
    def test(self) -> Criterion:
        """The criterion. Raises ValueError for a claim that cannot be tested."""
        if self.criterion is None:
            raise ValueError(f"{self.key} cannot be tested: {self.note}")
        return self.criterion

    def check(
        self,
        runs: int = RUNS,
        seed: int = 0,
        on_progress: Callable[[Progress], object] | None = None,
        should_stop: Callable[[], bool] | None = None,
    ) -> Verdict | None:
        """Test the claim over some runs of each arm.

        Args:
            runs: of each arm, all of the same seed.
            on_progress: told how far the training is.
            should_stop: whether to end early, asked after every epoch.

        Returns:
            The verdict; None when should_stop ended it.

        Raises:
            ValueError: the claim cannot be tested.
        """
        outcome = self.outcome(runs, seed, on_progress, should_stop)
        return None if outcome is None else self.judge(outcome)

    def outcome(
        self,
        runs: int,
        seed: int,
        on_progress: Callable[[Progress], object] | None = None,
        should_stop: Callable[[], bool] | None = None,
    ) -> Outcome | None:
        """What `judge` needs: trains the arms where the criterion asks for it; else as `check`."""
        if not self.test.trains:
            return self.outcome_of((), runs, seed)
        from core.training import train_all

        experiments = [arm.experiment for arm in self.arms]
        histories = train_all(experiments, runs, seed, on_progress, should_stop)
        return None if histories is None else self.outcome_of(histories, runs, seed)

    def outcome_of(
        self, histories: Iterable[History], runs: int, seed: int, first: int = 0
    ) -> Outcome:
        """The outcome of arms that are trained already: their histories, in order."""
        experiments = tuple(arm.experiment for arm in self.arms)
        return Outcome(experiments, tuple(histories), runs, seed, first)

    def judge(self, outcome: Outcome) -> Verdict:
        """Apply the criterion. Raises ValueError for a claim that cannot be tested."""
        return Verdict.of(self.key, outcome.seed, *self.test.judge(outcome))
