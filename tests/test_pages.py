"""Every page through AppTest, with real trainings in the worker process."""

import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from streamlit.testing.v1 import AppTest

from core.claims import CLAIMS
from core.problems import PROBLEMS
from pages.elements import comparing, settings
from pages.elements.drawn import AT_ONCE, in_turn

PAGES = {
    "threshold": "pages/1_Threshold_problem.py",
    "two-blob": "pages/2_Two_blob_problem.py",
    "compare": "pages/3_Compare_fixes.py",
    "claims": "pages/4_Check_the_answers.py",
}


def opened(page: str | None = None, **parameters: str) -> AppTest:
    app = AppTest.from_file("../streamlit_app.py", default_timeout=60)
    for name, text in parameters.items():
        app.query_params[name.replace("_", "-")] = text
    app.run()
    if page is not None:
        app.switch_page(PAGES[page]).run()
    assert not app.exception
    return app


def finished(app: AppTest, text: str) -> AppTest:
    """Draw the page again until a training is over, which a browser would do by itself."""
    deadline = time.monotonic() + 90
    while not any(text in element.value for element in app.header):
        assert time.monotonic() < deadline, [e.value for e in (*app.error, *app.info)]
        time.sleep(0.2)
        app.run()
        assert not app.exception
    return app


def drawn(app: AppTest, *starts: str) -> bool:
    """Whether there is a chart whose description starts so, for each of these."""
    texts = [chart.proto.alt for chart in app.get("vega_lite_chart")]
    assert all(texts), "a chart without a description"
    return all(any(text.startswith(start) for text in texts) for start in starts)


def cards(app: AppTest) -> str:
    return " ".join(element.value for element in app.markdown)


def test_home_shows_recorded_evidence_at_once():
    app = opened()
    assert "stay the same" in app.title[0].value
    assert drawn(
        app,
        "Accuracy by epoch with a sigmoid output and inputs in [0, 1]",
        "Accuracy by epoch with labels 0 and 1",
        "Share of different rows before and after",
    )
    assert any("Recorded on" in caption.value for caption in app.caption)


@pytest.mark.parametrize("problem", ["threshold", "two-blob"])
def test_every_setting_has_a_control_with_help(problem):
    app = opened(problem)
    widgets = [*app.selectbox, *app.number_input, *app.toggle]
    labels = {widget.label for widget in widgets}
    hidden = PROBLEMS[problem].experiment.model.dense[:-1]
    unused = {"Divide by", "Data seed", "Momentum"}
    for setting in settings.table(problem).values():
        number = setting.name.removeprefix("hidden").partition("-")[0]
        if number.isdigit() and int(number) > len(hidden):
            unused.add(setting.label)
        assert (setting.label in labels) != (setting.label in unused), setting.label
    assert all(widget.help for widget in (*widgets, *app.button, *app.button_group))


def test_the_threshold_question_fails_as_asked_and_can_be_freed():
    app = opened("threshold")
    app.number_input(key="threshold.epochs").set_value(2).run()
    app.button(key="threshold-train").click().run()
    finished(app, "64 runs reached 90%")
    assert drawn(app, "Success rate", "Accuracy on", "Loss on", "How many runs", "Dead units by")
    assert drawn(app, "Run 46: probability of class 1", "Confusion matrix of run 46")
    app.pills(key="threshold.fixes").set_value(["sigmoid-output", "standardise-inputs"]).run()
    assert app.selectbox(key="threshold.output-activation").value == "sigmoid"
    assert app.selectbox(key="threshold.scaling").value == "standardise"
    assert app.number_input(key="threshold.epochs").value == 2, "changed by hand, so it stays"
    assert any("earlier settings" in caption.value for caption in app.caption)
    app.button(key="threshold-train").click().run()
    finished(app, "are stuck")
    app.button(key="threshold-reset").click().run()
    assert app.number_input(key="threshold.epochs").value == 10
    assert app.selectbox(key="threshold.output-activation").value == "relu"


