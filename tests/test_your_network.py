"""The page for one's own network: what is read of a paste and a table, and the way to the diff."""

import json

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from core import fixes
from core.diagnosis import Severity, from_settings
from core.diagram import before_training
from core.files import UNCHANGED, combination
from core.history import TARGET
from core.jobs.reading import NotRead, Reader
from core.own import problem_of
from core.problems import PROBLEMS
from core.script import line_of, patch, read, unified
from core.script.described import known_in_words, rows_in_words
from core.script.examples import TITLES, example
from core.script.logs import Curves, alike, as_frame, remarks
from core.script.tables import CONSTANT, FILL, IDENTIFIER, LEAK, Uploaded, identifiers
from pages.elements import own
from support.histories import made_up
from support.pages import PAGES, opened, setting
from support.recording import record

FAULTS = {
    "xor": "model.add(Dense(2,",
    "relu_output": 'layers.Dense(1, activation="relu")',
    "softmax_one_unit": 'model.add(Dense(1, activation="softmax"))',
    "zeros": "model.add(keras.layers.Dense(16,",
    "large_inputs": "model.fit(X, y",
}
"""The line of the worst finding before training, where there is one."""
LOANS = """import pandas as pd
from keras.models import Sequential
from keras.layers import Dense
table = pd.read_csv("loans.csv")
X = table.drop("default", axis=1).values
y = table["default"].values
model = Sequential()
model.add(Dense(8, input_dim=2, activation="relu"))
model.add(Dense(1, activation="sigmoid"))
model.compile(loss="binary_crossentropy", optimizer="adam", metrics=["accuracy"])
model.fit(X, y, epochs=20, batch_size=16)
"""


@pytest.mark.parametrize("name", TITLES)
def test_an_example_is_read_and_its_fault_is_found_on_its_line(name):
    reading = read(example(name))
    assert reading.experiment is not None
    assert not reading.questions
    found = from_settings(reading.experiment, TARGET)
    serious = [each for each in found if each.severity is not Severity.COSMETIC]
    assert bool(serious) == (name in FAULTS)
    if serious:
        number = line_of(reading, serious[0].fixes, serious[0].layer)
        assert FAULTS[name] in reading.lines[number - 1].text
        fix = serious[0].fixes[0]
        before, after = reading.experiment, fix.apply(reading.experiment)
        patched = patch(reading.source, before, after)
        assert read(patched).experiment.model == after.model
        diff = unified(reading.text, patched)
        assert diff.startswith("--- a/script.py\n+++ b/script.py\n@@ -")
        gone, new = ([x for x in diff.splitlines()[2:] if x.startswith(sign)] for sign in "-+")
        assert len(gone) <= 4, "no more than the lines of the fix"
        assert 1 <= len(new) <= 4


def test_lines_of_training_and_data_are_those_of_their_calls():
    reading = read(example("learning_rate"))

    def line(*some, layer=None):
        return reading.lines[line_of(reading, some, layer) - 1].text

    assert "Adam(learning_rate=1.0)" in line(fixes.rate(0.01))
    assert "model.fit(" in line(fixes.epochs(500))
    assert "model.fit(" in line(fixes.STANDARDISE)
    assert "Dense(12" in line(fixes.WIDEN)
    assert "Dense(3" in line(layer=1)
    assert line_of(reading, ()) == 0


@pytest.mark.tensorflow
@pytest.mark.parametrize("name", FAULTS)
def test_a_patched_example_runs_as_plain_keras(name):
    before = read(example(name)).experiment
    fix = next(fix for each in from_settings(before, TARGET) for fix in each.fixes)
    after = fix.apply(before)
    ran = record(patch(example(name), before, after))
    units = [layer.units for layer in after.model.dense]
    assert [each["units"] for each in ran["layers"] if "units" in each] == units
    assert ran["epochs"] == after.training.epochs


