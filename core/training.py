"""Train hundreds of runs of an experiment at once.

The runs are stacked along an axis of every array, the last or the first (`core.engine.layouts`),
and one compiled call trains them all for one epoch. Keras's own optimizers, losses, metrics and
initialisers do the work: they are element-wise over the runs, so every run ends where Keras alone
would have taken it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from typing import Any

import numpy as np

from core import parts
from core.callbacks import Course
from core.costs import Work, is_long
from core.engine import keras_models
from core.engine.compiled import Program, program
from core.engine.grouping import (
    KEPT_WEIGHTS,
    KEY_EPOCHS,
    lanes_for,
    row_bytes,
    stack_key,
    stacks,
    steps,
    structure,
)
from core.engine.rows import stacked_rows
from core.experiment import Experiment, InvalidExperiment
from core.history import CURVES, Epoch, Health, History, Progress, at
from core.initialisers import initialiser
from core.streams import DROPOUT, EPOCH_ORDER, WEIGHTS, generator

STACK_BYTES = 2 * 2**30
"""The most that the data of one stack may take."""
LOOKED_UP = 0.02
"""Seconds in which a program that is kept is found; to compile one takes many times as long."""
MOST_NUMBER = 2**48
"""The highest number that the first run of a training may have."""


def train(
    experiment: Experiment,
    runs: int = 64,
    seed: int = 0,
    on_epoch: Callable[[Epoch], object] | None = None,
    should_stop: Callable[[], bool] | None = None,
    first: int = 0,
) -> History:
    """Train `runs` runs of the experiment; run `i` of a seed is the same whatever `runs` is.

    (To float32 rounding: XLA may sum in another order when it compiles for another number. In
    stacks of one size a run is the same to the last bit, wherever in the stack it is.)

    Args:
        experiment: What is trained.
        runs: From 1 to 4,096.
        seed: Of the data, the initial weights, the order of the batches and dropout.
        on_epoch: Called after every epoch.
        should_stop: Asked after every epoch but the last; True ends the training.
        first: The number of the first run: the runs are `first` to `first` + `runs` - 1.

    Returns:
        The history, marked as cancelled if the training was stopped.

    Raises:
        InvalidExperiment: If the number of runs or the seed is not allowed, or the rows of so many
            runs take too much memory.
    """
    _check_numbers(runs, seed, first)
    if parts.crew is not None and is_long(Work((experiment,), runs)):
        return parts.train_shared(parts.crew, experiment, runs, seed, on_epoch, should_stop, first)
    return train_together([experiment], runs, seed, on_epoch, should_stop, first=first)[0]


def train_all(
    experiments: Sequence[Experiment],
    runs: int,
    seed: int = 0,
    on_progress: Callable[[Progress], object] | None = None,
    should_stop: Callable[[], bool] | None = None,
    first: int = 0,
    on_history: Callable[[int, History], object] | None = None,
) -> list[History] | None:
    """Train `runs` runs of each experiment over the same seeds.

    Experiments that agree in structure share a stack of up to STACK_RUNS runs. Two programs at a
    time are compiled, also while a stack trains.

    Args:
        experiments: What is trained.
        runs: Of each experiment.
        seed: As for `train`.
        on_progress: Called after every epoch.
        should_stop, first: As for `train`.
        on_history: Called with the index of each experiment that was trained to its end and its
            history, also where the training is stopped later.

    Returns:
        A history for each experiment; None if the training was stopped.
    """
    _check_numbers(runs, seed, first)
    if parts.crew is not None and is_long(Work(tuple(experiments), runs)):
        return parts.train_all_shared(
            parts.crew, experiments, runs, seed, on_progress, should_stop, first, on_history
        )
    grouped = stacks(experiments, runs)
    work = [len(indices) * _updates(experiments[indices[0]]) for indices in grouped]
    histories: dict[int, History] = {}
    with ThreadPoolExecutor(max_workers=2) as pool:
        # Stacks of one structure share a program.
        ready, keys = {}, []
        for indices in grouped:
            lead = experiments[indices[0]]
            lanes = lanes_for(lead, len(indices) * runs)
            keys.append((structure(lead), lanes))
            if keys[-1] not in ready:
                ready[keys[-1]] = pool.submit(program, lead, lanes)
        for number, (indices, key) in enumerate(zip(grouped, keys, strict=True)):
            before = sum(work[:number])

            def report(epoch: Epoch, before=before, share=work[number]):
                if on_progress is not None:
                    done = before + share * epoch.number / epoch.of
                    on_progress(Progress(done / sum(work), len(histories), len(experiments)))

            compiled = ready[key].result()
            if key not in keys[number + 1 :]:
                del ready[key]
            together = [experiments[index] for index in indices]
            trained = train_together(together, runs, seed, report, should_stop, compiled, first)
            if trained[0].cancelled:
                for other in ready.values():
                    other.cancel()
                return None
            histories.update(zip(indices, trained, strict=True))
            if on_history is not None:
                for index in indices:
                    on_history(index, histories[index])
    return [histories[index] for index in range(len(experiments))]


def train_together(
    experiments: Sequence[Experiment],
    runs: int,
    seed: int = 0,
    on_epoch: Callable[[Epoch], object] | None = None,
    should_stop: Callable[[], bool] | None = None,
    compiled: Program | None = None,
    first: int = 0,
    whole: int | None = None,
) -> list[History]:
    """Train `runs` runs of each experiment in one stack; they must agree in `stack_key`.

    Args:
        experiments: What is trained.
        runs: Of each experiment.
        seed: As for `train`.
        on_epoch: Called with the figures of all runs, (experiments x runs,), one experiment's after
            the other's.
        should_stop: As for `train`.
        compiled: The program of the experiments; made if None.
        first: As for `train`.
        whole: Lanes of the stack that these runs are a part of (`core.parts`); None if they are
            all.

    Raises:
        InvalidExperiment: As for `train`.
        ValueError: If the experiments do not agree.
    """
    _check_numbers(runs, seed, first)
    lead = experiments[0]
    if len({stack_key(experiment) for experiment in experiments}) != 1:
        raise ValueError("experiments trained together must agree in structure, epochs and shuffle")
    numbers = range(first, first + runs)
    members = [(experiment, run) for experiment in experiments for run in numbers]
    lanes, data = lanes_for(lead, len(members)), lead.data
    size = row_bytes(lead, lanes)
    if size > STACK_BYTES:
        most = len(members) * STACK_BYTES // size
        raise InvalidExperiment("runs", len(members), f"at most {most:,} with this many rows")

    started = time.perf_counter()
    if compiled is None:
        compiled = program(lead, lanes, whole)
    compile_seconds = time.perf_counter() - started
    if compile_seconds < LOOKED_UP:
        compile_seconds = 0.0
    started = time.perf_counter()
    training, held_out = stacked_rows(members, seed, compiled.layout, lanes)
    rates = np.array([experiment.training.optimizer.learning_rate for experiment, _ in members])
    compiled.reset(_initial_weights(members, seed, lanes), _filled(rates, lanes))
    keys = np.array([generator(seed, run, DROPOUT).integers(2**32) for _, run in members])
    keys = _filled(keys, lanes).astype(np.uint32)

    course = Course(lead.training.callbacks, rates)
    ends: list[np.ndarray] = []
    kept = {0: compiled.values()}
    size = sum(array.nbytes for array in kept[0])
    keep = _key_epochs(lead.training.epochs, size // lanes * (whole or lanes))
    reports = []
    for number in range(1, lead.training.epochs + 1):
        order = np.arange(data.training_rows, dtype=np.int32)
        if lead.training.shuffle:
            order = generator(seed, number, EPOCH_ORDER).permutation(order)
        figures = compiled.epoch(training, held_out, order, keys * np.uint32(2 * number + 1))
        reports.append({name: array[..., : len(members)] for name, array in figures.items()})
        if lead.training.callbacks:
            ends = _follow(course, number, reports[-1], compiled, ends)
        last = number == lead.training.epochs or not course.going.any()
        cancelled = not last and should_stop is not None and should_stop()
        if number in keep or cancelled or last:
            kept[number] = compiled.values()
        if on_epoch is not None:
            on_epoch(_epoch(number, lead.training.epochs, reports[-1]))
        if cancelled or last:
            break
    for epoch, arrays in kept.items():
        _end(arrays, ends, compiled, course.over(epoch, number))
    seconds = time.perf_counter() - started

    stacked = {name: np.stack([report[name] for report in reports]) for name in reports[0]}
    weights = compiled.runs_last([np.stack(arrays) for arrays in zip(*kept.values(), strict=True)])
    histories = []
    for index, experiment in enumerate(experiments):
        own = slice(index * runs, (index + 1) * runs)
        stopped, best = course.stopped[own], course.best[own]
        stopped = np.where(stopped, stopped, number)
        histories.append(
            _history(
                experiment,
                seed,
                {name: array[..., own] for name, array in stacked.items()},
                np.array(list(kept)),
                tuple(array[..., own] for array in weights),
                last_epochs=stopped if (stopped < number).any() else None,
                final_epochs=np.where(best, best, stopped) if course.stops else None,
                cancelled=cancelled,
                seconds=seconds / len(experiments),
                compile_seconds=compile_seconds / len(experiments),
                first=first,
            )
        )
    return histories


def layer_seeds(experiment: Experiment, seed: int, run: int) -> list[int]:
    """The seeds of one run's initialisers, one for each of `Model.initialised`."""
    count = len(experiment.model.initialised)
    return generator(seed, run, WEIGHTS).integers(2**31, size=count).tolist()


