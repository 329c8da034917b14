"""What the answer after a training and the findings before one say, drawn without a server."""

import pytest
from streamlit.testing.v1 import AppTest

from core.diagnosis.findings import CERTAIN, COSMETIC, FATAL, FRAGILE, Finding
from support.pages import cards


def drawn(script, *arguments) -> AppTest:
    app = AppTest.from_function(script, args=arguments, default_timeout=60).run()
    assert not app.exception
    return app


def answer(accuracy: float, seed: int) -> None:
    from pages.elements import answer, state
    from support.diagnosis import HEALTHY, history

    # What is concluded of a training is kept by its experiment and seed.
    state.enter("two-blob")
    answer.draw("two-blob", history(HEALTHY, accuracy=accuracy, seed=seed), current=True)


def before_training(name: str, trained=None) -> None:
    from core.history import TARGET
    from core.script import read
    from core.script.examples import example
    from pages.elements.your_network import blamed

    blamed.draw(read(example(name)), TARGET, trained=trained)


def tabs_only(trained: bool) -> None:
    import streamlit as st

    from pages.elements import state, tabs
    from support.diagnosis import HEALTHY, history

    state.enter("two-blob")
    state.look_at("two-blob", "tab", "Trainings")
    with st.container():
        tabs.draw(
            "two-blob", HEALTHY, history(HEALTHY, accuracy=0.5, seed=104) if trained else None
        )


def test_where_all_runs_succeed_there_is_nothing_to_change():
    app = drawn(answer, 0.95, 101)
    assert app.header[0].value == ":material/check_circle: All 4 runs ended at 90% or above"
    assert "Half of those that succeed are there after epoch 1 of 30." in cards(app)
    assert "Try" not in cards(app)
    assert not app.button


def test_where_runs_fail_the_first_change_to_try_can_be_tested_and_applied():
    app = drawn(answer, 0.5, 102)
    assert app.header[0].value == ":material/block: None of 4 runs ended at 90% or above"
    assert "All 4 are stuck." in cards(app)
    assert "Try “Standardise inputs” first" in cards(app)
    test, apply = app.button
    assert test.label.startswith("Test these fixes (about ")
    assert not test.disabled
    assert apply.label == "Apply and train"


def test_where_no_finding_has_a_fix_there_is_nothing_to_test(monkeypatch):
    noise = Finding(
        FATAL, "Noise", "All 400 labels are drawn.", "One. Two.", (), CERTAIN, None,
        because="the labels are noise", code="bottleneck",
    )  # fmt: skip
    monkeypatch.setattr("pages.elements.diagnosis.diagnose", lambda *_, **more: (noise,))
    app = drawn(answer, 0.5, 103)
    assert "**No setting mends that: 1 finding without a fix, as the data must change.**" in cards(
        app
    )
    (test,) = app.button
    assert test.disabled


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("healthy", "Nothing is certain to stop it. What may matter: Dead units."),
        (
            "learning_rate",
            "Nothing is certain to stop it. What may matter: All inputs have the same sign; "
            "Dead units; An unusually high learning rate.",
        ),
        ("zeros", "**Wrong before any training**"),
    ],
)
def test_before_training_it_says_what_is_wrong_or_may_matter(name, said):
    app = drawn(before_training, name)
    assert said in cards(app)
    assert ("may matter" in cards(app)) == ("may matter" in said)


def test_the_tabs_of_a_training_are_not_drawn_in_the_place_of_the_first_ones():
    # A browser keeps the tabs that were in a place until the new ones are all there.
    places = [
        {
            n
            for n, part in drawn(tabs_only, trained).main[0].children.items()
            if part.type != "empty"
        }
        for trained in (False, True)
    ]
    assert not places[0] & places[1]


@pytest.mark.parametrize(
    ("severity", "said"),
    [
        (FRAGILE, "**Wrong before any training**"),
        (COSMETIC, "Nothing found before training does harm here."),
    ],
)
def test_after_a_training_the_same_findings_have_the_figures_of_its_runs(severity, said):
    zeros = Finding(severity, "Zeros", "In 3 of 4 runs.", "One.", code="zero-initialisation")
    stuck = Finding(FATAL, "Stuck", "In 4 of 4 runs.", "Two.", code="one-class-predicted")
    words = cards(drawn(before_training, "zeros", (stuck, zeros)))
    assert said in words
    assert "In 3 of 4 runs." in words
    assert "In 4 of 4 runs." not in words, "it shows in a training alone"
    assert words.count("badge") == 1