def test_the_two_blob_question_shows_its_network_and_plain_keras():
    app = opened("two-blob")
    app.number_input(key="two-blob.hold-out").set_value(0.2).run()
    app.button(key="two-blob-train").click().run()
    finished(app, "runs reached 90%")
    assert drawn(app, "Accuracy on the held-out rows", "Loss on the held-out rows", "Run ")
    for kind in ("best", "median", "stuck"):
        app.segmented_control(key="two-blob.pick").set_value(kind).run()
        assert not app.exception
    app.button(key="two-blob.plain-fit").click().run()
    deadline = time.monotonic() + 90
    while not drawn(app, "Accuracy by epoch: the stack's runs and the one of model.fit"):
        assert time.monotonic() < deadline
        time.sleep(0.2)
        app.run()
    assert any("times** as fast" in text.value for text in app.markdown)


def test_settings_that_cannot_be_trained_are_explained():
    app = opened("two-blob")
    app.number_input(key="two-blob.low1").set_value(0.6).run()
    assert "low bound not above" in app.error[0].value
    assert app.button(key="two-blob-train").disabled
    app.number_input(key="two-blob.low1").set_value(0.2).run()
    assert not app.error
    app.selectbox(key="two-blob.encoding").set_value("as-is").run()
    assert "units of the output layer" in app.error[0].value


def test_a_link_sets_the_page_and_what_it_gets_wrong_is_named():
    app = opened(
        "two-blob", start="labels-left-at-1-and-2", fixes="rmsprop.magic", epochs="7", units="3"
    )
    # AppTest hands the query on to the page that it switches to, as a browser's cold link does.
    assert app.number_input(key="two-blob.epochs").value == 7
    assert app.selectbox(key="two-blob.optimizer").value == "rmsprop"
    assert app.selectbox(key="two-blob.encoding").value == "as-is"
    refused = " ".join(warning.value for warning in app.warning)
    assert "magic" in refused
    assert "`units`" in refused
    assert len(app.warning) == 2


@pytest.mark.parametrize(
    ("name", "text"),
    [("epochs", "1e9"), ("epochs", "-1"), ("learning-rate", "nan"), ("loss", "`; drop"), ("x", "")],
)
def test_a_bad_link_falls_back_with_a_notice(name, text):
    app = opened("threshold", **{name: text})
    assert len(app.warning) == 1
    assert app.number_input(key="threshold.epochs").value == 10
    assert app.number_input(key="threshold.learning-rate").value == 0.001


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"problem": "xor"}, "`problem` is `xor`"),
        ({"fixes": "sigmoid-output.magic"}, "`fixes` is `magic`"),
        ({"runs": "17"}, "`runs` is `17`"),
        ({"target": "nan"}, "`target` is `nan`"),
        ({"colour": "red"}, "`colour` in the link is no setting"),
        ({"v": "2"}, "newer version"),
        ({"v": "first"}, "`v` is `first`"),
    ],
)
def test_a_bad_link_to_the_comparison_falls_back_with_a_notice(parameters, said):
    app = opened("compare", **parameters)
    (warning,) = (warning.value for warning in app.warning)
    assert said in warning
    assert app.slider(key="compare.target").value == 0.9
    assert "sigmoid-output" in app.pills(key="compare.fixes").value


def test_a_link_from_a_newer_version_is_read_as_far_as_it_can_be():
    app = opened("threshold", v="2", epochs="7", magic="yes")
    assert app.number_input(key="threshold.epochs").value == 7
    assert ["newer version" in w.value or "`magic`" in w.value for w in app.warning] == [True] * 2
    assert len(opened("threshold", **{f"x{n}": "1" for n in range(99)}).warning) < 12


def test_new_data_after_the_highest_seed_are_those_of_seed_0():
    app = opened("two-blob", seed="999999", runs="1", epochs="1")
    app.button(key="two-blob-new-data").click().run()
    assert app.number_input(key="two-blob.seed").value == 0
    finished(app, "reached 90%")