def _updates(experiment: Experiment) -> int:
    """How many times the optimizer updates one run's weights."""
    return experiment.training.epochs * steps(experiment)


def _check_numbers(runs: int, seed: int, first: int) -> None:
    _check_whole("runs", runs, 1, 4_096)
    _check_whole("seed", seed, 0, 2**31 - 1)
    _check_whole("first", first, 0, MOST_NUMBER)


def _check_whole(field: str, value: int, low: int, high: int) -> None:
    whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if not whole or not low <= value <= high:
        raise InvalidExperiment(field, value, f"a whole number from {low} to {high:,}")


def _filled(values: np.ndarray, lanes: int) -> np.ndarray:
    """(lanes, ...): the members' values, and the first one's again for lanes that only fill up."""
    return np.concatenate([values, np.repeat(values[:1], lanes - len(values), axis=0)])


def _initial_weights(members: list, seed: int, lanes: int) -> list[np.ndarray]:
    """(lanes, *shape) for every variable, drawn by Keras's initialisers."""
    first = members[0][0]
    seeds = np.array([layer_seeds(experiment, seed, run) for experiment, run in members])
    slots_of = {
        experiment: experiment.model.slots(experiment.data.source.features)
        for experiment, _ in members
    }
    weights = []
    for number, (layer, slot) in enumerate(slots_of[first]):
        if slot.field:
            own = [slots_of[experiment][number][1].initialiser for experiment, _ in members]
            place = first.model.initialised.index((layer, slot.field))
            values = keras_models.draw_weights(own, slot.shape, seeds[:, place])
        else:
            shape = (len(members), *slot.shape)
            values = initialiser(slot.initialiser).draw(shape, generator(seed)).astype(np.float32)
        weights.append(_filled(values, lanes))
    return weights


