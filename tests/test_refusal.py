"""What Keras refuses to train, with what would make it fit."""

from dataclasses import replace

from core.diagnosis import refusal, summary
from core.draft import Draft
from support.diagnosis import HEALTHY, MANY, REGRESSION, SPARSE


def draft(base, encoding=None, **training):
    data = base.data if encoding is None else replace(base.data, encoding=encoding)
    return Draft(data, base.model, replace(base.training, **training))


def test_what_can_be_trained_is_not_refused():
    for fine in (HEALTHY, MANY, SPARSE, REGRESSION):
        assert refusal(Draft.of(fine)) is None


def test_class_numbers_under_categorical_cross_entropy():
    refused = refusal(draft(MANY, "index", loss="categorical_crossentropy"))
    assert refused.finding.code == "class-numbers-for-columns"
    assert "3 outputs with 1 column" in refused.finding.evidence
    by_key = {fix.key: experiment for fix, experiment in refused.remedies}
    assert by_key["one-hot-labels"].data.encoding == "one-hot"
    assert by_key["sparse-loss"].training.loss == "sparse_categorical_crossentropy"
    # A single unit under that loss learns nothing.
    assert all(experiment.model.output.units == 3 for experiment in by_key.values())
    assert "one-hot" in summary((refused.finding,))[1]


def test_a_sparse_loss_is_no_remedy_where_the_labels_are_no_class_numbers():
    base = replace(MANY, data=replace(MANY.data, label_values=(1, 2, 5)))
    refused = refusal(draft(base, "as-is", loss="categorical_crossentropy"))
    assert [fix.key for fix, _ in refused.remedies] == ["one-hot-labels"]


def test_class_numbers_are_counted_from_zero():
    for labels in ((1, 2, 3), (-1, 0, 1)):
        base = replace(MANY, data=replace(MANY.data, label_values=labels))
        refused = refusal(draft(base, "as-is", loss="sparse_categorical_crossentropy"))
        assert refused.finding.code == "labels-without-output"
        assert f"from {labels[0]} to {labels[-1]}" in refused.finding.evidence
        assert refused.finding.evidence.endswith("on 3 outputs takes 0 to 2.")
        ((fix, experiment),) = refused.remedies
        assert fix.key == "labels-from-zero"
        assert experiment.data.targets == (0, 1, 2)
        assert "class numbers have no output" in summary((refused.finding,))[1]


def test_anything_else_gets_the_output_that_fits():
    refused = refusal(Draft(HEALTHY.data, MANY.model, HEALTHY.training))
    assert refused.finding.code == "parts-do-not-fit"
    assert "units of the output layer is 3; it should be 1" in refused.finding.evidence
    ((fix, experiment),) = refused.remedies
    assert fix.key == "sigmoid-output"
    assert experiment.model.output.units == 1
