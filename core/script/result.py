"""What a reading is made of: what is asked, said and outlined, and where the parts are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from core.experiment import Data, Experiment, Model, Training
from core.layers import Layer
from core.script.lines import ReadLine
from core.script.logs import Curves
from core.script.values import Span


@dataclass(frozen=True)
class Question:
    """What the script does not say.

    Attributes:
        key: Of the answer in `read(source, answers={key: value})`.
        text: The question.
        choices: The values that an answer may have; empty where it is free.
        default: What is likely; None if nothing is.
        line: Of the paste, where it is open; 0 if nowhere.
    """

    key: str
    text: str
    choices: tuple[Any, ...] = ()
    default: Any = None
    line: int = 0


@dataclass(frozen=True)
class Note:
    """Something to know of a reading.

    Attributes:
        kind: "normalised" for what was changed to read it, "refused" for what Keras itself
            refuses, "untrainable" for what cannot be trained here, "data" and "remark" for all
            else.
        text: A sentence.
        line: Of the paste; 0 where it is of no line.
    """

    kind: str
    text: str
    line: int = 0


@dataclass(frozen=True)
class Outlined:
    """A layer as the script writes it.

    Attributes:
        text: Its call.
        line: Of the paste.
        layer: As it can be trained here, or None.
        why: Why it cannot be, or what stands in its way.
    """

    text: str
    line: int
    layer: Layer | None
    why: str = ""

    @property
    def trainable(self) -> bool:
        """Whether it can be trained here."""
        return self.layer is not None


@dataclass(frozen=True)
class Places:
    """Where the parts of the experiment are in the normalised text, for a patch.

    Attributes:
        layers: The call of each trained layer, and the statement or call that adds it.
        model: The call that makes the model.
        compile, fit: The calls of the last `compile` and `fit`, if there are any.
        optimizer: The call that makes the optimizer, if it is one.
        fits: How often `fit` runs in that place.
        shuffle: The line of `random.shuffle` on the rows of an array; 0 where there is none.
        style: How layers are added: "list", "add", "functional" or "class".
        name: The name of the model.
        rows: The call that takes the rows, if it is not that of `fit`.
        batch: The call of a data set's `batch`.
        looped: Whether a loop of the script's own makes single updates.
        head: Whether the rows are those of layers that cannot be trained here.
        older: Calls with arguments that Keras 3 refuses by their names, and its names for them, ""
            for none.
    """

    layers: tuple[tuple[Span, Span], ...] = ()
    model: Span | None = None
    compile: Span | None = None
    fit: Span | None = None
    style: str = "list"
    name: str = "model"
    optimizer: Span | None = None
    fits: int = 0
    shuffle: int = 0
    rows: Span | None = None
    batch: Span | None = None
    looped: bool = False
    head: bool = False
    older: Mapping[Span, Mapping[str, str]] = field(default_factory=dict)

    def lines(self) -> dict[str, int]:
        """The lines of the single calls in the normalised text, by name; 0 for none."""
        spans = {name: getattr(self, name) for name in ("model", "optimizer", "compile", "fit")}
        found = {name: span.line if span else 0 for name, span in spans.items()}
        return {**found, "shuffle": self.shuffle}


@dataclass(frozen=True)
class Reading:
    """What was understood of a script.

    Attributes:
        source: The paste.
        text: The normalised text.
        model, training, data: As `core.experiment` has them, or None where they are not known.
        experiment: The three together, or None.
        remedy: What Keras would take in place of what it refuses: {"loss": a key of the losses} or
            {"inputs": their number}; empty where nothing is known.
        known: The settings of the training that are known, by name, also where others are not.
        outline: Every layer as written.
        lines: Every line of the paste, with what became of it.
        questions: What has to be asked.
        notes: What was normalised, and what Keras itself would refuse.
        stand_in: What the rows are in place of the script's own; "" if they are its own.
        log: The curves of console output in the paste, or None.
        places: Where its parts are.
        numbers: The lines of the paste of "model", "optimizer", "compile", "fit" and "shuffle".
    """

    source: str
    text: str = ""
    model: Model | None = None
    training: Training | None = None
    data: Data | None = None
    experiment: Experiment | None = None
    remedy: Mapping[str, Any] = field(default_factory=dict)
    known: Mapping[str, Any] = field(default_factory=dict)
    outline: tuple[Outlined, ...] = ()
    lines: tuple[ReadLine, ...] = ()
    questions: tuple[Question, ...] = ()
    notes: tuple[Note, ...] = ()
    stand_in: str = ""
    log: Curves | None = None
    places: Places = field(default=Places(), repr=False)
    numbers: Mapping[str, int] = field(default_factory=dict, repr=False)

    @property
    def defaults(self) -> dict[str, Any]:
        """The proposed answers to the questions that have one."""
        return {each.key: each.default for each in self.questions if each.default is not None}