def _follow(
    course: Course,
    number: int,
    report: dict[str, np.ndarray],
    compiled: Program,
    ends: list[np.ndarray],
) -> list[np.ndarray]:
    """Let the callbacks act on the figures of an epoch, and remove those of stopped runs.

    Args:
        course: Of the runs.
        number: Of the epoch.
        report: Its figures, which are changed.
        compiled: The program, whose learning rates are changed.
        ends: The weights that runs end with, as far as they are known, in the layout's shapes.

    Returns:
        The weights that runs end with.
    """
    for figures in report.values():
        figures[..., ~course.going] = np.nan
    rates = course.rates.copy()
    metric = compiled.experiment.task.metric
    named = {name.replace("score", metric): figures for name, figures in report.items()}
    ending = course.after(number, named)
    if not np.array_equal(rates, course.rates):
        compiled.set_rates(_filled(course.rates, compiled.lanes))
    if not ending.any():
        return ends
    weights = compiled.values()
    if ends:
        _end(ends, weights, compiled, ending)
    return ends or weights


def _end(
    weights: list[np.ndarray], ends: list[np.ndarray], compiled: Program, runs: np.ndarray
) -> None:
    """Put the weights `ends` of these runs, bool (runs,), in the place of their `weights`."""
    if not ends or not runs.any():
        return
    axis = compiled.layout.run_axis
    for array, end in zip(weights, ends, strict=True):
        np.moveaxis(array, axis, 0)[: len(runs)][runs] = np.moveaxis(end, axis, 0)[: len(runs)][
            runs
        ]


def _key_epochs(epochs: int, size: int) -> set[int]:
    """The epochs from 1 to the last whose weights, `size` bytes each time, are kept."""
    count = int(np.clip(KEPT_WEIGHTS // size, 2, KEY_EPOCHS)) - 1
    return set(
        np.linspace(epochs, 0, min(count, epochs), endpoint=False).round().astype(int).tolist()
    )


def _epoch(number: int, of: int, report: dict[str, np.ndarray]) -> Epoch:
    curves: dict[str, Any] = {name: report.get(name) for name in CURVES}
    return Epoch(number, of, **curves)


def _history(experiment, seed, figures, key_epochs, weights, **rest) -> History:
    part = "val" if experiment.data.held_out_rows else "evaluated"
    ended = rest["final_epochs"]
    return History(
        experiment=experiment,
        seed=seed,
        **{name: figures.get(name) for name in CURVES},
        health=Health(**{field.name: figures[field.name] for field in fields(Health)}),
        final_loss=at(figures[f"{part}_loss"], ended),
        final_score=at(figures[f"{part}_score"], ended),
        key_epochs=key_epochs,
        weights=weights,
        **rest,
    )
