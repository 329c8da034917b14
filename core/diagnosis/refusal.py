"""Why Keras refuses to train a network, and what would make its parts fit."""

from __future__ import annotations

from dataclasses import dataclass, replace

from core.diagnosis.findings import FATAL, Finding
from core.draft import Draft
from core.experiment import Data, Experiment, InvalidExperiment
from core.fixes import LABELS_FROM_ZERO, Fix, made_to_fit
from core.fixes.loss_fixes import ONE_HOT, SPARSE
from core.losses import loss

SPARSE_LOSS = "sparse_categorical_crossentropy"


@dataclass(frozen=True)
class Refusal:
    """A draft that cannot be trained.

    Attributes:
        finding: What does not fit. It has no fixes: these are edits of an experiment.
        remedies: What makes it fit, the smallest change first, each with the experiment that it
            gives.
    """

    finding: Finding
    remedies: tuple[tuple[Fix, Experiment], ...]


def refusal(draft: Draft) -> Refusal | None:
    """Why the parts of a draft do not fit each other; None where they do.

    Args:
        draft: Its parts are valid, each by itself.
    """
    try:
        draft.experiment()
    except InvalidExperiment as error:
        reason = str(error)
    else:
        return None
    if _numbers_for_columns(draft):
        finding = _of_class_numbers(draft)
        changed = (
            (ONE_HOT, draft._replace(data=replace(draft.data, encoding="one-hot"))),
            (SPARSE, draft._replace(training=replace(draft.training, loss=SPARSE_LOSS))),
        )
        remedies = [(fix, after) for fix, each in changed if (after := _fitting(each))]
    elif _numbers_without_output(draft):
        finding = _of_missing_outputs(draft)
        after = _fitting(draft._replace(data=_counted_from_zero(draft.data)))
        remedies = [(LABELS_FROM_ZERO, after)] if after else []
    else:
        finding = _of_parts(reason)
        remedies = []
    if not remedies and (fitted := made_to_fit(draft)):
        remedies = [fitted]
    return Refusal(finding, tuple(remedies))


def _numbers_for_columns(draft: Draft) -> bool:
    """Class numbers under a loss that takes a column a class."""
    function = loss(draft.training.loss)
    return (
        function.link == "softmax"
        and not function.class_numbers
        and draft.data.source.classes > 0
        and draft.data.target_width == 1
        and draft.model.output.units > 1
    )


def _numbers_without_output(draft: Draft) -> bool:
    """Class numbers beyond those of the outputs, such as 1 to 4 for four of them."""
    return (
        loss(draft.training.loss).class_numbers
        and draft.data.source.classes > 0
        and draft.data.target_width == 1
        and not all(0 <= label < draft.model.output.units for label in draft.data.targets)
    )


def _counted_from_zero(data: Data) -> Data:
    return replace(data, label_values=tuple(float(k) for k in range(data.source.classes)))


def _of_missing_outputs(draft: Draft) -> Finding:
    labels, units = draft.data.targets, draft.model.output.units
    return Finding(
        FATAL,
        "Class numbers that no output stands for",
        f"The labels run from {min(labels):g} to {max(labels):g}; {draft.training.loss} on {units} "
        f"outputs takes 0 to {units - 1}.",
        "The loss takes a label for the number of an output, counted from 0. TensorFlow stops with "
        "an error at any other, or, on a GPU, the loss is NaN.",
        because="some class numbers have no output",
        code="labels-without-output",
    )


def _fitting(draft: Draft) -> Experiment | None:
    try:
        return draft.experiment()
    except InvalidExperiment:
        return None


def _of_class_numbers(draft: Draft) -> Finding:
    name, units = draft.training.loss, draft.model.output.units
    return Finding(
        FATAL,
        "Class numbers under a loss for one-hot labels",
        f"{name} compares {units} outputs with 1 column of labels, and Keras stops with an error "
        "of shapes.",
        "The loss takes a column of labels for each class, and these labels are one column of "
        "class numbers. The sparse form of the loss takes them as they are.",
        because=f"{name} takes one-hot labels and gets class numbers",
        code="class-numbers-for-columns",
    )


def _of_parts(reason: str) -> Finding:
    return Finding(
        FATAL,
        "Labels, output and loss do not fit",
        reason,
        "Keras compares the outputs with the labels, so their shapes and values must suit the "
        "loss. Here they do not, and training stops with an error.",
        because="labels, output and loss do not fit",
        code="parts-do-not-fit",
    )
