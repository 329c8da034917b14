"""What the worker can be asked for: small, picklable values that run in the training process.

The modules that do the work are imported when it is priced or run: the server never imports
TensorFlow, and the training process imports only what it needs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

from core.costs import Work
from core.experiment import Experiment
from core.fixes import Fix, with_training
from core.history import TARGET
from core.jobs.limits import Limits, fewer_epochs, fewer_runs
from core.problems import PROBLEMS

if TYPE_CHECKING:
    from core.claims.record import Tested
    from core.comparison import Comparison
    from core.diagnosis.trials import Repair
    from core.history import History
    from core.sensitivity import Sensitivity

DEFAULT_RUNS = 64

OnEvent = Callable[[Any], None]
ShouldStop = Callable[[], bool]
Offers = tuple[Iterator[tuple[str, Any]], ...]
"""Of smaller requests and what to call each; see `Request`."""


class Request(Protocol):
    """A job's work. `run` is called in the training process only.

    Three attributes more are read where there are any. `work`, a tuple of `core.costs.Work`,
    says what it will train, for its price. `smaller` holds iterables of (words, request), each from
    the largest down, from which a refusal takes what would fit. `within(limits)` is the request as
    it is done where these limits hold.
    """

    def run(self, on_event: OnEvent, should_stop: ShouldStop) -> Any:
        """Do the work.

        Args:
            on_event: takes what a page should know while the work goes on; any picklable value.
            should_stop: whether to end early, asked after every epoch.

        Returns:
            The job's result, in part where it was stopped; any picklable value.
        """
        ...


@dataclass(frozen=True)
class Train:
    """Stacked runs. Events: `core.history.Epoch`; result: `core.history.History`."""

    experiment: Experiment
    runs: int = DEFAULT_RUNS
    seed: int = 0

    def run(self, on_event: OnEvent, should_stop: ShouldStop) -> History:
        from core.training import train

        return train(self.experiment, self.runs, self.seed, on_event, should_stop)

    @property
    def work(self) -> tuple[Work, ...]:
        return (Work((self.experiment,), self.runs),)

    @property
    def smaller(self) -> Offers:
        return fewer_runs(self), fewer_epochs(self)


@dataclass(frozen=True)
class Fit:
    """One run through Keras's `fit`. Events and result as for `Train`."""

    experiment: Experiment
    seed: int = 0

    def run(self, on_event: OnEvent, should_stop: ShouldStop) -> History:
        from core.reference import fit

        return fit(self.experiment, self.seed, on_event, should_stop)

    @property
    def work(self) -> tuple[Work, ...]:
        return (Work((self.experiment,), 1, plain=True),)

    @property
    def smaller(self) -> Offers:
        return (fewer_epochs(self),)


@dataclass(frozen=True)
class Compare:
    """Every combination of some fixes. Events: `core.history.Progress`; result: `Comparison`."""

    experiment: Experiment
    fixes: tuple[Fix, ...]
    runs: int = 32
    seed: int = 0

    def run(self, on_event: OnEvent, should_stop: ShouldStop) -> Comparison | None:
        from core.comparison import compare

        fixes = {fix.key: fix for fix in self.fixes}
        return compare(self.experiment, fixes, self.runs, self.seed, on_event, should_stop)

    @property
    def work(self) -> tuple[Work, ...]:
        from core.comparison import distinct, plan

        planned = plan(self.experiment, {fix.key: fix for fix in self.fixes})
        return (Work(distinct(planned), self.runs),)

    @property
    def smaller(self) -> Offers:
        counts = range(len(self.fixes) - 1, 0, -1)
        fewer_fixes = (
            (f"{count} fix{'es' * (count > 1)}", replace(self, fixes=self.fixes[:count]))
            for count in counts
        )
        return fewer_runs(self), fewer_fixes


