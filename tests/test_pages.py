"""Every page through AppTest, with real trainings in the worker process."""

import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from core.draft import Draft
from core.fields import Choice, MultiChoice
from core.problems import PROBLEMS
from pages.elements import settings
from pages.elements.rendering import AT_ONCE, in_turn
from support.pages import (
    cards,
    diffs,
    drawn,
    finished,
    look_at,
    open_controls,
    opened,
    setting,
    texts,
)

pytestmark = pytest.mark.tensorflow


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
    open_controls(app, problem)
    widgets = [*app.selectbox, *app.number_input, *app.slider, *app.toggle]
    widgets += [*app.text_input, *app.multiselect]
    drawn = {(widget.key or "").partition("@")[0] for widget in widgets}
    known = settings.table(Draft.of(PROBLEMS[problem].experiment))
    without = {name for name, control in known.items() if not control.matters}
    assert {"divisor", "target-scaling"} <= without, "without an effect on these data"
    for name in (*known, *settings.OF_RUNS):
        # The layers before and after the output have buttons.
        assert (f"{problem}.{name}" in drawn) != (name in without | {"layers", "after"}), name
    buttons = [b for b in app.button if "-layer" not in b.key]
    assert all(widget.help for widget in (*widgets, *buttons, *app.button_group))


def test_other_rows_can_be_learnt_and_the_questions_own_come_back():
    app = opened("two-blob", runs="16", epochs="3")
    assert setting(app, "two-blob.target").proto.format == "percent"
    assert setting(app, "two-blob.target").label == "Target accuracy"
    setting(app, "two-blob.source").set_value("curve").run()
    assert "cannot be trained" in app.error[0].value
    app.button(key="two-blob-make-it-fit-regression-output").click().run()
    assert not app.error
    assert setting(app, "two-blob.target").label == "Target R²"
    assert setting(app, "two-blob.target").proto.format == "%.2f"
    app.button(key="two-blob-train").click().run()
    finished(app, "of 16 runs ended at R² 0.9 or above")
    assert drawn(app, "R² on the training rows")
    words = [*(h.value for h in app.header), cards(app), texts(app)]
    look_at(app, "two-blob", "Curves")
    assert drawn(app, "R² on the training rows", "How many runs end at which R²")
    assert {"Median R²", "Median MAE"} < {metric.label for metric in app.metric}
    words += [cards(app), texts(app)]
    look_at(app, "two-blob", "Network")
    assert drawn(app, "The chosen run: the prediction", "The chosen run: predicted against true")
    words = " ".join([*words, cards(app), texts(app)])
    assert "ccuracy" not in words.replace("Why does my accuracy stay the same?", "").replace(
        "the accuracy", ""
    )
    link = {name: app.query_params[name] for name in app.query_params}
    assert (link["source"], link["loss"]) == ("curve", "mean_squared_error")
    again = opened("two-blob", **link)
    assert setting(again, "two-blob.source").value == "curve"
    assert not again.error
    setting(again, "two-blob.source").set_value("blobs").run()
    assert "source" not in again.query_params
    assert "labels" not in again.query_params


def compares_both_trainings(app):
    """The trainings with and without the fixes are named, laid side by side and gone back to."""
    assert "Before: epochs 2, " in texts(app)
    look_at(app, "threshold", "Trainings")
    both = ["epochs 2", "+ Sigmoid output + Standardise inputs, epochs 2"]
    assert app.selectbox(key="threshold.training").options == both
    app.text_input(key="threshold.training-name").set_value("  with  both ").run()
    assert app.selectbox(key="threshold.training").options == ["epochs 2", "with both"]
    assert drawn(
        app,
        "Runs of each training that succeed",
        "Share of the runs that are at the target",
        "Accuracy by epoch of every run: epochs 2",
        "Accuracy by epoch of every run: with both",
    )
    order = ("a line a run:", "failed]", "the target, 90%]", "**epochs 2**", "**with both**")
    places = [cards(app).index(words) for words in order]
    assert places == sorted(places), "one legend for all, and the name above each"
    with_fixes = app.header[0].value
    app.selectbox(key="threshold.training").set_value("1").run()
    app.button(key="threshold-training-back").click().run()
    assert setting(app, "threshold.output-activation").value == "relu"
    assert app.header[0].value != with_fixes
    assert "belong to earlier settings" not in texts(app)
    app.selectbox(key="threshold.training").set_value("2").run()
    app.button(key="threshold-training-back").click().run()
    assert app.header[0].value == with_fixes
    assert app.pills(key="threshold.fixes").value == ["sigmoid-output", "standardise-inputs"]


