"""Cases whose cause is in the network: its units, initial weights and layers."""

from __future__ import annotations

import numpy as np

from core.experiment import SGD, Adam, Data, Dense, Dropout, Table
from core.fixes import KEEP_VARIANCE, NO_DROPOUT, RECTIFY, WIDEN, rate
from core.gallery.case import Case, Question
from core.gallery.parts import SIGMOID, SOFTMAX, THREE, classifier

_XOR = Table(np.array([[0, 0], [0, 1], [1, 0], [1, 1]]), labels=np.array([0, 1, 1, 0]))

CASES = (
    Case(
        key="xor",
        title="XOR with two ReLU units",
        line="Two hidden units can represent XOR, but training seldom finds the weights.",
        symptom="As asked, {before} get all four rows right. Accuracy moves in steps of 25%, and "
        "the median run ends at {score}.",
        why="XOR needs both hidden units, each pointing the right way. A ReLU unit that is off "
        "for every row has a gradient of 0 and never moves again, and one that points the wrong "
        "way leads to a local minimum. With more units it is likelier that some of them start "
        "well.",
        experiment=classifier(
            Dense(2, "relu"),
            SIGMOID,
            data=Data(_XOR),
            optimizer=Adam(0.05),
            epochs=200,
            batch_size=4,
        ),
        fixes=(WIDEN,),
        cause="bottleneck",
        questions=(
            Question(
                "Why can a network without a hidden layer not learn XOR?",
                "Remove the hidden layer and train: draw the four rows and look for a line.",
            ),
            Question(
                "How many hidden units does it take for 9 of 10 runs to succeed?",
                "Train with 3, 4, 6 and 8 units, and compare the intervals, not single runs.",
            ),
            Question(
                "Is it the number of units or the activation?",
                "Keep two units and choose tanh or leaky ReLU, whose units cannot die.",
            ),
        ),
    ),
    Case(
        key="deep-sigmoid",
        title="A deep stack of sigmoids",
        line="Six sigmoid layers pass hardly any gradient back to the first.",
        symptom="As asked, {before} succeed; the median run ends at {score}, no better than a "
        "constant answer with {baseline}.",
        why="Backpropagation multiplies the gradient by the slope of every activation on its way, "
        "and a sigmoid's slope is at most 1/4. After several layers little is left for the first "
        "ones. ReLU has a slope of 1 wherever it is on.",
        experiment=classifier(*[Dense(8, "sigmoid")] * 6, SIGMOID, optimizer=SGD(0.1), epochs=50),
        fixes=(RECTIFY,),
        cause="vanishing-gradient",
        questions=(
            Question(
                "At which depth does it begin?",
                "Train with one, two, three and four sigmoid layers.",
            ),
            Question(
                "Where in the network does the gradient end?",
                "Open the gradient norm by layer, and compare the first with the last.",
            ),
            Question(
                "Does tanh, whose slope reaches 1, behave like sigmoid or like ReLU?",
                "Choose tanh in all six layers.",
            ),
        ),
    ),
    Case(
        key="all-zero",
        title="All weights start at zero",
        line="Equal units get equal gradients, or none.",
        symptom="As asked, {before} succeed, and the median run ends at {score}. The runs hardly "
        "differ: their initial weights are the same.",
        why="With all weights at 0 every hidden unit computes the same, so every unit gets the "
        "same gradient and symmetry is never broken. With ReLU the hidden outputs and the output "
        "weights are 0, so there is no gradient except for the output's bias.",
        experiment=classifier(Dense(8, "relu", "zeros"), Dense(1, "sigmoid", "zeros")),
        fixes=(KEEP_VARIANCE,),
        cause="zero-initialisation",
        questions=(
            Question(
                "Why is it no problem for logistic regression?",
                "Remove the hidden layer and keep the zeros.",
            ),
            Question(
                "Is it enough if only one layer is random?",
                "Start the hidden layer at random and the output at zero, then the other way "
                "round.",
            ),
            Question(
                "What happens with tanh in place of ReLU?",
                "Choose tanh and look at the gradient norm before and after the first epochs.",
            ),
        ),
    ),
    Case(
        key="dropout",
        title="Dropout of 0.9",
        line="Nine of ten units are dropped, in layers that have eight.",
        symptom="As asked, {before} succeed; the median run ends at {score}.",
        why="Dropout sets most units to 0 in training and scales up the rest. Of eight units, "
        "fewer than one is left on average, so what reaches the output is mostly noise. Dropout "
        "regularises networks that have units to spare.",
        experiment=classifier(
            Dense(8, "relu"), Dropout(0.9), Dense(8, "relu"), Dropout(0.9), SOFTMAX, data=THREE
        ),
        fixes=(NO_DROPOUT,),
        cause="dropout-too-high",
        questions=(
            Question(
                "How likely is it that all eight units of a layer are dropped?",
                "Compute 0.9 to the power of 8, then compare it with the diagnosis.",
            ),
            Question(
                "Is it the rate or the width?",
                "Keep 0.9 and widen the layers to 128 units.",
            ),
            Question(
                "Which rate still works with eight units?",
                "Train with rates of 0.1, 0.3 and 0.5.",
            ),
        ),
    ),
    Case(
        key="dying-relu",
        title="Dying ReLU",
        line="Large steps on weights and biases switch whole layers off, for good.",
        symptom="As asked, {before} succeed; the median run ends at {score}, no better than a "
        "constant answer with {baseline}.",
        why="A step that makes a unit's bias very negative leaves its pre-activation below 0 for "
        "every sample. The unit then outputs 0, its gradient is exactly 0, and no later step can "
        "bring it back. Where a whole layer has died, the output no longer depends on the input.",
        experiment=classifier(*[Dense(8, "relu")] * 3, SOFTMAX, data=THREE, optimizer=Adam(1.0)),
        fixes=(rate(0.01),),
        cause="learning-rate-too-high",
        questions=(
            Question(
                "Are the units dead from the start, or do they die in training?",
                "Look at the share of dead units by epoch.",
            ),
            Question(
                "Does leaky ReLU help at the same learning rate?",
                "Choose leaky ReLU: no unit can die, but the steps are as large as before.",
            ),
            Question(
                "At which learning rate does it begin?",
                "Train at 0.01, 0.1 and 0.3, and count the runs with a dead layer.",
            ),
        ),
    ),
)
