"""What was said about the threshold problem."""

from __future__ import annotations

from dataclasses import replace

from core.claims.claim import OURS, Arm, Claim, Source
from core.claims.criteria import (
    AllAccuracies,
    FinalAccuracy,
    NoWorse,
    SameOutcome,
    StuckExactlyWhenDead,
    TrainingFlatters,
)
from core.claims.untrained_criteria import RowsLost, SecondClassShrinks
from core.experiment import Dense, Experiment, Model
from core.fixes import softmax_output, with_training
from core.posts import POSTS
from core.problems import PROBLEMS

POST = POSTS["threshold"]
QUESTION = Source("asker", "Threshold question", POST)
ANSWER = Source("answer", "Answer to the threshold question", POST)
COMMENT = Source("comment", "Comment on the threshold question", POST)

_problem = PROBLEMS["threshold"]
_baseline = _problem.experiment


def _fixed(*keys: str, epochs: int = _baseline.training.epochs) -> Experiment:
    experiment = with_training(epochs=epochs)(_baseline)
    for key in keys:
        experiment = _problem.fixes[key].apply(experiment)
    return experiment


def _of_size(*units: int) -> Arm:
    label = " \N{RIGHTWARDS ARROW} ".join(map(str, (1, *units, 1)))
    layers = (*(Dense(count, "relu") for count in units), _baseline.model.output)
    return Arm(label, replace(_baseline, model=Model(layers)))


AS_ASKED = Arm("As asked", _baseline)
BOTH = ("sigmoid-output", "scale-inputs")

CLAIMS = (
    Claim(
        "threshold-always-half",
        "threshold",
        "The network as asked always ends at an accuracy of about 50%.",
        QUESTION,
        "50.1% after 10 epochs",
        (AS_ASKED,),
        FinalAccuracy(0.45, 0.55),
        "About 50% means within 5 percentage points of it.",
    ),
    Claim(
        "threshold-size-does-not-help",
        "threshold",
        "Other numbers of layers and units leave the accuracy where it is.",
        QUESTION,
        "basically the same",
        (_of_size(16), _of_size(10, 10), _of_size(8, 8, 8), AS_ASKED),
        AllAccuracies(0.45, 0.55),
        "The sizes that were tried are not known; these are three of ours and the one asked about. "
        "As long as the output is a ReLU and the inputs are not scaled, size makes no difference.",
    ),
    Claim(
        "threshold-sigmoid-94",
        "threshold",
        "A sigmoid output alone gives about 94% after 5 epochs.",
        ANSWER,
        "94.4% after 5 epochs",
        (
            Arm("As asked, 5 epochs", _fixed(epochs=5)),
            Arm("Sigmoid output, 5 epochs", _fixed("sigmoid-output", epochs=5)),
        ),
        FinalAccuracy(low=0.93),
        "About 94% means 93% or more. The one run that was reported was a lucky one.",
        fits=8,
    ),
    Claim(
        "threshold-both-998",
        "threshold",
        "A sigmoid output and inputs in [0, 1] together give 99.8% after 5 epochs.",
        ANSWER,
        "99.8% after 5 epochs",
        (
            Arm("As asked, 5 epochs", _fixed(epochs=5)),
            Arm("Both changes, 5 epochs", _fixed(*BOTH, epochs=5)),
        ),
        FinalAccuracy(low=0.99),
        "99% or more counts. The reported figure is what a run reaches when it learns at all.",
        fits=8,
    ),
    Claim(
        "threshold-standardise",
        "threshold",
        "Zero mean and unit variance is the scale that inputs should have.",
        ANSWER,
        "no figure; the answer then scales to [0, 1]",
        (
            Arm("Sigmoid output, inputs in [0, 1]", _fixed(*BOTH)),
            Arm("Sigmoid output, standardised", _fixed("sigmoid-output", "standardise-inputs")),
        ),
        NoWorse(0.01),
        "Compared run by run with the answer's own [0, 1]: standardised inputs lie on both sides "
        "of zero, so fewer networks start with a dead layer.",
    ),
    Claim(
        "threshold-softmax-equivalent",
        "threshold",
        "Two softmax units are equivalent to one sigmoid unit.",
        ANSWER,
        "no figure",
        (
            Arm("One sigmoid unit", _fixed("sigmoid-output")),
            Arm("Two softmax units", softmax_output(_baseline)),
        ),
        SameOutcome(),
        "Both can express the same functions, but they start from different weights and train "
        "differently, so a run can succeed with one and fail with the other.",
    ),
    Claim(
        "threshold-training-data-mislead",
        "threshold",
        "An accuracy measured on the training data misleads.",
        COMMENT,
        "no figure",
        (Arm("Both changes, a fifth held out", _fixed(*BOTH, "hold-out")),),
        TrainingFlatters(0.01),
        "Sound advice in general; with one number and a threshold there is nothing to memorise.",
    ),
    Claim(
        "threshold-shuffle-loses-rows",
        "threshold",
        "random.shuffle on the rows of a NumPy array loses about half of them.",
        OURS,
        "not mentioned",
        (AS_ASKED,),
        RowsLost(_baseline.data.source.rows, 0.45, 0.55),
        "Rows of an array are views, so swapping two of them copies one over the other. A "
        "permutation, or numpy.random.shuffle, keeps all rows.",
    ),
    Claim(
        "threshold-shuffle-tilts-classes",
        "threshold",
        "If the rows were sorted by class, that shuffle would all but remove one class.",
        OURS,
        "not mentioned",
        (AS_ASKED,),
        SecondClassShrinks(_baseline.data.source.rows, 0.2),
        "Each row becomes a copy of an earlier one, so the first class spreads. A network that "
        "always predicts it then seems to have learned. The question alternates its classes, "
        "which avoids this.",
    ),
    Claim(
        "threshold-shuffle-is-not-the-cause",
        "threshold",
        "The lost rows are not why the network fails to learn.",
        OURS,
        "not mentioned",
        (AS_ASKED, Arm("Shuffled without loss", _fixed("shuffle-rows"))),
        FinalAccuracy(0.45, 0.55),
        "With every row kept, it still ends at about 50%.",
    ),
    Claim(
        "threshold-both-learn",
        "threshold",
        "Both accepted changes together make the network learn.",
        ANSWER,
        "99.8% after 5 epochs",
        (AS_ASKED, Arm("Both changes", _fixed(*BOTH))),
        FinalAccuracy(low=0.9),
        "With the question's 10 epochs, and 90% as the target.",
    ),
    Claim(
        "threshold-stuck-means-dead",
        "threshold",
        "With both changes, a run fails if and only if a whole hidden layer is dead.",
        OURS,
        "not mentioned",
        (Arm("Both changes", _fixed(*BOTH)),),
        StuckExactlyWhenDead(),
        "Inputs in [0, 1] are never negative: where the few ReLU units of a layer all start with "
        "the wrong sign, they output 0 for every sample, and no gradient passes through them.",
    ),
    Claim(
        "threshold-centred-and-wider-free",
        "threshold",
        "With standardised inputs and 10 units per hidden layer, every run succeeds.",
        OURS,
        "not mentioned",
        (
            Arm("Both changes", _fixed(*BOTH)),
            Arm(
                "Sigmoid output, standardised, 10 units per layer",
                _fixed("sigmoid-output", "standardise-inputs", "wider-hidden"),
            ),
        ),
        FinalAccuracy(low=0.9),
        "A layer of ten units with inputs of both signs is hardly ever dead from the start.",
    ),
)
