"""Cases whose cause is how output, labels and loss fit together."""

from __future__ import annotations

from core import fixes
from core.experiment import Adam, Curve, Data, Dense
from core.fixes import LABELS_FROM_ZERO, STANDARDISE_TARGETS
from core.gallery.case import Case, Question
from core.gallery.parts import CLUSTERS, SIGMOID, classifier, regression

CASES = (
    Case(
        key="one-softmax",
        title="Softmax over one unit",
        line="A softmax of a single number is always 1.",
        symptom="As asked, {before} succeed. The accuracy is {score} in every epoch, the share of "
        "the rows of class 1.",
        why="Softmax divides by the sum over the units of the layer. With a single unit it divides "
        "a number by itself: the output is 1 for every sample, whatever the weights.",
        experiment=classifier(Dense(8, "relu"), Dense(1, "softmax")),
        fixes=(fixes.SIGMOID,),
        cause="softmax-one-unit",
        questions=(
            Question(
                "What would the accuracy be with 30% of the rows in class 1?",
                "Answer first, then look at the confusion matrix.",
            ),
            Question(
                "Can two softmax units do what one sigmoid does?",
                "Choose two softmax units, one-hot labels and categorical cross-entropy.",
            ),
            Question(
                "Why is there no error message?",
                "Look at the shapes of labels and output: they agree.",
            ),
        ),
    ),
    Case(
        key="labels-1-2",
        title="Labels 1 and 2",
        line="Binary cross-entropy expects 0 and 1, and says nothing.",
        symptom="As asked, {before} succeed: the accuracy cannot exceed the share of the rows "
        "labelled 1, and the median run ends at {score}.",
        why="A sigmoid output lies between 0 and 1, so it never equals a label of 2. For that "
        "label the loss falls without end as the output nears 1, so every sample ends at 1, and "
        "the loss drops below zero.",
        experiment=classifier(
            Dense(8, "relu"), SIGMOID, data=Data(CLUSTERS, label_values=(1.0, 2.0))
        ),
        fixes=(LABELS_FROM_ZERO,),
        cause="labels-outside-loss",
        questions=(
            Question(
                "Which figure gives the mistake away at once?",
                "Look at the loss: cross-entropy of labels from 0 to 1 is never negative.",
            ),
            Question(
                "Would categorical cross-entropy on one-hot labels mind?",
                "Choose two softmax units and one-hot labels; keep 1 and 2.",
            ),
            Question(
                "What happens with labels -1 and 1?",
                "Answer first: which of the two can the accuracy count as right?",
            ),
        ),
    ),
    Case(
        key="target-unscaled",
        title="An unscaled target",
        line="Targets in the hundreds, and weights that start below 1.",
        symptom="As asked, {before} {passes}; the median run ends at an R² of {score}, where "
        "predicting the mean has 0.",
        why="The output starts near 0 and has to travel to the targets' mean first. Adam moves a "
        "weight by about the learning rate in each update, however large the error is, so the "
        "training ends before the output gets there.",
        experiment=regression(Curve(300, scale=100.0, offset=500.0), Adam(0.01)),
        fixes=(STANDARDISE_TARGETS,),
        cause="target-unscaled",
        questions=(
            Question(
                "How many updates does the output's bias need to reach the mean?",
                "Divide the mean by the learning rate, and compare it with the updates in all.",
            ),
            Question(
                "Does plain gradient descent have the same problem?",
                "Choose SGD: its steps grow with the error. Watch the loss.",
            ),
            Question(
                "In which unit are the predictions after the change?",
                "Find the line of the script that scales the targets, and undo it.",
            ),
        ),
    ),
)
