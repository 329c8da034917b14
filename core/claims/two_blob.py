"""What was said about the two-blob problem."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import numpy as np

from core.claims.claim import OURS, Arm, Claim, Source
from core.claims.criteria import (
    FinalAccuracy,
    FirstEpoch,
    Frees,
    NoWorse,
    OneClassPredicted,
    Overfits,
    SameOutcome,
    Sooner,
)
from core.claims.untrained_criteria import DrawFromReversedBounds, FitAccepts
from core.experiment import Adam, Blobs, Dense, Experiment, Model, RMSprop, Table
from core.fixes import sigmoid_output, with_data, with_hidden, with_training
from core.posts import POSTS
from core.problems import PROBLEMS

POST = POSTS["two-blob"]
QUESTION = Source("asker", "Two-blob question", POST)
FIRST = Source("answer", "First answer to the two-blob question", POST)
SECOND = Source("answer", "Second answer to the two-blob question", POST)
COMMENT = Source("comment", "Comment on the two-blob question", POST)

NOT_THE_ROWS = (
    "The asker's own rows are not in the post; these are the two squares of the second answer."
)

_problem = PROBLEMS["two-blob"]
_baseline = _problem.experiment
_squares = cast(Blobs, _baseline.data.source)
_left_at_1_and_2 = _problem.variants["labels-left-at-1-and-2"]


def _form(base: Experiment, epochs: int, units: int = 2, **training) -> Experiment:
    return with_training(epochs=epochs, **training)(with_hidden(units=units)(base))


_one_sigmoid = sigmoid_output(_baseline)
# The second answer's own program: labels 0 and 1, every row kept, one sigmoid unit, RMSprop.
_answered = replace(
    with_training(optimizer=RMSprop())(_one_sigmoid),
    data=replace(_baseline.data, shuffling="permutation", label_values=(0, 1), encoding="as-is"),
)
_answered_held_out = with_data(hold_out=0.2)(_answered)
_logistic = replace(_form(_answered, 100, optimizer=Adam(0.1)), model=Model((Dense(1, "sigmoid"),)))


def _on_a_grid(experiment: Experiment) -> Experiment:
    """The same two squares, filled evenly instead of at random."""
    side = 14  # about as many points as there are at random
    inputs = [
        (float(x), float(y))
        for low, high in _squares.bounds
        for x in np.linspace(low, high, side)
        for y in np.linspace(low, high, side)
    ]
    labels = np.repeat([0, 1], side * side)
    return with_data(source=Table(np.array(inputs), labels))(experiment)


TWO_UNITS = Arm("2 hidden units", _form(_answered, 500))
FIVE_UNITS = Arm("5 hidden units", _form(_answered, 500, 5))
TEN_UNITS = Arm("10 hidden units", _form(_answered, 500, 10))
AS_ASKED = Arm("As asked", _baseline)
LONG = Arm("As asked, 500 epochs", _form(_baseline, 500))
ONE_SIGMOID = Arm("One sigmoid output", _one_sigmoid)
LONG_SIGMOID = Arm("One sigmoid output, 500 epochs", _form(_one_sigmoid, 500))
FIFTY = Arm("RMSprop, 50 epochs", _form(_answered, 50))

CLAIMS = (
    Claim(
        "two-blob-half-as-asked",
        "two-blob",
        "The network as asked predicts one class for everything, and so stays at 50%.",
        QUESTION,
        "50%, all 1s or all 2s",
        (AS_ASKED,),
        OneClassPredicted(),
        "How long it was trained at first is not known; this is after 50 epochs. " + NOT_THE_ROWS,
    ),
    Claim(
        "two-blob-half-until-72",
        "two-blob",
        "The accuracy is 50% until epoch 72.",
        QUESTION,
        "rises from 0.5 at epoch 72",
        (LONG,),
        FirstEpoch(0.55, low=72),
        "55% is taken as the first accuracy that is no longer 50%. " + NOT_THE_ROWS,
    ),
    Claim(
        "two-blob-solved-by-98",
        "two-blob",
        "By epoch 98 the accuracy is 100%.",
        QUESTION,
        "1.0 at epoch 98",
        (LONG,),
        FirstEpoch(0.99, high=98),
        "99% is taken as 100%. " + NOT_THE_ROWS,
    ),
    Claim(
        "two-blob-logistic-regression",
        "two-blob",
        "Logistic regression reaches 100%.",
        QUESTION,
        "100%",
        (AS_ASKED, Arm("Logistic regression", _logistic)),
        FinalAccuracy(low=0.999),
        "It is the network without its hidden layer, here trained by Adam at a learning rate of "
        "0.1 for 100 epochs, not by scikit-learn's solver.",
    ),
    Claim(
        "two-blob-sigmoid-half-until-200",
        "two-blob",
        "With one sigmoid output the accuracy is still 50% after 200 epochs.",
        QUESTION,
        "0.5 for 200 epochs",
        (LONG_SIGMOID,),
        FirstEpoch(0.55, low=201),
        "55% is taken as the first accuracy that is no longer 50%. " + NOT_THE_ROWS,
        fits=8,
    ),
    Claim(
        "two-blob-sigmoid-solved-by-300",
        "two-blob",
        "With one sigmoid output 300 epochs are enough for 100%.",
        QUESTION,
        "1.0 after another 100 epochs",
        (LONG_SIGMOID,),
        FirstEpoch(0.99, high=300),
        "99% is taken as 100%. " + NOT_THE_ROWS,
    ),
    Claim(
        "two-blob-labels-are-the-cause",
        "two-blob",
        "The labels 1 and 2 are why the network fails to learn: subtract 1.",
        FIRST,
        "no figure",
        (
            Arm("As asked, labels 1 and 2", _baseline),
            Arm("Labels 0 and 1", with_data(label_values=(0, 1))(_baseline)),
        ),
        Frees(),
        "In the pipeline as shown the labels become one column per class, and 1 and 2 give the "
        "same columns as 0 and 1: every run ends exactly alike.",
    ),
    Claim(
        "two-blob-labels-left-are-a-cause",
        "two-blob",
        "Where labels 1 and 2 reach binary cross-entropy as they are, they are the cause.",
        FIRST,
        "no figure",
        (
            Arm("Labels left at 1 and 2, 500 epochs", _form(_left_at_1_and_2, 500)),
            LONG_SIGMOID,
        ),
        Frees(),
        "With one sigmoid output and enough epochs, the labels alone decide.",
    ),
    Claim(
        "two-blob-never-predicts-2",
        "two-blob",
        "A network whose output lies between 0 and 1 never predicts a label of 2.",
        FIRST,
        "no figure",
        (Arm("Labels left at 1 and 2, 500 epochs", _form(_left_at_1_and_2, 500)),),
        FinalAccuracy(high=0.5),
        "No sample of the class labelled 2, half of them all, is ever predicted correctly.",
    ),
    Claim(
        "two-blob-no-error-for-2",
        "two-blob",
        "Keras raises no error for a label of 2.",
        FIRST,
        "no error",
        (Arm("Labels left at 1 and 2", _left_at_1_and_2),),
        FitAccepts(),
        "Binary cross-entropy accepts any number as a label.",
        "True of the Keras of 2018, and still.",
    ),
    Claim(
        "two-blob-sigmoid-is-better",
        "two-blob",
        "For two classes one sigmoid output is better than two softmax units.",
        QUESTION,
        "no figure",
        (AS_ASKED, ONE_SIGMOID),
        NoWorse(0.01),
        "Compared run by run after 50 epochs. Softmax has two sets of output weights, which both "
        "train, so its accuracy rises sooner.",
    ),
    Claim(
        "two-blob-no-more-than-60",
        "two-blob",
        "Such a small net gets no further than 60% within a few epochs, whatever else is fixed.",
        COMMENT,
        "at most 60% in 5 epochs",
        (Arm("One sigmoid output, labels 0 and 1, 5 epochs", _form(_one_sigmoid, 5)),),
        FinalAccuracy(high=0.6),
        "At Adam's default learning rate; at 0.1 the same network learns in as many epochs.",
        fits=24,
    ),
    Claim(
        "two-blob-rmsprop-5",
        "two-blob",
        "RMSprop shows nothing in 5 epochs.",
        SECOND,
        "0.5000 in each of 5 epochs",
        (Arm("RMSprop, 5 epochs", _form(_answered, 5)),),
        FinalAccuracy(high=0.55),
        "Up to 55% counts as no progress.",
        fits=24,
    ),
    Claim(
        "two-blob-rmsprop-50",
        "two-blob",
        "With RMSprop, 50 epochs are enough for the accuracy to begin to rise.",
        SECOND,
        "from 0.5 at epoch 27 to 0.86 at epoch 50",
        (FIFTY,),
        FinalAccuracy(low=0.55),
        "More than 55% after 50 epochs counts.",
        fits=24,
    ),
    Claim(
        "two-blob-10-to-100-epochs",
        "two-blob",
        "Each training takes a different number of epochs, from 10 to 100.",
        SECOND,
        "10 to 100 epochs",
        (TWO_UNITS,),
        FirstEpoch(0.9, low=10, high=100),
        "An acceptable accuracy is taken as 90%.",
    ),
    Claim(
        "two-blob-wider-is-faster",
        "two-blob",
        "With 10 hidden units it converges in fewer epochs.",
        SECOND,
        "no figure",
        (TWO_UNITS, TEN_UNITS),
        Sooner(0.9),
        "Compared run by run over the same seeds.",
    ),
    Claim(
        "two-blob-5-units-in-10-epochs",
        "two-blob",
        "With 5 hidden units 90% is passed in fewer than 10 epochs, almost certainly.",
        SECOND,
        "more than 90% in fewer than 10 epochs",
        (TWO_UNITS, FIVE_UNITS),
        FirstEpoch(0.9, high=9),
        "Wider is faster, but not by that much at the default learning rate.",
    ),
    Claim(
        "two-blob-10-units-in-10-epochs",
        "two-blob",
        "With 10 hidden units 90% is passed in fewer than 10 epochs, almost certainly.",
        SECOND,
        "more than 90% in fewer than 10 epochs",
        (TWO_UNITS, TEN_UNITS),
        FirstEpoch(0.9, high=9),
        "Wider is faster, but not by that much at the default learning rate.",
    ),
    Claim(
        "two-blob-random-data-are-slow",
        "two-blob",
        "It needs many epochs because the data are random samples.",
        SECOND,
        "no figure",
        (FIFTY, Arm("Evenly spaced points, 50 epochs", _on_a_grid(_form(_answered, 50)))),
        FirstEpoch(0.9, high=10),
        "If that were a reason, the same two squares filled evenly would be learned in few "
        "epochs, here 10.",
    ),
    Claim(
        "two-blob-many-points-are-slow",
        "two-blob",
        "It needs many epochs because there are many points for so few weights.",
        SECOND,
        "no figure",
        (
            TWO_UNITS,
            Arm(
                "20 points per class",
                with_data(source=replace(_squares, samples=20))(TWO_UNITS.experiment),
            ),
        ),
        Sooner(0.9),
        "If that were a reason, fewer points would need fewer epochs. An epoch of fewer points "
        "has fewer updates, and it is updates that count.",
    ),
    Claim(
        "two-blob-only-slow-below-0.001",
        "two-blob",
        "Only with a learning rate below 0.001 does it take many epochs.",
        SECOND,
        "no figure",
        (TWO_UNITS,),
        FirstEpoch(0.9, high=10),
        "At 0.001 itself, with few epochs taken as 10.",
    ),
    Claim(
        "two-blob-adam-or-rmsprop",
        "two-blob",
        "Adam or RMSprop makes no great difference.",
        SECOND,
        "no figure",
        (Arm("Adam, 50 epochs", _form(_answered, 50, optimizer=Adam())), FIFTY),
        SameOutcome(),
        "Compared run by run at their common default learning rate.",
    ),
    Claim(
        "two-blob-capacity-overfits",
        "two-blob",
        "With too much capacity it starts to overfit.",
        SECOND,
        "no figure",
        (Arm("32 hidden units, 200 epochs", _form(_answered_held_out, 200, 32)),),
        Overfits(0.1),
        "32 hidden units are 129 weights for 320 training rows, but the clusters do not overlap: "
        "there is no noise to memorise.",
    ),
    Claim(
        "two-blob-epochs-overfit",
        "two-blob",
        "With too many epochs it starts to overfit.",
        SECOND,
        "no figure",
        (Arm("2 hidden units, 2,000 epochs", _form(_answered_held_out, 2_000)),),
        Overfits(0.1),
        "The clusters do not overlap: there is no noise to memorise.",
    ),
    Claim(
        "two-blob-rmsprop-0.1",
        "two-blob",
        "With RMSprop at a learning rate of 0.1, 100% is reached in fewer than 5 epochs.",
        SECOND,
        "100% in fewer than 5 epochs",
        (
            Arm("RMSprop at 0.001, 4 epochs", _form(_answered, 4)),
            Arm("RMSprop at 0.1, 4 epochs", _form(_answered, 4, optimizer=RMSprop(0.1))),
        ),
        FinalAccuracy(low=0.999),
        "Evaluated after epoch 4. The accuracy that Keras prints is a mean over the epoch and "
        "comes later.",
        fits=24,
    ),
    Claim(
        "two-blob-adam-0.1",
        "two-blob",
        "With Adam at a learning rate of 0.1, 100% is reached in fewer than 5 epochs.",
        SECOND,
        "100% in fewer than 5 epochs",
        (
            Arm("Adam at 0.001, 4 epochs", _form(_answered, 4, optimizer=Adam())),
            Arm("Adam at 0.1, 4 epochs", _form(_answered, 4, optimizer=Adam(0.1))),
        ),
        FinalAccuracy(low=0.999),
        "Evaluated after epoch 4. The accuracy that Keras prints is a mean over the epoch and "
        "comes later.",
        fits=24,
    ),
    Claim(
        "two-blob-0.1-frees",
        "two-blob",
        "At a learning rate of 0.1 the network as asked learns in every run.",
        OURS,
        "100% in fewer than 5 epochs, for another form",
        (AS_ASKED, Arm("Learning rate 0.1", _form(_baseline, 50, optimizer=Adam(0.1)))),
        FinalAccuracy(low=0.9),
        "With two softmax units and all 50 epochs: the default learning rate held it back.",
    ),
    Claim(
        "two-blob-reversed-bounds",
        "two-blob",
        "numpy.random.uniform with low above high gives an undefined result.",
        SECOND,
        "officially undefined",
        (AS_ASKED,),
        DrawFromReversedBounds(generator=False, refuses=False),
        "The function draws between the two bounds all the same.",
        "It depends on NumPy alone, and only its documentation reserves the right to change.",
    ),
    Claim(
        "two-blob-reversed-bounds-refused",
        "two-blob",
        "NumPy's newer Generator.uniform refuses low above high.",
        OURS,
        "not mentioned",
        (AS_ASKED,),
        DrawFromReversedBounds(generator=True, refuses=True),
        "There the mistake cannot go unnoticed.",
        "Of the version of NumPy that is named with the figures.",
    ),
    Claim(
        "two-blob-sigmoid-is-usual",
        "two-blob",
        "In deep learning one sigmoid output is more common for two classes.",
        FIRST,
        "no figure",
        (ONE_SIGMOID,),
        None,
        "It is about what people do, which no training can tell.",
    ),
)
