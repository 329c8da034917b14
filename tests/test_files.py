"""Files that leave the page, files and links that come to it."""

import json
from dataclasses import replace
from io import StringIO

import numpy as np
import pandas as pd
import pytest

from core.claims import CLAIMS, record
from core.comparison import Comparison
from core.experiment import Experiment, InvalidExperiment
from core.fields import Choice, Float, Int, MultiChoice
from core.files import (
    MOST_BYTES,
    claims_json,
    comparison_csv,
    comparison_json,
    history_csv,
    history_json,
    read_experiment,
    versions,
)
from core.history import History
from core.problems import PROBLEMS
from pages.elements import query_params
from pages.elements.report import Report, _data
from support.histories import made_up

EXPERIMENT = PROBLEMS["two-blob"].experiment


def history(runs: int = 3, epochs: int = 2) -> History:
    """Made up; the last run's loss is no number."""
    figures = np.linspace(0.1, 0.9, epochs * runs, dtype=np.float32).reshape(epochs, runs)
    loss = figures.copy()
    loss[-1, -1] = np.nan
    return made_up(EXPERIMENT, loss, figures, seed=4, seconds=1.0, compile_seconds=0.5)


def test_curves_are_kept_with_what_they_came_from():
    kept = json.loads(history_json(history()), parse_constant=pytest.fail)
    assert Experiment.from_json(json.dumps(kept["experiment"])) == EXPERIMENT
    assert (kept["seed"], kept["runs"], kept["epochs"]) == (4, 3, 2)
    assert kept["versions"] == versions()
    assert np.float32(kept["accuracy"][1][0]) == history().score[0, 1]
    assert kept["loss"][2][1] is kept["final_loss"][2] is None
    assert "val_loss" not in kept
    lines = history_csv(history()).splitlines()
    assert lines[0] == (
        "run,epoch,loss,accuracy,evaluated_loss,evaluated_accuracy,final_loss,final_accuracy"
    )
    assert len(lines) == 1 + 3 * 2
    lost = history().loss * np.nan
    assert "run,epoch,loss,accuracy,evaluated_loss" in history_csv(replace(history(), loss=lost))


def test_the_headline_is_recomputed_from_either_file_alone():
    # Some end at the target exactly, which a float32 is a hair below.
    final = np.array([0.9, 0.95, 0.8995, 0.3, 0.9], np.float32)
    made = history(runs=5)
    ended = replace(made, final_score=final)
    succeeded = ended.successes(0.9).sum()
    assert succeeded == 3
    rows = pd.read_csv(StringIO(history_csv(ended)))
    by_run = rows.groupby("run")["final_accuracy"].agg(["nunique", "first"])
    assert (by_run["nunique"] == 1).all()
    assert (by_run["first"] >= 0.9).sum() == succeeded
    kept = json.loads(history_json(ended))
    assert sum(accuracy >= 0.9 for accuracy in kept["final_accuracy"]) == succeeded


def test_a_comparison_is_kept_with_what_it_came_from():
    titles = {"rmsprop": "RMSprop"}
    comparison = Comparison(EXPERIMENT, ("rmsprop",), ((), ("rmsprop",)), (history(), history()))
    kept = json.loads(comparison_json(comparison, 0.95), parse_constant=pytest.fail)
    assert Experiment.from_json(json.dumps(kept["experiment"])) == EXPERIMENT
    assert (kept["fixes"], kept["runs"], kept["seed"], kept["target"]) == (["rmsprop"], 3, 4, 0.95)
    assert [row["fixes"] for row in kept["table"]] == [[], ["rmsprop"]]
    assert kept["table"][0]["median_epochs"] is None
    lines = comparison_csv(comparison, titles, 0.95).splitlines()
    assert lines[0].startswith("combination,runs,successes,rate,low,high,median_epochs")
    assert lines[2].startswith("RMSprop,3,0,0.0,0.0,")


def test_versions_are_known_without_an_import():
    assert versions().keys() == {"keras", "numpy", "tensorflow"}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[1]",
        b"\xff\xfe",
        b"null",
        b'{"kind":"Experiment"}',
        b'{"kind":"__import__"}',
        b'{"kind":["Experiment"]}',
        b'{"kind":"Model","layers":7}',
        b'{"kind":"Model","layers":[null]}',
        b"[" * 900 + b"]" * 900,
        b"[" * 100_000,
        b'{"kind":"Dense","units":' + b"9" * 5_000 + b"}",
        b" " * (MOST_BYTES + 1),
        EXPERIMENT.to_json().replace("0.2", "1e999").encode(),
    ],
    ids=range(14),
)
def test_a_file_that_is_no_experiment_is_refused(content):
    with pytest.raises(InvalidExperiment):
        read_experiment(content)
    assert read_experiment(EXPERIMENT.to_json().encode()) == EXPERIMENT


def test_what_a_link_gets_wrong_is_quoted_without_its_markup():
    refused: list[str] = []
    found = query_params.checked(
        {"a": "`**x**`\n" + "y" * 99, "`b`": "", "c": "0x1", "d": "9" * 5_000, "e": "0.5"},
        {"a": Choice(("z",)), "c": Int(0, 9), "d": Int(0, 9), "e": Float(0, 1)},
        refused,
    )
    assert found == {"e": 0.5}
    assert len(refused) == 4
    assert "`a` is `**x**yyyy" in refused[0]
    assert all(text.count("`") in (2, 4) and len(text) < 150 for text in refused)
    found = query_params.checked(
        {"fixes": "p.q..q.<r>"}, {"fixes": MultiChoice(("p", "q"))}, refused
    )
    assert found == {"fixes": ["p", "q"]}
    assert "`<r>`" in refused[-1]


def test_no_text_ends_a_script_of_the_report():
    assert "<" not in _data({"a": "</script><!--<script>"})
    hostile = replace(
        PROBLEMS["two-blob"].fixes["rmsprop"], title="</code><script>alert(1)</script>"
    )
    report = Report(
        problem=PROBLEMS["two-blob"],
        experiment=hostile.apply(EXPERIMENT),
        summary="<img src=x onerror=alert(2)>",
        seed=0,
        target=0.9,
        fixes=(hostile,),
        findings=(),
        history=None,
        views={},
        palettes={"light": ["#000"], "dark": ["#fff"]},
    )
    text = report.html()
    assert "<script>alert" not in text
    assert "<img" not in text.partition("<script>")[0]
    assert text.count("</script>") == 3


def test_the_claims_are_kept_with_their_experiments():
    kept = json.loads(claims_json(record.load()))
    assert [row["key"] for row in kept["claims"]] == list(CLAIMS)
    for row in kept["claims"]:
        arms = [Experiment.from_json(json.dumps(arm["experiment"])) for arm in row["arms"]]
        assert arms == [arm.experiment for arm in CLAIMS[row["key"]].arms]
        if row["verdict"] != "cannot be tested":
            assert row["low"] <= row["rate"] == row["met"] / row["runs"] <= row["high"]
    never = next(row for row in kept["claims"] if row["key"] == "two-blob-random-data-are-slow")
    assert never["median"] is None