def test_the_threshold_question_fails_as_asked_and_can_be_freed():
    app = opened("threshold")
    setting(app, "threshold.epochs").set_value(2).run()
    app.button(key="threshold-train").click().run()
    finished(app, "of 64 runs ended at 90% or above")
    assert "are stuck" in cards(app)
    assert drawn(app, "Runs that succeed", "Accuracy on the training rows")
    look_at(app, "threshold", "Curves")
    (took,) = (metric for metric in app.metric if metric.label == "Time")
    compiled, trained = re.findall(r"\d+\.\d", took.delta)
    assert float(took.value.removesuffix(" s")) == pytest.approx(
        float(compiled) + float(trained), abs=0.11
    )
    assert drawn(app, "Loss on", "How many runs")
    assert not drawn(app, "Dead units by"), "only the open tab is drawn"
    look_at(app, "threshold", "Layers")
    assert drawn(app, "Dead units by")
    look_at(app, "threshold", "Network")
    assert drawn(
        app, "The chosen run: probability of class 1", "Confusion matrix of run 46 after the last"
    )
    app.pills(key="threshold.fixes").set_value(["sigmoid-output", "standardise-inputs"]).run()
    assert setting(app, "threshold.output-activation").value == "sigmoid"
    assert setting(app, "threshold.scaling").value == "standardise"
    assert setting(app, "threshold.epochs").value == 2, "changed by hand, so it stays"
    assert any("earlier settings" in caption.value for caption in app.caption)
    app.button(key="threshold-train").click().run()
    finished(app, "of 64 runs ended at 90% or above")
    compares_both_trainings(app)
    app.button(key="threshold-reset").click().run()
    assert setting(app, "threshold.epochs").value == 10
    assert setting(app, "threshold.output-activation").value == "relu"


def test_the_two_blob_question_shows_its_network_and_plain_keras():
    app = opened("two-blob", runs="16", epochs="15")
    setting(app, "two-blob.hold-out").set_value(0.2).run()
    app.button(key="two-blob-train").click().run()
    finished(app, "runs ended at 90%")
    assert "still improving" in cards(app)
    look_at(app, "two-blob", "Curves")
    assert drawn(app, "Accuracy on the held-out rows", "Loss on the held-out rows")
    look_at(app, "two-blob", "Network")
    assert drawn(app, "The chosen run")
    for kind in ("best", "median", "worst"):
        app.segmented_control(key="two-blob.pick").set_value(kind).run()
        assert not app.exception
    look_at(app, "two-blob", "model.fit")
    app.button(key="two-blob.plain-fit").click().run()
    deadline = time.monotonic() + 90
    while not drawn(app, "Accuracy after each epoch: the stack's runs, run 0 among them"):
        assert time.monotonic() < deadline
        time.sleep(1)
        app.run()
    assert any("times** as fast" in text.value for text in app.markdown)


def test_settings_that_cannot_be_trained_are_explained():
    app = opened("two-blob")
    setting(app, "two-blob.labels").set_value("one, two").run()
    assert "`one, two`; it should be 2 different numbers" in app.warning[0].value
    assert setting(app, "two-blob.labels").value == "1, 2"
    setting(app, "two-blob.low1").set_value(0.6).run()
    assert not app.warning
    assert setting(app, "two-blob.high1").value == 0.6, "bounds do not cross"
    setting(app, "two-blob.encoding").set_value("as-is").run()
    assert "it should be 'one-hot' for categorical_crossentropy" in app.error[0].value
    assert app.button(key="two-blob-train").disabled
    setting(app, "two-blob.encoding").set_value("one-hot").run()
    assert not app.error


