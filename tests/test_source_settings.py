"""Choosing where the rows come from, on the page of a question."""

from core.curve import Curve
from core.draft import Draft
from core.experiment import Blobs, Threshold
from core.fixes import made_to_fit
from core.problems import PROBLEMS
from core.sources import SOURCES, of_class
from pages.elements.settings import as_text, changed_by, differences, table


def parsed(control, text):
    return control.setting.kind.parse(text)


def test_every_source_that_draws_its_rows_can_be_chosen_and_made_to_fit():
    for problem in PROBLEMS.values():
        asked = Draft.of(problem.experiment)
        control = table(asked)["source"]
        assert "table" not in control.setting.kind.options
        for option in control.setting.kind.options:
            draft = control.write(asked, option)
            fix, experiment = made_to_fit(draft)
            assert type(experiment.data.source).__name__.lower() == option
            if experiment.data.source.outputs:
                assert (fix.key, experiment.task.name) == ("regression-output", "regression")
                assert experiment.model.output.activation == "linear"


def test_a_link_names_another_source_and_only_what_is_not_its_default():
    for problem in PROBLEMS.values():
        asked = Draft.of(problem.experiment)
        curve = table(asked)["source"].write(asked, "curve")
        assert differences(asked, curve) == {"source": "curve"}
        bent = table(curve)["shape"].write(curve, "vee")
        link = {name: as_text(value) for name, value in differences(asked, bent).items()}
        assert link == {"source": "curve", "shape": "vee"}
        assert changed_by(asked, link, parsed) == (bent, {})


def test_another_source_keeps_what_both_have_where_it_is_allowed():
    kept = of_class(Curve, Blobs(samples=70, features=5, noise=0.5))
    assert (kept.samples, kept.features, kept.noise) == (70, 5, 0.5)
    assert of_class(Curve, Blobs(noise=1_000)).noise == Curve().noise
    assert of_class(Threshold, kept) == Threshold(samples=70)
    assert set(SOURCES) >= {"Threshold", "Blobs", "Curve", "Table"}
