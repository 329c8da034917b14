"""A training in parts, which several processes train, and the histories that these make together.

Run `i` of a seed is the same run in any part, so a training that is shared ends as it does in one
process. Without TensorFlow, but for the process that trains a part.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Protocol

import numpy as np

from core.costs import stack_seconds
from core.engine.grouping import LANES, lanes_for, most_parts, stacks
from core.experiment import Experiment
from core.history import CURVES, Epoch, Health, History, Progress

OnEvent = Callable[[int, Any], object]
"""on_event(part's index, event)."""


@dataclass(frozen=True)
class Part:
    """Some runs of experiments that are trained in one stack; a request of the training process.

    Its events are `core.history.Epoch`, or without `figures` only their numbers; its result is a
    list of histories, one an experiment.

    Attributes:
        experiments: Which agree in `core.engine.grouping.stack_key`.
        runs, seed, first: As for `core.training.train`.
        whole: Lanes of the stack with all runs, which decide how its rows are evaluated.
    """

    experiments: tuple[Experiment, ...]
    runs: int
    seed: int
    first: int
    whole: int
    figures: bool = True

    def run(
        self, on_event: Callable[[Any], object], should_stop: Callable[[], bool]
    ) -> list[History]:
        from core.training import train_together

        def report(epoch: Epoch) -> None:
            on_event(epoch if self.figures else epoch.number)

        return train_together(
            self.experiments,
            self.runs,
            self.seed,
            report,
            should_stop,
            first=self.first,
            whole=self.whole,
        )

    @property
    def epochs(self) -> int:
        return self.experiments[0].training.epochs


class Crew(Protocol):
    """Whoever trains parts at the same time."""

    @property
    def workers(self) -> int:
        """How many parts are trained at once."""
        ...

    @property
    def elsewhere(self) -> bool:
        """Whether the parts take no memory of this machine."""
        ...

    def train(
        self, parts: Sequence[Part], on_event: OnEvent, should_stop: Callable[[], bool] | None
    ) -> list[list[History] | None]:
        """The result of each part; None for one that had not begun when the training was stopped.

        Args:
            parts: In the order in which they are handed out.
            on_event: Called with the events of every part, and with None once it has ended. A part
                whose process died is trained anew, and reports anew.
            should_stop: Asked several times a second.
        """
        ...


crew: Crew | None = None
"""With whom this process shares its long trainings."""


def divided(
    experiments: Sequence[Experiment],
    runs: int,
    seed: int,
    first: int,
    count: int,
    figures: bool = True,
) -> list[Part]:
    """At most `count` parts of one stack, with about as many runs each."""
    lead, members = experiments[0], len(experiments) * runs
    count = max(min(count, most_parts(lead, members), runs), 1)
    size = -(-runs // count)
    if len(experiments) == 1:
        # Only the last part has lanes without a run.
        size = -(-size // LANES) * LANES
    whole = lanes_for(lead, members)
    return [
        Part(tuple(experiments), min(size, runs - start), seed, first + start, whole, figures)
        for start in range(0, runs, size)
    ]


def train_shared(
    crew: Crew,
    experiment: Experiment,
    runs: int,
    seed: int,
    on_epoch: Callable[[Epoch], object] | None,
    should_stop: Callable[[], bool] | None,
    first: int,
) -> History:
    """What `core.training.train` does, by a crew."""
    parts = divided((experiment,), runs, seed, first, crew.workers)
    epochs = _Epochs([part.runs for part in parts], on_epoch)
    trained = crew.train(parts, epochs.add, should_stop)
    # A part that had not begun, as its first process died, ends after one epoch.
    return joined(
        [
            (part.run(lambda event: None, lambda: True) if found is None else found)[0]
            for part, found in zip(parts, trained, strict=True)
        ]
    )


def train_all_shared(
    crew: Crew,
    experiments: Sequence[Experiment],
    runs: int,
    seed: int,
    on_progress: Callable[[Progress], object] | None,
    should_stop: Callable[[], bool] | None,
    first: int,
    on_history: Callable[[int, History], object] | None,
) -> list[History] | None:
    """What `core.training.train_all` does, by a crew."""
    grouped = stacks(experiments, runs)
    seconds = [stack_seconds(experiments[own[0]], len(own) * runs) for own in grouped]
    # The longest first, so that all end at about the same time.
    order = sorted(range(len(grouped)), key=lambda number: -seconds[number])
    parts: list[Part] = []
    stack_of: list[int] = []
    for number in order:
        together = [experiments[index] for index in grouped[number]]
        count = round(crew.workers * seconds[number] / sum(seconds))
        own = divided(together, runs, seed, first, count, figures=False)
        parts += own
        stack_of += [number] * len(own)
    share = [
        seconds[number] * part.runs / runs / sum(seconds)
        for number, part in zip(stack_of, parts, strict=True)
    ]
    done, ended = [0.0] * len(parts), [False] * len(parts)

    def report(index: int, number: int | None) -> None:
        ended[index] = number is None
        done[index] = 1.0 if number is None else number / parts[index].epochs
        if on_progress is not None:
            begun = {own for own, end in zip(stack_of, ended, strict=True) if not end}
            finished = sum(len(own) for n, own in enumerate(grouped) if n not in begun)
            total = sum(own * part for own, part in zip(share, done, strict=True))
            on_progress(Progress(min(total, 1.0), finished, len(experiments)))

    trained = crew.train(parts, report, should_stop)
    by_stack: dict[int, list[list[History]]] = {number: [] for number in order}
    for number, histories in zip(stack_of, trained, strict=True):
        if histories is None or histories[0].cancelled:
            by_stack.pop(number, None)
        elif number in by_stack:
            by_stack[number].append(histories)
    whole: dict[int, History] = {}
    for number, found in by_stack.items():
        for index, of_parts in zip(grouped[number], zip(*found, strict=True), strict=True):
            whole[index] = joined(of_parts)
            if on_history is not None:
                on_history(index, whole[index])
    if len(whole) < len(experiments):
        return None
    return [whole[index] for index in range(len(experiments))]


class _Epochs:
    """Puts the epochs of the parts together: one is reported once all parts have it.

    Args:
        runs: Of each part.
        report: Called with the figures of all runs; NaN for those of a part that has ended.
    """

    def __init__(self, runs: Sequence[int], report: Callable[[Epoch], object] | None):
        self._runs, self._report = runs, report
        self._found: list[dict[int, Epoch]] = [{} for _ in runs]
        self._ended = [False] * len(runs)
        self._next = 1

    def add(self, index: int, epoch: Epoch | None) -> None:
        """A part has trained an epoch, or with None its last one."""
        if epoch is None:
            self._ended[index] = True
        elif epoch.number >= self._next:
            self._found[index][epoch.number] = epoch
        while self._complete():
            epochs = [found.pop(self._next, None) for found in self._found]
            self._next += 1
            if self._report is not None:
                self._report(_together(epochs, self._runs))

    def _complete(self) -> bool:
        here = [self._next in found for found in self._found]
        return any(here) and all(own or ended for own, ended in zip(here, self._ended, strict=True))


def _together(epochs: Sequence[Epoch | None], runs: Sequence[int]) -> Epoch:
    one = next(epoch for epoch in epochs if epoch is not None)
    curves: dict[str, Any] = {}
    for name in CURVES:
        figures = [
            np.full(count, np.nan, np.float32) if epoch is None else getattr(epoch, name)
            for epoch, count in zip(epochs, runs, strict=True)
        ]
        curves[name] = None if getattr(one, name) is None else np.concatenate(figures)
    return Epoch(one.number, one.of, **curves)


def joined(parts: Sequence[History]) -> History:
    """The history of the runs of all parts, which follow one another.

    Parts can have ended after different epochs, by their callbacks or because the training was
    stopped: the figures of the shorter ones are NaN from there on, and their weights the last.
    """
    if len(parts) == 1:
        return parts[0]
    longest = max(parts, key=lambda part: part.epochs)
    epochs = longest.epochs
    ends = np.concatenate([part.ends for part in parts])
    uneven = bool((ends < epochs).any())
    restored = any(part.final_epochs is not None for part in parts)
    finals = [part.ends if part.final_epochs is None else part.final_epochs for part in parts]
    health = None
    if longest.health is not None:
        health = Health(
            **{
                each.name: _along(
                    [_filled(getattr(part.health, each.name), epochs) for part in parts]
                )
                for each in fields(Health)
            }
        )
    curves: dict[str, Any] = {
        name: None
        if getattr(longest, name) is None
        else _along([_filled(getattr(part, name), epochs) for part in parts])
        for name in CURVES
    }
    return replace(
        longest,
        **curves,
        health=health,
        final_loss=_along([part.final_loss for part in parts]),
        final_score=_along([part.final_score for part in parts]),
        weights=tuple(
            _along(list(arrays))
            for arrays in zip(*(_weights(part, longest.key_epochs) for part in parts), strict=True)
        ),
        cancelled=any(part.cancelled for part in parts),
        seconds=max(part.seconds for part in parts),
        compile_seconds=max(part.compile_seconds for part in parts),
        last_epochs=ends if uneven else None,
        final_epochs=np.concatenate(finals) if restored or uneven else None,
        first=parts[0].first,
    )


def _along(arrays: Sequence[np.ndarray]) -> np.ndarray:
    """Arrays of (..., runs) one after the other."""
    return np.concatenate(arrays, axis=-1)


def _filled(figures: np.ndarray, epochs: int) -> np.ndarray:
    """(epochs, ..., runs): with NaN for the epochs that are missing."""
    missing = np.full((epochs - len(figures), *figures.shape[1:]), np.nan, figures.dtype)
    return np.concatenate([figures, missing]) if len(missing) else figures


def _weights(part: History, keys: np.ndarray) -> list[np.ndarray]:
    """The weights of a part after other key epochs, of which it has all before its last."""
    at: Mapping[int, int] = {int(epoch): index for index, epoch in enumerate(part.key_epochs)}
    last = len(part.key_epochs) - 1
    indices = [last if key >= part.epochs else at[int(key)] for key in keys]
    return [array[indices] for array in part.weights]