def csv(rows=200):
    rng = np.random.default_rng(0)
    income = rng.normal(40, 9, rows)
    default = (income + rng.normal(0, 5, rows) < 38).astype(int)
    table = pd.DataFrame(
        {
            "id": np.arange(rows) + 1_000,
            "income": income,
            "debt": rng.normal(8, 2, rows),
            "status": np.where(default == 1, "late", "fine"),
            "country": "NL",
            "default": default,
        }
    )
    table.loc[:4, "debt"] = np.nan
    return table


def test_a_table_is_described_and_what_stands_out_is_named():
    facts = Uploaded("loans.csv", csv().to_csv(index=False).encode()).facts()
    remarks = {column.name: column.remark for column in facts.columns if column.remark}
    assert remarks == {"id": IDENTIFIER, "status": LEAK, "country": CONSTANT}
    assert (facts.rows, facts.label, facts.missing) == (200, "default", 5)
    assert identifiers(facts) == ("id",)


def test_missing_values_are_left_out_or_filled_and_long_tables_sampled(monkeypatch):
    content = csv().to_csv(index=False).encode()
    left_out = Uploaded("loans.csv", content, left_out=("id", "status", "country"))
    assert left_out.rows().shape == (195, 3)
    filled = Uploaded("loans.csv", content, missing=FILL).rows()
    assert len(filled) == 200
    assert filled["debt"][:5].unique() == pytest.approx([csv()["debt"].median()])
    monkeypatch.setattr("core.script.tables.MOST_ROWS", 50)
    sampled = Uploaded("loans.csv", content)
    assert (len(sampled.rows()), sampled.facts().sampled) == (50, 150)
    assert sampled.rows().equals(sampled.rows())


@pytest.fixture(scope="module")
def reader():
    with_scikit = Reader()
    yield with_scikit
    with_scikit.close()


def test_a_script_reads_its_uploaded_table_and_is_patched(reader):
    table = Uploaded(
        "loans.csv", csv().to_csv(index=False).encode(), left_out=("id", "status", "country")
    )
    reading = reader.read(LOANS, table)
    assert reading.experiment.data.source.rows == 195
    assert not reading.stand_in
    found = from_settings(reading.experiment, TARGET)
    fix = next(fix for each in found for fix in each.fixes if fix.key == "standardise-inputs")
    patched = reader.patch(LOANS, reading.experiment, fix.apply(reading.experiment), table)
    assert "fit" in patched
    assert patched != LOANS


def test_what_is_no_table_is_refused_without_a_word_of_it_in_the_log(reader, capfd):
    for name, content in (("a.csv", b"\0secret-7391"), ("a.npz", b"PK secret-7391")):
        with pytest.raises(NotRead, match="cannot be used"):
            reader.describe(Uploaded(name, content))
    reader.read("secret_7391 = ((((\nmodel = Sequential(secret_7391)")
    with pytest.raises(NotRead):
        reader.read("x", saved=b"secret-7391")
    said = capfd.readouterr()
    assert "7391" not in said.out + said.err


def test_runs_that_look_like_a_pasted_log_are_counted():
    reading = read(example("large_inputs"))
    loss, accuracy = (np.array(reading.log.values[n])[:, None] for n in ("loss", "accuracy"))
    far = np.array([[0.0, 0.04, 0.3, np.nan]])
    history = made_up(reading.experiment, loss + far, accuracy + far)
    assert alike(reading.log, history).tolist() == [True, True, False, False]
    drawn = as_frame(reading.log, history)
    assert drawn["score"].tolist() == accuracy[:, 0].tolist()
    assert drawn["evaluated_score"].isna().all()
    diverged = Curves(None, {"loss": (float("inf"), float("nan"))})
    assert not alike(diverged, history).any()
    only_loss = Curves(None, {"loss": tuple(loss[:2, 0])})
    assert alike(only_loss, history).tolist() == [True, False, False, False]
    assert alike(Curves(None, {"lr": (0.1,)}), history) is None


