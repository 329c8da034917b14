"""The two problems: the experiment that each question describes and the fixes proposed for it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, combinations

from core.draft import leaves
from core.experiment import (
    Adam,
    Blobs,
    Data,
    Dense,
    Experiment,
    InvalidExperiment,
    Model,
    RMSprop,
    Threshold,
    Training,
)
from core.fixes import (
    HOLD_OUT,
    STANDARDISE,
    Fix,
    apply_all,
    labels_from_zero,
    sigmoid_output,
    with_data,
    with_hidden,
    with_rate,
    with_training,
)


@dataclass(frozen=True)
class Problem:
    """A question about a network that does not learn.

    Attributes:
        key: A stable name in kebab case, as links write it.
        title: Two or three words.
        experiment: The baseline: data, model and training as in the question.
        variants: Other forms of the baseline, by key.
        fixes: The proposed fixes by key, in the order in which they are applied.
        compared: The keys of the fixes that are compared by default.
    """

    key: str
    title: str
    experiment: Experiment
    variants: dict[str, Experiment]
    fixes: dict[str, Fix]
    compared: tuple[str, ...] = ()


def _by_key(*fixes: Fix) -> dict[str, Fix]:
    return {fix.key: fix for fix in fixes}


def use_rmsprop(experiment: Experiment) -> Experiment:
    """RMSprop at the same learning rate."""
    rate = experiment.training.optimizer.learning_rate
    return with_training(optimizer=RMSprop(learning_rate=rate))(experiment)


THRESHOLD = Problem(
    key="threshold",
    title="Threshold problem",
    experiment=Experiment(
        data=Data(source=Threshold(threshold=50_000, samples=5_000), shuffling="rows"),
        model=Model((Dense(3, "relu"), Dense(5, "relu"), Dense(1, "relu"))),
        training=Training(loss="binary_crossentropy", optimizer=Adam(), batch_size=5, epochs=10),
    ),
    variants={},
    compared=("sigmoid-output", "scale-inputs", "standardise-inputs", "shuffle-rows"),
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

_TWO_BLOB_BASELINE = Experiment(
    data=Data(source=Blobs(), shuffling="none", label_values=(1.0, 2.0), encoding="one-hot"),
    model=Model((Dense(2, "sigmoid"), Dense(2, "softmax"))),
    training=Training(loss="categorical_crossentropy", optimizer=Adam(), batch_size=32, epochs=50),
)

TWO_BLOB = Problem(
    key="two-blob",
    title="Two-blob problem",
    experiment=_TWO_BLOB_BASELINE,
    compared=("labels-from-zero", "sigmoid-output", "wider-hidden", "higher-learning-rate"),
    variants={
        "labels-left-at-1-and-2": replace(
            sigmoid_output(_TWO_BLOB_BASELINE),
            data=replace(_TWO_BLOB_BASELINE.data, encoding="as-is"),
        )
    },
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
            "For two classes, one sigmoid unit with binary cross-entropy is the standard choice.",
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
            partial(with_rate, 0.1),
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

PROBLEMS: dict[str, Problem] = {problem.key: problem for problem in (THRESHOLD, TWO_BLOB)}
"""The problems by their key."""


MANY, FEW = 8, 2
"""The most fixes of which every combination is tried, and how many of more are combined."""


def leading_to(problem: Problem, experiment: Experiment) -> tuple[str | None, tuple[str, ...]]:
    """The variant of a problem and the fixes whose result is closest to an experiment.

    The closest result has the fewest values that differ; of equals, the one with the fewest fixes
    is taken. Of more than MANY fixes, at most FEW are combined.

    Args:
        problem: Whose baseline, variants and fixes are combined.
        experiment: To be reached.

    Returns:
        The key of the variant, or None for the baseline, and the keys of the fixes in the order in
        which they are applied.
    """
    target = leaves(experiment)
    keys = tuple(problem.fixes)
    most = len(keys) if len(keys) <= MANY else FEW
    subsets = tuple(chain.from_iterable(combinations(keys, n) for n in range(most + 1)))
    starts: dict[str | None, Experiment] = {None: problem.experiment}
    starts.update(problem.variants)

    def differing(start: str | None, chosen: tuple[str, ...]) -> int:
        try:
            reached = leaves(apply_all((problem.fixes[key] for key in chosen), starts[start]))
        except InvalidExperiment:
            return len(target)
        return sum(reached.get(name) != target.get(name) for name in reached.keys() | target.keys())

    return min(
        ((start, chosen) for start in starts for chosen in subsets),
        key=lambda candidate: (differing(*candidate), len(candidate[1])),
    )
