"""Cases whose cause is in the rows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from core.experiment import Adam, Blobs, Data, Dense, Experiment, Table
from core.fixes import STANDARDISE, WIDEN, Fix
from core.fixes.loss_fixes import SHUFFLE_FIRST, balanced
from core.gallery.case import Case, Question
from core.gallery.parts import SIGMOID, SOFTMAX, THREE, classifier
from core.streams import generator

NUMBERS = 1_024
RARE = 100
"""One row in so many is of the rare class."""


def _imbalanced() -> Table:
    """1,000 rows, of which 10 belong to class 1, whose mean is further from 0."""
    labels = (np.arange(1_000) % RARE == 0).astype(int)
    inputs = generator(0).normal(0, 1, (len(labels), 2)) + 2.5 * labels[:, None]
    return Table(np.round(inputs, 2), labels=labels)


def binary_digits(experiment: Experiment) -> Experiment:
    """The digits of a whole number as inputs, in place of the number."""
    source = experiment.data.source
    assert isinstance(source, Table)
    digits = (source.inputs.astype(int) >> np.arange(int(np.log2(NUMBERS)))) & 1
    data = replace(experiment.data, source=replace(source, inputs=digits), scaling="none")
    return replace(experiment, data=data)


CASES = (
    Case(
        key="inputs-unscaled",
        title="Unscaled inputs",
        line="Inputs in the thousands saturate the hidden layer before the first update.",
        symptom="As asked, {before} succeed; the median run ends at {score}.",
        why="Initial weights are drawn for inputs of about unit variance. Inputs in the thousands "
        "drive every hidden unit into saturation, and biases, which have to shift the boundary to "
        "where the data are, move by no more than the learning rate in each update.",
        experiment=classifier(
            Dense(16, "tanh"),
            SIGMOID,
            data=Data(Blobs(bounds=((2_000.0, 4_000.0), (5_000.0, 7_000.0)), samples=100)),
            optimizer=Adam(),
            epochs=100,
        ),
        fixes=(STANDARDISE,),
        cause="inputs-unscaled",
        questions=(
            Question(
                "Is dividing by 1,000 enough?",
                "Scale by a constant, then to [0, 1], then standardise, and compare.",
            ),
            Question(
                "How far can a bias move in this training?",
                "Multiply the learning rate by the number of updates.",
            ),
            Question(
                "On which rows must the scaling be fitted?",
                "Hold out a fifth of the rows, and find the line of the script that fits it.",
            ),
        ),
    ),
    Case(
        key="imbalance",
        title="99 rows to 1",
        line="99% accuracy without having learnt anything.",
        symptom="As asked, the median accuracy is {score}, and always predicting the common class "
        "has {baseline}. Only {before} tell the classes apart.",
        why="Until the network has learnt something, predicting the common class for every row "
        "costs least. Class weights give the rare class the same weight in the loss; the accuracy "
        "may then fall, since it counts every row alike.",
        experiment=classifier(Dense(8, "relu"), SIGMOID, data=Data(_imbalanced()), epochs=5),
        fixes=(balanced(np.array([1 - 1 / RARE, 1 / RARE])),),
        cause="class-imbalance",
        questions=(
            Question(
                "Why does the accuracy fall with the change, although the network is better?",
                "Compare the confusion matrices before and after.",
            ),
            Question(
                "Which figure should be reported here?",
                "Add recall and precision to the metrics.",
            ),
            Question(
                "Would more epochs do the same?",
                "Train for 100 epochs without class weights.",
            ),
        ),
    ),
    Case(
        key="sorted-rows",
        title="Sorted rows and validation_split",
        line="The last third is held out, and it is the third class.",
        symptom="As asked, {before} succeed: the median held-out accuracy is {score}.",
        why="validation_split takes the last rows as they come, before any shuffling. These rows "
        "are sorted by class, so all rows of the third class are held out: the network is judged "
        "on a class that it never sees. Shuffled before the split, both parts have all classes.",
        experiment=classifier(
            Dense(8, "tanh"),
            SOFTMAX,
            data=replace(THREE, shuffling="none", hold_out=1 / 3, held_out="last"),
            shuffle=False,
        ),
        fixes=(SHUFFLE_FIRST,),
        cause="validation-of-last-rows",
        questions=(
            Question(
                "Does fit(shuffle=True) mend it?",
                "Switch it on, and keep the rows sorted before the split.",
            ),
            Question(
                "How many rows of each class would be held out with a fifth?",
                "Compute it for validation_split=0.2, then choose that and train.",
            ),
            Question(
                "When is holding out the last rows the right thing to do?",
                "Think of rows that are ordered by time.",
            ),
        ),
    ),
    Case(
        key="at-the-ceiling",
        title="As good as it gets",
        line="The accuracy stays below 90% because the classes overlap.",
        symptom="As asked, the median held-out accuracy is {score}, and it stays there. Nothing is "
        "wrong.",
        why="The clusters overlap, so the same inputs occur with both labels. No classifier can "
        "tell those rows apart, whatever its size; the best possible accuracy is known here, since "
        "the distribution is.",
        experiment=classifier(
            Dense(8, "relu"),
            SIGMOID,
            data=Data(
                Blobs(bounds=((-1.0, 0.0), (0.0, 1.0)), samples=500, noise=0.55), hold_out=0.25
            ),
            epochs=20,
        ),
        fixes=(WIDEN,),
        cause=None,
        questions=(
            Question(
                "How could one tell this from a network that is stuck?",
                "Compare with another kind of model, and with the ceiling that is estimated.",
            ),
            Question(
                "What does a much larger network do?",
                "Train with 128 units for 300 epochs: compare training and held-out accuracy.",
            ),
            Question(
                "What would help?",
                "Lower the noise: a measurement that says more about the class.",
            ),
        ),
    ),
    Case(
        key="parity",
        title="Parity of a number",
        line="Even or odd: the answer is in the input, but not where the network can find it.",
        symptom="As asked, {before} succeed on held-out numbers; the median run ends at {score}, "
        "no better than guessing.",
        why="Along the number line the label changes at every step, so neighbours, which a network "
        "takes to be alike, always differ, and what is learnt of one number says nothing of the "
        "next. Written in binary digits, the last digit is the answer.",
        experiment=classifier(
            Dense(16, "relu"),
            Dense(16, "relu"),
            SIGMOID,
            data=Data(
                Table(np.arange(NUMBERS)[:, None], labels=np.arange(NUMBERS) % 2),
                hold_out=0.25,
                scaling="standardise",
            ),
            epochs=20,
        ),
        fixes=(
            Fix(
                "binary-digits",
                "Binary digits as inputs",
                "The same number, written so that one input decides.",
                "ours",
                binary_digits,
            ),
        ),
        cause="unexplained",
        questions=(
            Question(
                "Is a larger network enough?",
                "Train with 128 units a layer: compare training and held-out accuracy.",
            ),
            Question(
                "Which other representation would do?",
                "Try the number modulo 2, or a sine of it.",
            ),
            Question(
                "Why do decimal digits help less than binary ones?",
                "Think of how many values the last digit can have.",
            ),
        ),
    ),
)
