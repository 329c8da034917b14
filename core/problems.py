"""The two questions exactly as they were asked, and the fixes proposed for each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import partial
from itertools import chain, combinations
from types import MappingProxyType

from core.experiment import (
    Adam,
    Blobs,
    Data,
    Dense,
    Experiment,
    Model,
    RMSprop,
    Threshold,
    Training,
)

TARGET = 0.9
"""A run succeeds when its final accuracy reaches this, unless another target is chosen."""


@dataclass(frozen=True)
class Fix:
    """A named edit of an experiment.

    key: stable name; title: two or three words; why: one sentence; source: who proposed it
    (`asker`, `answer`, `comment` or `ours`).
    """

    key: str
    title: str
    why: str
    source: str
    edit: Callable[[Experiment], Experiment]

    def apply(self, experiment: Experiment) -> Experiment:
        return self.edit(experiment)


@dataclass(frozen=True)
class Problem:
    """A question: the experiment as asked, other forms of it, and its fixes, each by key."""

    key: str
    title: str
    experiment: Experiment
    variants: Mapping[str, Experiment]
    fixes: Mapping[str, Fix]


def apply_all(fixes: tuple[Fix, ...], experiment: Experiment) -> Experiment:
    """The experiment after every fix, in the given order."""
    for fix in fixes:
        experiment = fix.apply(experiment)
    return experiment


def excluded(fixes: Mapping[str, Fix], experiment: Experiment) -> dict[str, tuple[str, ...]]:
    """For each fix, by key, the fixes that it excludes on this experiment, in the given order.

    Two fixes exclude each other where each changes the experiment and applying both, in either
    order, gives what the later one gives alone: it replaces the earlier one.
    """
    alone = {key: fix.apply(experiment) for key, fix in fixes.items()}
    acting = [key for key in fixes if alone[key] != experiment]

    def replaces(later: str, earlier: str) -> bool:
        return fixes[later].apply(alone[earlier]) == alone[later]

    pairs = {
        frozenset(pair)
        for pair in combinations(acting, 2)
        if replaces(*pair) and replaces(*reversed(pair))
    }
    return {key: tuple(other for other in fixes if {key, other} in pairs) for key in fixes}


# Edits are functions of a module, or `partial`s of one, so that a Fix can travel to the worker.


def with_data(**changes) -> Callable[[Experiment], Experiment]:
    return partial(_change_data, changes)


def with_training(**changes) -> Callable[[Experiment], Experiment]:
    return partial(_change_training, changes)


def with_hidden(**changes) -> Callable[[Experiment], Experiment]:
    """Change every hidden dense layer."""
    return partial(_change_hidden, changes)


def _change_data(changes: dict, experiment: Experiment) -> Experiment:
    return replace(experiment, data=replace(experiment.data, **changes))


def _change_training(changes: dict, experiment: Experiment) -> Experiment:
    return replace(experiment, training=replace(experiment.training, **changes))


def _change_hidden(changes: dict, experiment: Experiment) -> Experiment:
    *hidden, output = experiment.model.layers
    layers = (replace(h, **changes) if isinstance(h, Dense) else h for h in hidden)
    return replace(experiment, model=Model((*layers, output)))


def sigmoid_output(experiment: Experiment) -> Experiment:
    """One sigmoid unit and binary cross-entropy; one-hot labels become one column of 0 and 1."""
    data = experiment.data
    return replace(
        experiment,
        data=replace(data, encoding="index") if data.encoding == "one-hot" else data,
        model=Model(
            (
                *experiment.model.layers[:-1],
                replace(experiment.model.output, units=1, activation="sigmoid"),
            )
        ),
        training=replace(experiment.training, loss="binary_crossentropy"),
    )


def labels_from_zero(experiment: Experiment) -> Experiment:
    classes = range(experiment.data.source.classes)
    return with_data(label_values=tuple(float(k) for k in classes))(experiment)


def higher_learning_rate(experiment: Experiment) -> Experiment:
    optimizer = replace(experiment.training.optimizer, learning_rate=0.1)
    return with_training(optimizer=optimizer)(experiment)


def use_rmsprop(experiment: Experiment) -> Experiment:
    rate = experiment.training.optimizer.learning_rate
    return with_training(optimizer=RMSprop(learning_rate=rate))(experiment)


def _by_key(*fixes: Fix) -> Mapping[str, Fix]:
    return MappingProxyType({fix.key: fix for fix in fixes})


STANDARDISE = Fix(
    "standardise-inputs",
    "Standardise inputs",
    "Inputs with zero mean and unit variance suit the scale of the initial weights and lie on "
    "both sides of zero.",
    "answer",
    with_data(scaling="standardise"),
)
HOLD_OUT = Fix(
    "hold-out",
    "Hold out data",
    "Accuracy on the training rows cannot show whether the network generalises; a fifth of the "
    "rows is kept for that.",
    "comment",
    with_data(hold_out=0.2),
)

THRESHOLD = Problem(
    key="threshold",
    title="Threshold problem",
    experiment=Experiment(
        data=Data(source=Threshold(threshold=50_000, samples=5_000), shuffling="rows"),
        model=Model((Dense(3, "relu"), Dense(5, "relu"), Dense(1, "relu"))),
        training=Training(loss="binary_crossentropy", optimizer=Adam(), batch_size=5, epochs=10),
    ),
    variants=MappingProxyType({}),
    fixes=_by_key(
        Fix(
            "sigmoid-output",
            "Sigmoid output",
            "The loss clips a ReLU output, which has no gradient at 0; a sigmoid always gives a "
            "probability.",
            "answer",
            sigmoid_output,
        ),
        Fix(
            "scale-inputs",
            "Scale inputs to [0, 1]",
            "Inputs of up to 100,000 swamp the initial weights and biases; divided by 100,000 "
            "they lie between 0 and 1.",
            "answer",
            with_data(scaling="divide", divisor=100_000.0),
        ),
        STANDARDISE,
        Fix(
            "shuffle-rows",
            "Shuffle without losing rows",
            "random.shuffle on the rows of a NumPy array overwrites about half of them; a "
            "permutation keeps every row.",
            "ours",
            with_data(shuffling="permutation"),
        ),
        HOLD_OUT,
        Fix(
            "he-initialisation",
            "He initialisation",
            "Weights drawn for ReLU layers keep the size of the signal from layer to layer.",
            "ours",
            with_hidden(initialiser="he_normal"),
        ),
        Fix(
            "wider-hidden",
            "Wider hidden layers",
            "With 10 units in each hidden layer it is less likely that all of them are dead "
            "before training; the asker tried other sizes too.",
            "asker",
            with_hidden(units=10),
        ),
    ),
)

_TWO_BLOB_AS_ASKED = Experiment(
    data=Data(source=Blobs(), shuffling="none", label_values=(1.0, 2.0), encoding="one-hot"),
    model=Model((Dense(2, "sigmoid"), Dense(2, "softmax"))),
    training=Training(loss="categorical_crossentropy", optimizer=Adam(), batch_size=32, epochs=50),
)

TWO_BLOB = Problem(
    key="two-blob",
    title="Two-blob problem",
    experiment=_TWO_BLOB_AS_ASKED,
    variants=MappingProxyType(
        {
            "labels-left-at-1-and-2": replace(
                sigmoid_output(_TWO_BLOB_AS_ASKED),
                data=replace(_TWO_BLOB_AS_ASKED.data, encoding="as-is"),
            )
        }
    ),
    fixes=_by_key(
        Fix(
            "labels-from-zero",
            "Labels from zero",
            "A network whose output lies between 0 and 1 can never predict a label of 2.",
            "answer",
            labels_from_zero,
        ),
        Fix(
            "sigmoid-output",
            "One sigmoid output",
            "For two classes, one sigmoid unit with binary cross-entropy is the usual choice.",
            "answer",
            sigmoid_output,
        ),
        Fix(
            "wider-hidden",
            "10 hidden units",
            "With more hidden units it is more likely that some of them separate the classes.",
            "answer",
            with_hidden(units=10),
        ),
        Fix(
            "more-epochs",
            "500 epochs",
            "A network that is still improving only needs more updates.",
            "asker",
            with_training(epochs=500),
        ),
        Fix(
            "higher-learning-rate",
            "Learning rate 0.1",
            "Each update moves the weights by about the learning rate; 0.1 is a hundred times "
            "the default.",
            "answer",
            higher_learning_rate,
        ),
        Fix(
            "rmsprop",
            "RMSprop",
            "Another optimizer that scales the gradient in its own way, at the same learning rate.",
            "answer",
            use_rmsprop,
        ),
        replace(
            STANDARDISE,
            why="Both clusters lie in one narrow corner of positive inputs; once centred and "
            "spread out, small weights already tell them apart.",
            source="ours",
        ),
        replace(HOLD_OUT, source="ours"),
    ),
)

PROBLEMS: Mapping[str, Problem] = MappingProxyType(
    {problem.key: problem for problem in (THRESHOLD, TWO_BLOB)}
)


def leading_to(problem: Problem, experiment: Experiment) -> tuple[str | None, tuple[str, ...]]:
    """The form of the question, and the fixes on it, that come closest to an experiment.

    The key of a variant, or None for the question as asked, and keys of fixes in the order in which
    they are applied. The fewest values of the experiment are left to be changed by hand, by the
    fewest fixes.
    """
    wanted = _leaves(experiment)
    keys = tuple(problem.fixes)
    subsets = tuple(chain.from_iterable(combinations(keys, n) for n in range(len(keys) + 1)))
    starts = {None: problem.experiment, **problem.variants}

    def left_over(start: str | None, chosen: tuple[str, ...]) -> int:
        fixes = tuple(problem.fixes[key] for key in chosen)
        reached = _leaves(apply_all(fixes, starts[start]))
        return sum(reached.get(name) != wanted.get(name) for name in reached.keys() | wanted.keys())

    return min(
        ((start, chosen) for start in starts for chosen in subsets),
        key=lambda way: (left_over(*way), len(way[1])),
    )


def _leaves(value: object, name: str = "") -> dict[str, object]:
    """The plain values in nested dataclasses by their path; layers are counted from the output."""
    if is_dataclass(value):
        parts = [(field.name, getattr(value, field.name)) for field in fields(value)]
        parts.append(("kind", type(value).__name__))
    elif isinstance(value, tuple) and value and is_dataclass(value[0]):
        parts = list(zip(range(-len(value), 0), value, strict=True))
    else:
        return {name: value}
    leaves: dict[str, object] = {}
    for part, inner in parts:
        leaves |= _leaves(inner, f"{name}.{part}")
    return leaves