def test_a_paste_is_understood_corrected_and_linked():
    app = opened("own")
    app.text_area(key="own.text").set_value(LOANS).run()
    assert not app.exception
    assert "own-find" not in {button.key for button in app.button}, "the data are not known"
    rows = next(w for w in app.number_input if w.key == "own.answer.rows")
    rows.set_value(300)
    next(b for b in app.button if "own-use-answers" in (b.key or "")).click().run()
    assert not app.exception
    assert any("300 rows" in caption.value for caption in app.caption)
    assert any("Stand-in" in badge.value for badge in app.markdown)
    link = {name: app.query_params[name] for name in app.query_params}
    assert set(link) == {"v", "script", "answers"}
    again = opened("own", **link)
    assert again.text_area(key="own.text").value == LOANS
    assert any("300 rows" in caption.value for caption in again.caption)
    again.text_area(key="own.text").set_value("print('no network')").run()
    assert not again.exception
    assert "own-find" not in {button.key for button in again.button}
    assert own.KEY in again.session_state


def test_a_text_is_set_in_the_browser_only_where_it_is_another():
    app = opened("own")
    app.text_area(key="own.text").set_value("x = 1").run()
    # What is being typed while the page is drawn again would be lost.
    assert not app.text_area(key="own.text").proto.set_value
    app.button(key="own.example-xor").click().run()
    box = app.text_area(key="own.text")
    assert (box.proto.set_value, box.value) == (True, example("xor"))
    app.switch_page(PAGES["threshold"]).run()
    app.switch_page(PAGES["own"]).run()
    assert app.text_area(key="own.text").value == example("xor")


def test_a_log_is_taken_apart_from_a_script():
    app = opened("own")
    app.text_area(key="own.log").set_value("Epoch 1/2\n - loss: nan - acc: 0.5\n").run()
    assert not app.exception
    assert any("not a number from epoch 1" in each.value for each in app.markdown)
    app.text_area(key="own.text").set_value(LOANS).run()
    assert app.text_area(key="own.log").value.startswith("Epoch 1/2")
    app.text_area(key="own.log").set_value("no epochs").run()
    assert any("no epochs with a loss" in each.value for each in app.text)


def test_a_log_by_itself_shows_a_plateau_and_a_rising_loss():
    flat = Curves(None, {"loss": (0.7, 0.69, 0.71), "accuracy": (0.4, 0.5, 0.5, 0.5)})
    said = " ".join(remarks(flat))
    assert "accuracy is 0.5 in each of the last 3 epochs" in said
    assert "rises from 0.7 to 0.71" in said
    assert len(remarks(Curves(None, {"loss": (0.7, 0.3, 0.1), "accuracy": (0.4, 0.6, 0.9)}))) == 1


def test_a_link_to_one_chart_without_a_network_says_so():
    app = opened("own", show="network", embed="true")
    assert not app.exception
    assert any("carries no network" in each.value for each in app.error)


def test_rows_are_described_with_the_share_of_each_class():
    table = csv()[["income", "debt", "default"]].dropna()
    data = read(LOANS, table.to_csv(index=False)).data
    shares = np.bincount(data.source.labels) / data.source.rows
    assert f"(0: {shares[0]:.0%}, 1: {shares[1]:.0%})" in rows_in_words(data)
    asked = read(LOANS.replace("epochs=20", "epochs=n"))
    assert asked.experiment is None
    assert "Batch size: 16" in known_in_words(asked)


def test_a_network_is_drawn_before_its_training():
    drawn = before_training(read(example("xor")).experiment)
    assert drawn.epochs == [0]
    assert len(drawn.edges) == 2 * 2 + 2
    assert drawn.edges["weight_0"].abs().max() > 0


