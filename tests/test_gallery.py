"""The gallery: every case shows what it says, and its pages say what is recorded."""

import re
import subprocess
import sys
from itertools import islice
from urllib.parse import unquote

import pytest

from benchmarks.app import ROOT
from core.experiment import Experiment
from core.gallery import CASES, record
from core.history import TARGET
from pages.elements import own
from pages.elements.gallery.overview import CASE
from pages.elements.gallery.recorded import PATH
from pages.elements.gallery.thumbnail import thumbnail
from support.pages import cards, diffs, drawn, opened, texts

RECORDED = record.load()
AGAIN = ("xor", "labels-1-2")
"""Cases that are trained again: quick ones, with three programs for four experiments."""


def test_the_record_is_of_these_cases_and_of_enough_runs():
    assert RECORDED.cases == record.fingerprint(), "record again: python -m core.gallery --out ..."
    assert RECORDED.recorded.keys() == CASES.keys()
    for kept in RECORDED.recorded.values():
        assert kept.before.runs == kept.after.runs == RECORDED.runs >= 256


@pytest.mark.parametrize("key", CASES)
def test_a_case_shows_its_phenomenon_and_its_change_is_verified(key):
    case, kept = CASES[key], RECORDED.recorded[key]
    assert kept.main == case.cause, "the diagnosis names the cause"
    if case.cause is None:
        assert kept.goal < TARGET, "the target is out of reach"
        assert kept.before.median_accuracy < TARGET
        assert kept.before.rate.low > 0.9
        assert kept.gain[1] <= 0 <= kept.gain[2], "nothing more is to be had"
    else:
        assert kept.before.rate.high < 0.5
        assert kept.after.rate.low > 0.8
        assert kept.gain[1] > 0.3


@pytest.mark.parametrize("key", CASES)
def test_the_texts_of_a_case_are_whole(key):
    case = CASES[key]
    for text in (case.symptom, case.why):
        told = text.format(**RECORDED.recorded[key].figures(case))
        assert "{" not in told
        assert told.endswith(".")
    assert len({question.text for question in case.questions}) == 3
    assert all(question.text.endswith("?") for question in case.questions)
    assert Experiment.from_json(case.changed.to_json()) == case.changed


@pytest.mark.tensorflow
def test_training_again_gives_what_is_recorded():
    runs = 24
    made = record.make([CASES[key] for key in AGAIN], runs=runs, seed=RECORDED.seed)
    for key, again in made.recorded.items():
        kept = RECORDED.recorded[key]
        for part in ("before", "after"):
            now, then = getattr(again, part), getattr(kept, part)
            assert now.success == then.success[:runs], key
            assert now.epochs == then.epochs
            for ours, theirs in zip(now.accuracy, then.accuracy, strict=False):
                assert ours[-1] == pytest.approx(theirs[-1], abs=0.02), key
        assert again.main == kept.main


def test_a_record_survives_its_file(tmp_path):
    record.save(RECORDED, tmp_path / "record.json")
    assert record.load(tmp_path / "record.json") == RECORDED


def test_the_command_prints_the_record():
    done = subprocess.run(
        [sys.executable, "-m", "core.gallery"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == record.table(RECORDED)
    for case in CASES.values():
        assert case.title in done.stdout


# --- the page -----------------------------------------------------------------------------------


def test_the_overview_has_a_card_for_every_case_with_both_rates():
    app = opened("gallery")
    assert app.title[0].value == "Gallery"
    assert not app.warning
    links = [link.proto for link in app.get("page_link")]
    for key, case in CASES.items():
        kept = RECORDED.recorded[key]
        (link,) = (link for link in links if case.title in link.label)
        assert f"case={key}" in link.query_string
        assert case.line in cards(app)
        assert f"{kept.before.rate} →  \n{kept.after.rate}" in texts(app)
    assert len(re.findall(r"!\[[^\]]+\]\(data:image/svg", cards(app))) == len(CASES)
    assert not app.get("vega_lite_chart"), "pictures, which cost a browser little"


def test_a_link_opens_a_case():
    app = opened("gallery")
    # Every third one: they are drawn alike.
    for key, case in islice(CASES.items(), 0, None, 3):
        app.query_params[CASE] = key
        app.run()
        kept = RECORDED.recorded[key]
        assert app.title[0].value == case.title
        assert not app.warning
        assert not app.exception
        assert drawn(app, f"{case.experiment.task.score} by epoch, As asked: {kept.before.rate}")
        assert len(app.get("vega_lite_chart")) == 2
        assert f"{kept.after.rate}" in cards(app)
        assert "percentage points (95% interval " in cards(app)
        assert " ".join(kept.summary) in cards(app)
        assert all(question.text in cards(app) for question in case.questions)
        assert any(line[:1] in ("+", "-") for line in diffs(app)[0].splitlines()), key


@pytest.mark.parametrize(
    ("page", "parameters", "shown"),
    [
        ("gallery", {CASE: "xor"}, "Accuracy by epoch, As asked"),
        ("claims", {"claim": "threshold-both-learn"}, "Accuracy by epoch of 48 runs"),
        ("compare", {}, "Share of runs that reach 90%"),
    ],
)
def test_a_link_shows_what_is_recorded_alone_for_a_slide(page, parameters, shown):
    app = opened(page, show="curves", **parameters)
    assert drawn(app, shown)
    assert "Open the whole page" in cards(app)
    assert not [*app.title, *app.warning, *app.button]


def test_a_case_is_opened_on_the_page_of_ones_own_network():
    app = opened("gallery", **{CASE: "one-softmax"})
    app.button(key="gallery.Open it changed").click().run()
    assert not app.exception
    assert app.title[0].value == own.TITLE
    assert "From the gallery: Softmax over one unit, with its change." in texts(app)
    held = app.session_state["own.held"]
    assert held.problem.experiment == CASES["one-softmax"].changed


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({CASE: "xorr"}, "Unknown case `xorr` in the link: choose one below. Did you mean `xor`?"),
        ({CASE: "`9`" * 40}, "Unknown case `9999"),
        ({"colour": "red"}, "`colour` in the link is not a setting"),
    ],
)
def test_a_bad_link_opens_the_overview_and_says_so(parameters, said):
    app = opened("gallery", **parameters)
    assert app.title[0].value == "Gallery"
    (warning,) = (warning.value for warning in app.warning)
    assert warning.startswith(said)


def test_home_leads_to_the_gallery():
    assert any(
        link.proto.page == PATH or "Gallery" in link.proto.label
        for link in opened().main.get("page_link")
    )


@pytest.mark.parametrize("key", ["xor", "rate-too-high"])
def test_a_picture_is_small_and_within_its_frame(key):
    kept, case = RECORDED.recorded[key], CASES[key]
    picture = thumbnail(kept.before, kept.after, case.experiment.task)
    assert len(picture) < 12_000
    assert " " not in picture, "which would end the address in Markdown"
    heights = [int(y) for y in re.findall(r"\d,(\d+)", unquote(picture))]
    assert heights
    assert max(heights) <= 84