@dataclass(frozen=True)
class TryFixes:
    """The fixes that an experiment's findings suggest, by `core.diagnosis.trials.try_fixes`.

    Events: `core.history.Progress`; result: `Repair`, None where it was stopped. The fixes are
    found in the training process, so that what travels there is plain values. It is as large a
    search as the limits allow.

    Attributes:
        findings: codes whose fixes are tried; None for all above cosmetic.
        likely: what it will probably train, for its price; () for what the settings suggest.
        limits: of its time and memory, and the number of those who share its long trainings.
    """

    experiment: Experiment
    findings: tuple[str, ...] | None = None
    runs: int = 16
    seed: int = 0
    target: float = TARGET
    likely: tuple[Experiment, ...] = ()
    limits: Limits = field(default_factory=Limits)

    def within(self, limits: Limits) -> TryFixes:
        return replace(self, limits=limits)

    def run(self, on_event: OnEvent, should_stop: ShouldStop) -> Repair | None:
        from core.diagnosis.trials import try_fixes

        return try_fixes(
            self.experiment,
            self.findings,
            self.runs,
            self.seed,
            on_event,
            should_stop,
            self.target,
            seconds=self.limits.seconds,
            size=self.limits.bytes,
            workers=self.limits.workers,
        )

    @property
    def work(self) -> tuple[Work, ...]:
        from core.diagnosis import from_settings
        from core.diagnosis.trials import expected, planned

        likely = self.likely or expected(
            self.experiment, from_settings(self.experiment, self.target), self.findings
        )
        limits = self.limits
        return planned(likely, self.runs, limits.seconds, limits.bytes, limits.workers).works

    @property
    def smaller(self) -> Offers:
        # What is likely is of as many epochs as the experiment.
        return (fewer_epochs(replace(self, likely=())),)


@dataclass(frozen=True)
class CheckClaim:
    """Test a claim. Events: `core.history.Progress`; result: `Tested`, None where it was stopped.

    Attributes:
        claim: its key.
    """

    claim: str
    runs: int
    seed: int

    def run(self, on_event: OnEvent, should_stop: ShouldStop) -> Tested | None:
        from core.claims import CLAIMS
        from core.claims.record import examine

        claim = CLAIMS[self.claim]
        outcome = claim.outcome(self.runs, self.seed, on_event, should_stop)
        return None if outcome is None else examine(claim, outcome)

    @property
    def work(self) -> tuple[Work, ...]:
        from core.claims import CLAIMS
        from core.claims.untrained_criteria import FitAccepts

        claim = CLAIMS[self.claim]
        experiments = tuple(arm.experiment for arm in claim.arms)
        if isinstance(claim.criterion, FitAccepts):
            # A fit of one epoch for every run, by one compiled model: as one of as many epochs.
            return (Work((with_training(epochs=self.runs)(experiments[-1]),), 1, plain=True),)
        if claim.criterion is None or not claim.criterion.trains:
            return ()
        return (Work(experiments, self.runs, returned=False),)

    @property
    def smaller(self) -> Offers:
        return (fewer_runs(self),)


@dataclass(frozen=True)
class VarySettings:
    """Where an experiment learns, by `core.sensitivity.sensitivity`.

    Events: `core.history.Progress`; result: `Sensitivity`, None where it was stopped.
    """

    experiment: Experiment
    axes: tuple[str, ...]
    runs: int
    seed: int = 0
    target: float = TARGET

    def run(self, on_event: OnEvent, should_stop: ShouldStop) -> Sensitivity | None:
        from core.sensitivity import sensitivity

        return sensitivity(
            self.experiment, self.axes, self.runs, self.seed, self.target, on_event, should_stop
        )

    @property
    def work(self) -> tuple[Work, ...]:
        from core.sensitivity import plan

        cells = plan(self.experiment, self.axes).values()
        return (Work(tuple(dict.fromkeys(cells)), self.runs, returned=False),)

    @property
    def smaller(self) -> Offers:
        return fewer_runs(self), fewer_epochs(self)


def warm_up() -> list[tuple[str, Request]]:
    """Label and request of what compiles each problem's program before anyone asks for it."""
    return [
        (
            f"warming up the {problem.title.lower()}",
            Train(with_training(epochs=1)(problem.experiment)),
        )
        for problem in PROBLEMS.values()
    ]