def test_layers_are_added_moved_set_and_removed():
    app = opened("two-blob", epochs="2", runs="16")
    setting(app, "two-blob-add-layer").set_value("Dropout").run()
    setting(app, "two-blob.layer2-rate").set_value(0.25).run()
    setting(app, "two-blob-add-layer").set_value("Dense").run()
    setting(app, "two-blob.layer3-units").set_value(100).run()
    setting(app, "two-blob-layer2-down").click().run()
    setting(app, "two-blob.output-activation").set_value("sigmoid").run()
    assert "2 → 2 sigmoid → 100 sigmoid → 2 sigmoid, dropout 0.25" in texts(app)
    assert "hidden layers dense 2 sigmoid glorot uniform, dense 100" in texts(app)
    assert app.query_params["layers"] == "Dense~2~sigmoid~~Dense~100~sigmoid~~Dropout~0.25"
    app.button(key="two-blob-train").click().run()
    finished(app, "16 runs ended at")
    setting(app, "two-blob-layer1-remove").click().run()
    assert "2 → 100 sigmoid → 2 sigmoid, dropout 0.25" in texts(app)
    assert "belong to earlier settings" in texts(app)
    app.pills(key="two-blob.fixes").set_value(["wider-hidden"]).run()
    assert "2 → 100 sigmoid" in texts(app), "layers changed by hand stay under a fix"
    app.button(key="two-blob-reset").click().run()
    assert "2 → 2 sigmoid → 2 softmax;" in texts(app)


def test_three_classes_of_five_features_are_trained_and_pictured():
    app = opened("two-blob", epochs="2", runs="16")
    setting(app, "two-blob.classes").set_value(3).run()
    setting(app, "two-blob.features").set_value(5).run()
    assert "units of the output layer" in app.error[0].value
    setting(app, "two-blob.output-units").set_value(3).run()
    assert setting(app, "two-blob.labels").value == "1, 2, 3"
    app.button(key="two-blob-train").click().run()
    finished(app, "16 runs ended at")
    look_at(app, "two-blob", "Curves")
    said = next(each.value for each in app.markdown if "Other models" in each.value)
    assert re.search(r"a random forest [\d.]+%.*These runs: [\d.]+%", said)
    look_at(app, "two-blob", "Network")
    assert drawn(app, "The chosen run: how many training rows", "Confusion matrix")


def test_a_link_sets_the_page_and_what_it_gets_wrong_is_named():
    form = {"start": "labels-left-at-1-and-2", "fixes": "rmsprop.magic", "target": "0.955"}
    app = opened("two-blob", epochs="7", units="3", **form)
    # AppTest hands the query on to the page that it switches to, as a browser's cold link does.
    assert setting(app, "two-blob.epochs").value == 7
    assert setting(app, "two-blob.optimizer").value == "rmsprop"
    assert setting(app, "two-blob.encoding").value == "as-is"
    assert setting(app, "two-blob.target").value == 0.955
    assert "target accuracy 95.5%" in texts(app)
    # Still there once the controls were opened, and gone once something is set.
    refused = " ".join(warning.value for warning in app.warning)
    assert "magic" in refused
    assert "`units`" in refused
    assert len(app.warning) == 2
    setting(app, "two-blob.epochs").set_value(8).run()
    assert not app.warning
    setting(app, "two-blob.target").set_value(0.8).run()
    assert app.query_params["target"] == "0.8"


@pytest.mark.parametrize(
    ("name", "text"),
    [("epochs", "1e9"), ("epochs", "-1"), ("learning-rate", "nan"), ("loss", "`; drop"), ("x", "")],
)
def test_a_bad_link_falls_back_with_a_notice(name, text):
    app = opened("threshold", **{name: text})
    assert len(app.warning) == 1
    assert setting(app, "threshold.epochs").value == 10
    assert setting(app, "threshold.learning-rate").value == 0.001


def test_a_link_from_a_newer_version_is_read_as_far_as_it_can_be():
    app = opened("threshold", v="3", epochs="7", magic="yes")
    assert setting(app, "threshold.epochs").value == 7
    assert ["newer version" in w.value or "`magic`" in w.value for w in app.warning] == [True] * 2
    assert len(opened("threshold", **{f"x{n}": "1" for n in range(99)}).warning) < 12


def test_new_data_after_the_highest_seed_are_those_of_seed_0():
    app = opened("two-blob", seed="999999", runs="1", epochs="1")
    app.button(key="two-blob-new-data").click().run()
    assert setting(app, "two-blob.seed").value == 0
    finished(app, "The run ended")


def test_what_is_looked_at_comes_with_the_link():
    looked_at = {"log": "yes", "pick": "best", "health": "update_ratio", "tab": "Layers"}
    app = opened("two-blob", epochs="2", runs="16", **looked_at)
    app.button(key="two-blob-train").click().run()
    finished(app, "16 runs ended at 90%")
    assert drawn(app, "Update-to-weight ratio by epoch")
    look_at(app, "two-blob", "Curves")
    assert app.toggle(key="two-blob.log-scale").value
    look_at(app, "two-blob", "Network")
    assert app.segmented_control(key="two-blob.pick").value == "best"
    link = next(block.value for block in app.code if "v=2" in block.value)
    assert link.endswith("tab=Network&log=yes&health=update_ratio&pick=best")