def test_a_stand_in_has_the_shares_that_are_said():
    answers = {"data": "stand-in", "rows": 500, "shares": "90%, 10"}
    reading = read(LOANS, answers=answers)
    labels = reading.experiment.data.source.labels
    assert np.bincount(labels).tolist() == [450, 50]
    assert "90%, 10% of them" in reading.stand_in
    refused = read(LOANS, answers={**answers, "shares": "0.9"})
    assert refused.experiment is None
    assert any("2 numbers" in note.text for note in refused.notes)


def test_a_broken_link_is_refused_in_words():
    app = opened("own", script="%%%", network="AAAA")
    assert not app.exception
    assert len(app.warning) == 2


def test_a_link_restores_what_was_changed_by_hand_and_another_network_takes_the_place():
    link = {"script": own.packed(example("zeros")), "epochs": "7"}
    app = opened("own", **link)
    assert not app.warning
    assert setting(app, "own.epochs").value == 7
    assert app.query_params["epochs"] == "7"
    setting(app, "own.epochs").set_value(9).run()
    app.switch_page(PAGES["threshold"]).run()
    app.switch_page(PAGES["own"]).run()
    assert setting(app, "own.epochs").value == 9
    app.button(key="own.example-xor").click().run()
    assert setting(app, "own.epochs").value == 300
    app.switch_page(PAGES["compare"]).run()
    app.segmented_control(key="compare.problem").set_value(own.KEY).run()
    assert not app.exception
    assert "wider-hidden" in app.pills(key="compare.fixes").value


def test_a_network_without_changes_is_as_asked_or_as_is(monkeypatch):
    asked, other = (PROBLEMS[key].experiment for key in ("threshold", "two-blob"))
    monkeypatch.setattr(own, "held", lambda: own.Own(problem_of(asked, own.KEY, own.TITLE)))
    assert own.name_of(asked, ("threshold", own.KEY)) == "As asked"
    assert own.name_of(asked, (own.KEY, "threshold")) == "As is"
    assert own.name_of(other, ("threshold", own.KEY)) == "As is", "an earlier network"
    assert combination((), {UNCHANGED: "As is"}) == "As is"


@pytest.mark.skipif(not hasattr(AppTest, "file_uploader"), reason="Streamlit has no such test")
def test_uploaded_files_are_read_and_others_refused_in_words():
    app = opened("own")

    def upload(name, content):
        app.file_uploader(key="own.file").set_value((name, content, "text/csv")).run()
        assert not app.exception

    upload("model.py", LOANS.encode())
    assert app.text_area(key="own.text").value == LOANS
    cell = {"cell_type": "code", "source": LOANS, "outputs": [{"text": "loss: 0.7"}]}
    picture = {"cell_type": "markdown", "source": "x" * 300_000}
    upload("model.ipynb", json.dumps({"cells": [picture, cell]}).encode())
    assert app.text_area(key="own.text").value == LOANS
    assert app.text_area(key="own.log").value == "loss: 0.7"
    upload("loans.csv", csv().to_csv(index=False).encode())
    left_out = next(w for w in app.multiselect if w.key == "own.left-out")
    assert left_out.value == ["id"]
    left_out.set_value(["id", "status", "country"]).run()
    assert not app.exception
    assert "own-find" in {button.key for button in app.button}
    assert any("195 rows with 2 inputs" in caption.value for caption in app.caption)
    assert any("leaves out the uploaded table" in caption.value for caption in app.caption)
    assert app.query_params["stayed"]
    app.segmented_control(key="own.missing").set_value(FILL).run()
    assert any("200 rows with 2 inputs" in caption.value for caption in app.caption)
    upload("broken.npz", b"PK")
    assert any("cannot be used" in text.value for text in app.text)
    assert any("200 rows with 2 inputs" in caption.value for caption in app.caption)
    upload("network.keras", b"no archive")
    assert any("no file of model.save" in text.value for text in app.text)
    upload("experiment.json", PROBLEMS["two-blob"].experiment.to_json().encode())
    assert not app.error
    assert setting(app, "own.epochs").value == 50
    assert app.text_area(key="own.text").value == ""