def test_what_is_looked_at_comes_with_the_link():
    app = opened("two-blob", epochs="2", runs="16", log="yes", pick="stuck", health="saturated")
    app.button(key="two-blob-train").click().run()
    finished(app, "16 runs reached 90%")
    assert app.toggle(key="two-blob.log").value
    assert app.segmented_control(key="two-blob.pick").value == "stuck"
    assert drawn(app, "Saturated units by epoch")


def test_the_script_and_what_changed_are_there_before_any_training():
    app = opened("two-blob", fixes="rmsprop", epochs="7")
    link, script, *changed = (block.value for block in app.code)
    assert "v=1" in link
    assert "fixes=rmsprop&epochs=7" in link
    assert 'optimizer="rmsprop"' in script
    assert '+     optimizer="rmsprop",' in changed[0]
    assert "+     epochs=7," in changed[1]
    assert "**Training**: RMSprop" in cards(app)
    assert "**Training**: Changed by hand" in cards(app)
    assert "This is the question as asked" not in cards(app)
    assert "this is the question as asked" in cards(opened("threshold"))


def test_fixes_are_compared():
    app = opened("compare")
    app.pills(key="compare.fixes").set_value(["sigmoid-output", "standardise-inputs"]).run()
    app.button(key="compare-start").click().run()
    finished(app, "combination")
    assert len(app.dataframe[0].value) == 4
    panels = ("As asked", "Sigmoid output", "Standardise inputs", "Sigmoid output + Standardise")
    assert drawn(app, *(f"Accuracy by epoch of every run: {name}" for name in panels))
    assert drawn(app, "Share of runs that reach 90%", "What each fix adds")
    app.selectbox(key="compare.combination").set_value("sigmoid-output").run()
    assert "Inputs are not scaled" in cards(app)
    script, diff = (code.value for code in app.code[-2:])
    assert 'Dense(1, activation="sigmoid")' in script
    assert '+     keras.layers.Dense(1, activation="sigmoid"),' in diff
    app.pills(key="compare.fixes").set_value(list(PROBLEMS["threshold"].fixes)).run()
    assert f"choose at most {comparing.MOST_FIXES}" in app.error[0].value
    assert app.button(key="compare-start").disabled


def test_the_settings_alone_are_diagnosed_as_soon_as_one_changes():
    app = opened("threshold")
    assert "Stuck because the loss clips the output." in cards(app)
    assert "rows, 4,991 survive" in cards(app)
    app.selectbox(key="threshold.output-activation").set_value("sigmoid").run()
    assert "The loss clips the output" not in cards(app)
    app.pills(key="threshold.fixes").set_value(
        ["sigmoid-output", "standardise-inputs", "shuffle-rows", "hold-out", "wider-hidden"]
    ).run()
    app.selectbox(key="threshold.hidden1-activation").set_value("leaky_relu").run()
    app.selectbox(key="threshold.hidden2-activation").set_value("leaky_relu").run()
    assert "Nothing wrong found before training." in cards(app)


def test_a_finding_is_fixed_with_one_click():
    app = opened("threshold", epochs="2")
    app.button(key="threshold-train").click().run()
    finished(app, "64 runs reached 90%")
    assert "64 runs the prediction is the same for every sample" in cards(app)
    pictures = [chart.proto.alt for chart in app.get("vega_lite_chart")]
    outputs = [text for text in pictures if "prediction" in text or "loss clips" in text]
    assert len(outputs) == 1, "two findings with the same picture"
    app.button(key="threshold-fix-output-not-probability-sigmoid-output").click().run()
    assert not app.exception
    assert app.selectbox(key="threshold.output-activation").value == "sigmoid"
    assert app.pills(key="threshold.fixes").value == ["sigmoid-output"]
    assert app.number_input(key="threshold.epochs").value == 2
    finished(app, "are stuck")


