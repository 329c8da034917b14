"""What a case of the gallery is."""

from __future__ import annotations

from dataclasses import dataclass

from core.experiment import Experiment
from core.fixes import Fix, apply_all


@dataclass(frozen=True)
class Question:
    """Something to ask a class.

    Attributes:
        text: The question.
        attempt: What to change or to look at to answer it.
    """

    text: str
    attempt: str


@dataclass(frozen=True)
class Case:
    """A short experiment that shows one phenomenon, and a change that is verified.

    `symptom` and `why` may name the figures of the record in braces; see `Recorded.figures`.

    Attributes:
        key: A stable name in kebab case, as links write it.
        title: Two to five words.
        line: What it is, in a sentence.
        symptom: What one sees.
        why: The mechanism, in the field's terms.
        experiment: As asked.
        fixes: The change, in the order in which it is applied.
        cause: The code of the main finding of the diagnosis; None where nothing is wrong.
        questions: Three.
    """

    key: str
    title: str
    line: str
    symptom: str
    why: str
    experiment: Experiment
    fixes: tuple[Fix, ...]
    cause: str | None
    questions: tuple[Question, Question, Question]

    @property
    def changed(self) -> Experiment:
        """The experiment with the change."""
        return apply_all(self.fixes, self.experiment)
