"""Cases whose cause is the size of the updates."""

from __future__ import annotations

from core.experiment import Adam, Curve, Dense
from core.fixes import rate
from core.gallery.case import Case, Question
from core.gallery.parts import SOFTMAX, THREE, classifier, regression

CASES = (
    Case(
        key="rate-too-high",
        title="A learning rate too high",
        line="Each update jumps over the minimum that it should approach.",
        symptom="As asked, {before} {passes}; the median run ends at an R² of {score}. The curves "
        "jump instead of rising.",
        why="Adam moves every weight by about the learning rate in each update. Steps of that size "
        "carry the weights past every minimum and push the hidden units into saturation, where "
        "hardly any gradient is left.",
        experiment=regression(Curve(300), Adam(3.0)),
        fixes=(rate(0.01),),
        cause="learning-rate-too-high",
        questions=(
            Question(
                "How large is the range of learning rates that work?",
                "Train at 0.001, 0.01, 0.1 and 1, and draw the rate of success over them.",
            ),
            Question(
                "Would more epochs help?",
                "Train for ten times as many epochs at the same learning rate.",
            ),
            Question(
                "Does a schedule rescue it?",
                "Keep the learning rate and add an exponential decay.",
            ),
        ),
    ),
    Case(
        key="rate-too-low",
        title="A learning rate too low",
        line="Every update goes the right way, and none goes far.",
        symptom="As asked, {before} succeed; the median run ends at {score}. The loss falls in "
        "every epoch, so little that the accuracy does not follow.",
        why="The distance that the weights can travel is bounded by the learning rate times the "
        "number of updates. Here that is too little to leave the start: the network is slow, not "
        "stuck.",
        experiment=classifier(
            Dense(8, "tanh"), Dense(8, "tanh"), SOFTMAX, data=THREE, optimizer=Adam(1e-5)
        ),
        fixes=(rate(0.01),),
        cause="learning-rate-too-low",
        questions=(
            Question(
                "How can one tell slow from stuck?",
                "Look at the loss on its own axis: is it still falling at the end?",
            ),
            Question(
                "How many epochs would this learning rate need?",
                "Read the estimate of the diagnosis, then train for as many.",
            ),
            Question(
                "Does a smaller batch do the same as a higher learning rate?",
                "Choose a batch size of 1: the updates per epoch grow by 32.",
            ),
        ),
    ),
)