def test_a_finding_whose_harm_is_not_known_is_not_called_harmless_until_it_is_trained():
    app = opened("two-blob", fixes="higher-learning-rate", runs="16")
    badges = [text.value for text in app.markdown if "badge" in text.value]
    assert any("Not known yet" in badge for badge in badges)
    assert "Whether this matters here shows only in training." in texts(app)
    app.button(key="two-blob-train").click().run()
    finished(app, "16 runs reached 90%")
    assert "Not known yet" not in cards(app)
    assert "All 16 runs succeed all the same." in cards(app)
    assert not any("stuck" in header.value for header in app.header)
    assert "Whether this matters here" not in texts(app)


def texts(app: AppTest) -> str:
    return " ".join(caption.value for caption in app.caption)


def test_suggested_fixes_are_tried_and_those_that_do_not_help_struck_out():
    app = opened("threshold", epochs="2", runs="16")
    assert re.fullmatch(r"Test these fixes \(about \d+ s\)", app.button(key="threshold-try").label)
    app.button(key="threshold-try").click().run()
    deadline = time.monotonic() + 120
    while not any(button.key == "threshold-apply-smallest" for button in app.button):
        assert time.monotonic() < deadline
        time.sleep(0.3)
        app.run()
        assert not app.exception
    assert "~~" in cards(app)
    assert "The smallest change that matches the best result" in cards(app)
    app.button(key="threshold-apply-smallest").click().run()
    assert app.selectbox(key="threshold.output-activation").value == "sigmoid"


def test_every_claim_is_shown_with_its_verdict():
    app = opened("claims")
    table = app.dataframe[0].value
    assert len(table) == len(CLAIMS)
    for key, claim in CLAIMS.items():
        app.selectbox(key="claims.claim").set_value(key).run()
        assert not app.exception, key
        assert app.header[0].value == claim.text
        assert (claim.criterion is None) == (not app.button)
        if claim.criterion is not None:
            assert drawn(app, "Runs that meet the criterion", "How the runs'")
    app.pills(key="claims.verdicts").set_value(["does-not-hold"]).run()
    assert 0 < len(app.dataframe[0].value) < len(CLAIMS)
    assert set(app.dataframe[0].value["verdict"]) == {"Does not hold"}


def test_a_claim_is_tested_again():
    app = opened("claims", claim="two-blob-rmsprop-5", runs="64", seed="3")
    assert app.number_input(key="claims.seed").value == 3
    app.button(key="claims-start").click().run()
    deadline = time.monotonic() + 120
    while not any("Measured just now, seed 3" in caption.value for caption in app.caption):
        assert time.monotonic() < deadline
        time.sleep(0.3)
        app.run()
        assert not app.exception
    assert "of 64" in " ".join(metric.value for metric in app.metric)
    app.selectbox(key="claims.claim").set_value("two-blob-adam-0.1").run()
    assert any("Recorded on" in caption.value for caption in app.caption)


def test_a_setting_changed_in_the_same_moment_as_a_fix_is_chosen_stays():
    app = opened("two-blob")
    app.number_input(key="two-blob.epochs").set_value(7)
    app.pills(key="two-blob.fixes").set_value(["rmsprop"]).run()
    assert app.number_input(key="two-blob.epochs").value == 7
    assert app.selectbox(key="two-blob.optimizer").value == "rmsprop"


def test_a_few_pages_are_drawn_at_a_time_and_one_that_fails_makes_room():
    drawing, most = [], []
    together = threading.Barrier(AT_ONCE)

    @in_turn
    def draw(number):
        drawing.append(number)
        together.wait(timeout=10)
        time.sleep(0.05)
        most.append(len(drawing))
        together.wait(timeout=10)
        drawing.remove(number)
        raise ValueError("what is wrong with the page")

    with ThreadPoolExecutor(3 * AT_ONCE) as visitors:
        visits = [visitors.submit(draw, number) for number in range(3 * AT_ONCE)]
    assert {type(visit.exception()) for visit in visits} == {ValueError}
    assert most == [AT_ONCE] * len(visits)