def test_curves_are_those_that_are_counted_unless_model_fits_are_asked_for():
    app = opened("threshold", epochs="2", runs="16", fixes="sigmoid-output", tab="Curves")
    app.button(key="threshold-train").click().run()
    finished(app, "16 runs ended at 90%")
    assert drawn(app, "Accuracy on the training rows after each", "Loss on the training rows after")
    assert app.toggle(key="threshold.log-scale").value, "the raw inputs' losses are far apart"
    app.toggle(key="threshold.log-scale").set_value(False).run()
    app.segmented_control(key="threshold.curves").set_value("during").run()
    assert drawn(app, "Accuracy on the training rows during each", "Loss on the training rows dur")
    assert not app.toggle(key="threshold.log-scale").value
    link = next(block.value for block in app.code if "v=2" in block.value)
    assert "log=no" in link
    assert "curves=during" in link
    app.toggle(key="threshold.log-scale").set_value(True).run()
    link = next(block.value for block in app.code if "v=2" in block.value)
    assert "log=" not in link, "as it is from the start"


def test_the_script_and_what_changed_are_there_before_any_training():
    app = opened("two-blob", fixes="rmsprop", epochs="7", tab="Export")
    link, with_results, alone, script = (block.value for block in app.code)
    changed = diffs(app)
    assert with_results.startswith(link)
    assert alone.startswith(link)
    assert "v=2" in link
    assert "fixes=rmsprop&epochs=7" in link
    assert 'optimizer="rmsprop"' in script
    assert '+     optimizer="rmsprop",' in changed[0]
    assert "+     epochs=7," in changed[1]
    assert "**Training**: RMSprop" in cards(app)
    assert "**Training**: Changed by hand" in cards(app)
    assert "this is the network as asked" not in cards(app)
    assert "this is the network as asked" in cards(opened("threshold", tab="Export"))


def test_the_settings_alone_are_diagnosed_as_soon_as_one_changes():
    app = opened("threshold")
    assert "The main cause is that the loss clips the output" in cards(app)
    assert "rows, 4,991 survive" in cards(app)
    setting(app, "threshold.output-activation").set_value("sigmoid").run()
    assert "The loss clips the output" not in cards(app)
    app.pills(key="threshold.fixes").set_value(
        ["sigmoid-output", "standardise-inputs", "shuffle-rows", "hold-out", "wider-hidden"]
    ).run()
    setting(app, "threshold.layer1-activation").set_value("leaky_relu").run()
    setting(app, "threshold.layer2-activation").set_value("leaky_relu").run()
    assert "finds anything that does harm before training" in cards(app)


def test_a_finding_is_fixed_with_one_click():
    app = opened("threshold", epochs="2")
    app.button(key="threshold-train").click().run()
    finished(app, "64 runs ended at 90%")
    assert "64 runs the prediction is the same for every sample" in cards(app)
    pictures = [chart.proto.alt for chart in app.get("vega_lite_chart")]
    outputs = [text for text in pictures if "prediction" in text or "loss clips" in text]
    assert len(outputs) == 1, "two findings with the same picture"
    app.button(key="threshold-fix-output-not-probability-sigmoid-output").click().run()
    assert not app.exception
    assert setting(app, "threshold.output-activation").value == "sigmoid"
    assert app.pills(key="threshold.fixes").value == ["sigmoid-output"]
    assert setting(app, "threshold.epochs").value == 2
    finished(app, "of 64 runs ended at 90% or above")


def test_a_finding_whose_harm_is_not_known_is_not_called_harmless_until_it_is_trained():
    app = opened("two-blob", fixes="higher-learning-rate", runs="16")
    badges = [text.value for text in app.markdown if "badge" in text.value]
    assert any("Not known yet" in badge for badge in badges)
    assert "Only training shows whether this matters here." in texts(app)
    app.button(key="two-blob-train").click().run()
    finished(app, "16 runs ended at 90%")
    assert "Not known yet" not in cards(app)
    assert "All 16 runs succeed all the same." in cards(app)
    assert not any("stuck" in header.value for header in app.header)
    assert "Whether this matters here" not in texts(app)


