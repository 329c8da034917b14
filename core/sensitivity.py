"""Where a network learns: its success rate over one setting, or over two at once.

from core.sensitivity import sensitivity
where = sensitivity(experiment, ("learning-rate", "input-scale"))    # 16 x 16 settings, 8 runs each
where.frame()

Learning rate, input scale, initial scale and data seed are values that runs of one compiled program
can differ in, so that a map of two of them trains in a few stacks. Each value of another setting
may need a program of its own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from core.activations import ACTIVATIONS
from core.data import prepare
from core.entries import entry, named
from core.experiment import Dense, Experiment, InvalidExperiment, Model
from core.fixes import with_data, with_hidden, with_rate, with_training
from core.history import Progress
from core.initialisers import INITIALISER, INITIALISERS, initialiser
from core.optimizers import OPTIMIZERS
from core.rates import Rate

STEPS = 16
"""Values of a setting that are tried."""
MOST_CELLS = STEPS**2
RUNS_OF_MAP, RUNS_OF_CURVE = 8, 32
"""Runs of each setting by default."""
UNITS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)
HELD_OUT = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5)
MOST_HIDDEN = 5


@dataclass(frozen=True)
class Axis:
    """A setting that is varied.

    Attributes:
        name: Stable, in kebab case.
        label: In words.
        values: The values to try on an experiment, lowest first, among them the present one; ()
            where the experiment has no such setting.
        present: The experiment's own value; None where it has none or several.
        put: The experiment with another value. Raises InvalidExperiment where it does not fit.
        stacked: Whether runs of one compiled program can differ in it.
        log: Whether the values are evenly spaced by their logarithms.
        numeric: Whether they are numbers rather than names.
    """

    name: str
    label: str
    values: Callable[[Experiment], tuple]
    present: Callable[[Experiment], Any]
    put: Callable[[Any, Experiment], Experiment]
    stacked: bool = False
    log: bool = False
    numeric: bool = True

    def text(self, value: Any) -> str:
        """A value in words."""
        if not self.numeric:
            return str(value).replace("_", " ")
        return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.3g}"

    def of(self, experiment: Experiment, value: Any) -> Experiment:
        """The experiment with this value; itself where it has it already."""
        return experiment if value == self.present(experiment) else self.put(value, experiment)


def _steps(present: float, above: int, each: float = 0.5) -> tuple[float, ...]:
    """STEPS values `each` powers of ten apart, of which `above` are above the present one."""
    powers = range(above - STEPS + 1, above + 1)
    return tuple(
        present if power == 0 else float(f"{present * 10 ** (each * power):.3g}")
        for power in powers
    )


def _with_present(values: Iterable, present: Any) -> tuple:
    return tuple(sorted({*values, present} if present is not None else set(values)))


# --- values of runs of one program --------------------------------------------------------------


def _rate(experiment: Experiment) -> float:
    return experiment.training.optimizer.learning_rate


def _divisor(experiment: Experiment) -> float | None:
    return {"none": 1.0, "divide": experiment.data.divisor}.get(experiment.data.scaling)


@lru_cache(maxsize=64)
def _divisors(experiment: Experiment) -> tuple[float, ...]:
    """From inputs a little below 1 up to those that there are and above, where they are large."""
    present = _divisor(experiment)
    if present is None:
        return ()
    largest = float(np.abs(prepare(experiment.data, 0, 0).x).max(initial=0))
    above = round(2 * math.log10(largest)) + 3 if largest > 0 and math.isfinite(largest) else 0
    return _steps(present, int(np.clip(above, 6, 12)))


def _divided(divisor: float, experiment: Experiment) -> Experiment:
    return with_data(scaling="divide", divisor=divisor)(experiment)


def _scaled(factor: float, experiment: Experiment) -> Experiment:
    layers = tuple(
        replace(layer, initialiser=initialiser(layer.initialiser).scaled(factor))
        if isinstance(layer, Dense)
        else layer
        for layer in experiment.model.layers
    )
    return replace(experiment, model=Model(layers))


def _seeds(experiment: Experiment) -> tuple[int, ...]:
    data = experiment.data
    return _with_present(range(STEPS), data.seed)[-STEPS:] if data.source.random else ()


# --- settings with programs of their own --------------------------------------------------------


def _hidden(experiment: Experiment) -> tuple[Dense, ...]:
    return experiment.model.dense[:-1]


def _same(values: Iterable) -> Any:
    """What all of them are; None where they differ, or there are none."""
    found = set(values)
    return found.pop() if len(found) == 1 else None


def _units(experiment: Experiment) -> int | None:
    return _same(layer.units for layer in _hidden(experiment))


def _with_layers(count: int, experiment: Experiment) -> Experiment:
    """So many hidden dense layers: the first ones, or the last one again and again."""
    model = experiment.model
    places = [n for n, layer in enumerate(model.before) if isinstance(layer, Dense)]
    if count < len(places):
        before = model.before[: places[count]]
    else:
        before = (*model.before, *[model.dense[-2]] * (count - len(places)))
    return replace(experiment, model=Model((*before, model.output, *model.after)))


def _doubled(present: int, most: int) -> tuple[int, ...]:
    values = (round(present * 2.0**power) for power in range(-4, 5))
    return _with_present((value for value in values if 1 <= value <= most), present)


def _optimizer(name: str, experiment: Experiment) -> Experiment:
    """Another optimizer at the same learning rate."""
    return with_training(optimizer=OPTIMIZERS[name](learning_rate=_rate(experiment)))(experiment)


def _initialisers(experiment: Experiment) -> tuple[str, ...]:
    return tuple(name for name, kind in INITIALISERS.items() if kind.by_name and kind.random)


def _own_initialiser(experiment: Experiment) -> str | None:
    own = _same(layer.initialiser for layer in _hidden(experiment))
    return None if own is None else INITIALISER.name(own)


def _if_hidden(values: Callable[[Experiment], tuple]) -> Callable[[Experiment], tuple]:
    return lambda experiment: values(experiment) if _hidden(experiment) else ()


AXES: dict[str, Axis] = named(
    (
        Axis(
            "learning-rate",
            "Learning rate",
            lambda experiment: tuple(rate for rate in _steps(_rate(experiment), 9) if rate <= 1e3),
            _rate,
            with_rate,
            stacked=True,
            log=True,
        ),
        Axis(
            "input-scale",
            "Inputs divided by",
            _divisors,
            _divisor,
            _divided,
            stacked=True,
            log=True,
        ),
        Axis(
            "initial-scale",
            "Initial weights multiplied by",
            lambda experiment: _steps(1.0, 7, each=0.25),
            lambda experiment: 1.0,
            _scaled,
            stacked=True,
            log=True,
        ),
        Axis(
            "data-seed",
            "Data seed",
            _seeds,
            lambda experiment: experiment.data.seed,
            lambda seed, experiment: with_data(seed=seed)(experiment),
            stacked=True,
        ),
        Axis(
            "units",
            "Units of each hidden layer",
            _if_hidden(lambda experiment: _with_present(UNITS, _units(experiment))),
            _units,
            lambda units, experiment: with_hidden(units=units)(experiment),
        ),
        Axis(
            "layers",
            "Hidden layers",
            _if_hidden(
                lambda experiment: _with_present(
                    range(1, MOST_HIDDEN + 1), len(_hidden(experiment))
                )
            ),
            lambda experiment: len(_hidden(experiment)),
            _with_layers,
        ),
        Axis(
            "batch-size",
            "Batch size",
            lambda experiment: _doubled(
                experiment.training.batch_size, experiment.data.training_rows
            ),
            lambda experiment: experiment.training.batch_size,
            lambda size, experiment: with_training(batch_size=size)(experiment),
            log=True,
        ),
        Axis(
            "optimizer",
            "Optimizer",
            lambda experiment: tuple(OPTIMIZERS),
            lambda experiment: type(experiment.training.optimizer).__name__,
            _optimizer,
            numeric=False,
        ),
        Axis(
            "activation",
            "Activation of hidden layers",
            _if_hidden(lambda experiment: tuple(ACTIVATIONS)),
            lambda experiment: _same(each.name for each in experiment.model.activations[:-1]),
            lambda name, experiment: with_hidden(activation=name)(experiment),
            numeric=False,
        ),
        Axis(
            "initialiser",
            "Initialiser of hidden layers",
            _if_hidden(_initialisers),
            _own_initialiser,
            lambda name, experiment: with_hidden(initialiser=name)(experiment),
            numeric=False,
        ),
        Axis(
            "epochs",
            "Epochs",
            lambda experiment: _doubled(experiment.training.epochs, 10_000),
            lambda experiment: experiment.training.epochs,
            lambda epochs, experiment: with_training(epochs=epochs)(experiment),
            log=True,
        ),
        Axis(
            "hold-out",
            "Held-out fraction",
            lambda experiment: _with_present(HELD_OUT, experiment.data.hold_out),
            lambda experiment: experiment.data.hold_out,
            lambda share, experiment: with_data(hold_out=share)(experiment),
        ),
    )
)
"""The settings that can be varied, by name; those of one program first."""


def available(experiment: Experiment) -> tuple[Axis, ...]:
    """The axes on which an experiment has a place, and others to compare it with."""
    return tuple(axis for axis in AXES.values() if len(axis.values(experiment)) > 1)


# --- the result ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Sensitivity:
    """How many runs succeed at each value of one setting, or each pair of values of two.

    Attributes:
        experiment: The one whose settings are varied.
        axes: The names of one or two AXES.
        runs: Of each setting, with the same seeds for all.
        seed: Of the runs.
        target: The score at which a run succeeds.
        successes: int, of the values' shape: (values of the first axis,) or (first, second); -1
            for a setting that cannot be trained.
    """

    experiment: Experiment
    axes: tuple[str, ...]
    runs: int
    seed: int
    target: float
    successes: np.ndarray

    @cached_property
    def values(self) -> tuple[tuple, ...]:
        """The values of each axis."""
        return tuple(AXES[name].values(self.experiment) for name in self.axes)

    @cached_property
    def cells(self) -> Mapping[tuple[int, ...], Experiment]:
        """The experiment of each setting that can be trained, by the indices of its values."""
        return plan(self.experiment, self.axes)

    def place(self, experiment: Experiment) -> tuple[int, ...] | None:
        """The indices of the setting that is this experiment; None where none of them is."""
        return next((index for index, each in self.cells.items() if each == experiment), None)

    def frame(self) -> pd.DataFrame:
        """A row for each setting that was trained.

        Returns:
            Columns for the axes, by name: the values; successes, runs, rate, low and high (the
            rate's 95% Wilson interval).
        """
        rows = []
        for index in self.cells:
            rate = Rate(int(self.successes[index]), self.runs)
            own = {name: self.values[n][index[n]] for n, name in enumerate(self.axes)}
            rows.append(
                {
                    **own,
                    "successes": rate.successes,
                    "runs": rate.runs,
                    "rate": rate.value,
                    "low": rate.low,
                    "high": rate.high,
                }
            )
        return pd.DataFrame(rows)


def plan(experiment: Experiment, axes: Sequence[str]) -> dict[tuple[int, ...], Experiment]:
    """The experiment of each setting that can be trained, by the indices of its values.

    Raises:
        ValueError: If there are not one or two axes, the experiment has no such setting, or one of
            two needs programs of its own.
    """
    chosen = [entry("setting", AXES, name) for name in axes]
    if not 1 <= len(set(axes)) == len(axes) <= 2:
        raise ValueError(f"{', '.join(axes) or 'nothing'}: one setting is varied, or two are")
    if len(chosen) > 1 and not all(axis.stacked for axis in chosen):
        stacked = ", ".join(axis.name for axis in AXES.values() if axis.stacked)
        raise ValueError(f"a map has two of {stacked}: other settings are varied alone")
    values = [axis.values(experiment) for axis in chosen]
    for axis, own in zip(chosen, values, strict=True):
        if not own:
            raise ValueError(f"this experiment has no {axis.label.lower()} to vary")
    cells = {}
    for index in product(*(range(len(own)) for own in values)):
        changed = experiment
        try:
            for axis, own, place in zip(chosen, values, index, strict=True):
                changed = axis.of(changed, own[place])
        except InvalidExperiment:
            continue
        cells[index] = changed
    return cells


def sensitivity(
    experiment: Experiment,
    axes: Sequence[str],
    runs: int | None = None,
    seed: int = 0,
    target: float | None = None,
    on_progress: Callable[[Progress], object] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Sensitivity | None:
    """Train an experiment at many values of one setting, or pairs of values of two.

    Args:
        experiment: Whose settings are varied.
        axes: The names of one or two AXES.
        runs: Of each setting; 8 on a map and 32 on a curve if None.
        seed: Of the runs, the same at each setting.
        target: The score at which a run succeeds; that of the experiment's task if None.
        on_progress, should_stop: As for `core.training.train_all`.

    Returns:
        The counts; None if the training was stopped.

    Raises:
        ValueError: As `plan`.
    """
    # Imported here so that a page can hold a Sensitivity without loading TensorFlow.
    from core.training import train_all

    cells = plan(experiment, axes)
    runs = default_runs(axes) if runs is None else runs
    target = experiment.task.target if target is None else target
    distinct = list(dict.fromkeys(cells.values()))
    histories = train_all(distinct, runs, seed, on_progress, should_stop)
    if histories is None:
        return None
    learned = {
        each: int(history.successes(target).sum())
        for each, history in zip(distinct, histories, strict=True)
    }
    shape = [len(AXES[name].values(experiment)) for name in axes]
    successes = np.full(shape, -1)
    for index, each in cells.items():
        successes[index] = learned[each]
    return Sensitivity(experiment, tuple(axes), runs, seed, target, successes)


def default_runs(axes: Sequence[str]) -> int:
    """Runs of each setting: as many as make the same stacks of a map and of a curve."""
    return RUNS_OF_MAP if len(axes) > 1 else RUNS_OF_CURVE
