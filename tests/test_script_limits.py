"""Hostile pastes are refused within their limits, and nothing of them is executed."""

import json
import os
import pickle
import random
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from unittest.mock import Mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.baselines import sample
from core.fixes import with_training
from core.jobs import reading
from core.jobs.reading import NotRead, Reader
from core.problems import PROBLEMS
from core.script import CannotPatch, patch, read
from support.hostile import HOSTILE, NETWORK, ROWS, pasted
from support.jobs import until
from support.mutations import mutated
from support.scripts import PATHS


@pytest.fixture(scope="module")
def reader():
    started = Reader()
    yield started
    started.close()


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_paste_is_refused_and_leaves_nothing_behind(reader, name, tmp_path):
    mark = tmp_path / "mark"
    reading = reader.read(pasted(name, mark))
    assert reading.experiment is None
    assert reading.training is None or reading.training.loss == "mean_squared_error"
    assert not mark.exists()


@pytest.mark.parametrize(
    "build",
    [
        "model = Sequential([Dense(1)])\nfor i in range(60):\n    model.add(model)",
        "model = Sequential([Dense(1)])\nfor i in range(60):\n"
        "    model = Sequential([model, model])",
        "x = Input((2,))\nfor i in range(60):\n    x = Concatenate()([x, x])\nmodel = Model(x, x)",
        "class M(Model):\n    def call(self, x):\n        return self.call(x)\nmodel = M()",
    ],
)
def test_a_model_that_grows_without_end_is_refused(reader, build):
    reading = reader.read(f"{build}\nmodel.compile('sgd', 'mse')\nmodel.fit([[1.0]] * 9, [1] * 9)")
    assert reading.experiment is None


def test_only_the_beginning_of_a_very_long_paste_is_read(reader):
    reading = reader.read(ROWS + NETWORK + "x = 1\n" * 3_000_000)
    assert reading.experiment is not None
    assert len(reading.source) == 200_000
    assert any("only the first" in note.text.lower() for note in reading.notes)


def test_a_notebook_of_very_many_cells_is_read(reader):
    cell = {"cell_type": "code", "source": ["x = 1\n"]}
    first = {"cell_type": "code", "source": ROWS + NETWORK}
    text = json.dumps({"cells": [first, *[cell] * 100_000]})
    assert reader.read(text).experiment is not None
    code, printed = reader.unpack(text.encode())
    assert (code[: len(ROWS)], printed) == (ROWS, "")
    with pytest.raises(NotRead, match="no notebook"):
        reader.unpack(b"[" * 100_000)


def test_what_comes_after_a_statement_that_takes_too_long_is_still_read(reader):
    reading = reader.read("X = 0\nwhile True:\n    X += 1\ny = 1" + NETWORK)
    assert reading.model is not None
    assert any("too" in question.text for question in reading.questions)


def test_a_reading_process_that_dies_while_nobody_asks_is_replaced(reader):
    before = reader.pid
    os.kill(before, signal.SIGKILL)
    until(lambda: not reader._inbox.empty())
    assert reader.read(ROWS + NETWORK).experiment is not None
    assert reader.pid != before


def test_a_reader_that_cannot_start_says_so_and_one_that_is_closed_leaves_nothing(monkeypatch):
    reader = Reader()
    os.kill(reader.pid, signal.SIGKILL)
    until(lambda: not reader._inbox.empty())
    with monkeypatch.context() as patched:
        patched.setattr(reading, "Process", Mock(side_effect=OSError("no memory")))
        with pytest.raises(NotRead, match="does not start: no memory"):
            reader.read("x = 1")
    assert reader.read(ROWS + NETWORK).experiment is not None
    asked = ThreadPoolExecutor(1).submit(reader.read, "while True:\n    x = 1")
    until(lambda: reader._turn.locked())
    reader.close()
    with pytest.raises(NotRead):
        asked.result()
    assert reader.pid is None
    with pytest.raises(NotRead, match="closed"):
        reader.read("x = 1")


def test_libraries_that_earlier_requests_imported_take_nothing_from_the_next():
    frame = 'import pandas as pd\ntable = pd.DataFrame({"a": [1.0, 2.0], "b": [0, 1]})\n'
    reader, blobs = Reader(megabytes=150), PROBLEMS["two-blob"].experiment
    try:
        found = reader.read(frame + ROWS + NETWORK).experiment
        assert reader.baselines(sample(blobs)).best
        assert "epochs=9" in reader.patch(ROWS + NETWORK, found, with_training(epochs=9)(found))
    finally:
        reader.close()


def test_the_reading_process_patches_and_says_where_it_cannot(reader):
    source = ROWS + NETWORK
    reading = reader.read(source)
    longer = replace(reading.experiment, training=replace(reading.training, epochs=9))
    assert "epochs=9" in reader.patch(source, reading.experiment, longer)
    with pytest.raises(CannotPatch):
        reader.patch("x = 1", reading.experiment, longer)


def test_the_reading_process_fits_other_models(reader):
    experiment = reader.read(ROWS + NETWORK).experiment
    others = reader.baselines(sample(experiment))
    assert others is None or all(model.error >= 0 for model in others.models)
    blobs = PROBLEMS["two-blob"].experiment
    best = reader.baselines(sample(blobs)).best
    assert best.score > 0.9
    assert reader.baselines(None) is None
    assert "sklearn" not in subprocess.run(
        [sys.executable, "-c", "import core.baselines, sys; print(*sys.modules)"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip


def test_a_reading_can_travel_between_processes():
    reading = read(PATHS[0].read_text())
    assert pickle.loads(pickle.dumps(reading)) == reading


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=300))
def test_any_text_is_read(text):
    read(text)


def test_any_change_of_a_script_is_read():
    rng = random.Random(0)
    for _ in range(60):
        source = mutated(rng, [path.read_text() for path in PATHS])
        reading = read(source)
        if reading.experiment is not None:
            assert patch(source, reading.experiment, reading.experiment) == source