def test_suggested_fixes_are_tried_and_those_that_do_not_help_struck_out():
    app = opened("threshold", epochs="2", runs="16")
    assert re.fullmatch(r"Test these fixes \(about \d+ s\)", app.button(key="threshold-try").label)
    app.button(key="threshold-try").click().run()
    deadline = time.monotonic() + 120
    while not any(button.key == "threshold-apply-smallest" for button in app.button):
        assert time.monotonic() < deadline
        time.sleep(1)
        app.run()
        assert not app.exception
    assert any(re.fullmatch(r"~~.+~~: \d+ of \d+", text.value) for text in app.markdown)
    assert any(re.fullmatch(r".+: \d+ of \d+", button.label) for button in app.button)
    assert "Do this first: “Sigmoid output”" in cards(app)
    assert drawn(app, "Runs that succeed without and with each change")
    app.button(key="threshold-apply-smallest").click().run()
    assert setting(app, "threshold.output-activation").value == "sigmoid"


def test_a_notice_names_a_handful_of_options():
    many = tuple(f"option-{number}" for number in range(40))
    for kind in (Choice(many), MultiChoice(many)):
        assert sum(option in kind.expected.replace(",", " ").split() for option in many) == 8
        assert "32 more" in kind.expected


def test_a_setting_changed_in_the_same_moment_as_a_fix_is_chosen_stays():
    app = opened("two-blob")
    setting(app, "two-blob.epochs").set_value(7)
    app.pills(key="two-blob.fixes").set_value(["rmsprop"]).run()
    assert setting(app, "two-blob.epochs").value == 7
    assert setting(app, "two-blob.optimizer").value == "rmsprop"


def test_of_fixes_that_exclude_each_other_the_one_chosen_last_replaces_the_other():
    app = opened("threshold")
    pills = app.pills(key="threshold.fixes")
    pills.set_value(["sigmoid-output", "scale-inputs"]).run()
    pills = app.pills(key="threshold.fixes")
    pills.set_value(["sigmoid-output", "scale-inputs", "standardise-inputs"]).run()
    assert app.pills(key="threshold.fixes").value == ["sigmoid-output", "standardise-inputs"]
    assert any("It replaces *Scale inputs to [0, 1]*." in c.help for c in app.caption)
    pills = app.pills(key="threshold.fixes")
    pills.set_value(["sigmoid-output", "standardise-inputs", "scale-inputs"]).run()
    assert app.pills(key="threshold.fixes").value == ["sigmoid-output", "scale-inputs"]
    assert setting(app, "threshold.scaling").value == "divide"


def test_figures_of_the_layers_that_are_0_throughout_are_said_in_words():
    app = opened("two-blob", runs="1", epochs="1", fixes="higher-learning-rate", tab="Layers")
    app.button(key="two-blob-train").click().run()
    finished(app, "The run ended")
    assert "No unit is dead after any epoch" in texts(app)
    figures = app.segmented_control(key="two-blob.health-figure")
    assert figures.options == ["Gradient norm", "Update-to-weight ratio"]
    assert drawn(app, "Gradient norm by")
    assert "health" not in app.query_params, "nobody has chosen it"
    figures.set_value("update_ratio").run()
    assert drawn(app, "Update-to-weight ratio by")
    assert app.query_params["health"] == "update_ratio"


def test_new_data_change_no_seed_that_has_no_effect():
    app = opened("two-blob", runs="1", epochs="1")
    app.button(key="two-blob-new-data").click().run()
    (changed,) = (c.value for c in app.caption if "Changed by hand" in c.value)
    assert "data seed" not in changed
    finished(app, "The run ended")


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


def test_a_layer_moves_past_the_output_and_its_rarer_settings_have_controls():
    app = opened("threshold")
    setting(app, "threshold-add-layer").set_value("Activation").run()
    setting(app, "threshold.layer3-activation").set_value("sigmoid").run()
    setting(app, "threshold-layer3-down").click().run()
    assert app.query_params["after"] == "Activation~sigmoid"
    assert "1 → 3 relu → 5 relu → 1 sigmoid;" in texts(app)
    assert setting(app, "threshold-layer2-down").disabled, "a dense layer would be the output"
    setting(app, "threshold.layer1-initialiser").set_value("random_uniform").run()
    setting(app, "threshold.layer1-initialiser-maxval").set_value(0.5).run()
    setting(app, "threshold.output-kernel-regulariser").set_value("l2").run()
    setting(app, "threshold.layer1-use-bias").set_value(False).run()
    assert app.query_params["layer1-initialiser-maxval"] == "0.5"
    assert not app.exception
    assert not app.error
    setting(app, "threshold-layer4-remove").click().run()
    assert "after" not in app.query_params
