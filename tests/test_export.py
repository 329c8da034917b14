"""The generated scripts are executed: they train what the experiment says, and nothing else."""

import ast
import json
import os
import re
import subprocess
import sys
from dataclasses import replace

import keras
import numpy as np
import pytest

from core.activations import ACTIVATIONS
from core.data import prepare
from core.dataset import SCALINGS, SHUFFLINGS
from core.engine.keras_models import keras_model, keras_optimizer
from core.experiment import (
    SGD,
    Adam,
    BatchNormalisation,
    Blobs,
    Data,
    Dense,
    Dropout,
    Experiment,
    Model,
    RMSprop,
    Table,
    Threshold,
    Training,
)
from core.export import to_notebook, to_script
from core.fixes import apply_all, with_training
from core.initialisers import INITIALISERS
from core.problems import PROBLEMS
from core.reference import fit
from core.script_diff import BY_HAND, changes
from support.optimizers import OPTIONS

pytestmark = pytest.mark.tensorflow

THRESHOLD, TWO_BLOB = PROBLEMS.values()
FORMS = {
    f"{key} {name}": form
    for key, problem in PROBLEMS.items()
    for name, form in {
        "as asked": problem.experiment,
        **problem.variants,
        **{name: fix.apply(problem.experiment) for name, fix in problem.fixes.items()},
        "all fixes": apply_all(tuple(problem.fixes.values()), problem.experiment),
    }.items()
}


def shrunk(experiment: Experiment) -> Experiment:
    """The same with few rows and one epoch, and the same data for every run."""
    source = experiment.data.source
    if not isinstance(source, Table):
        source = replace(source, samples=12)
    return replace(
        experiment,
        data=replace(experiment.data, source=source, seed=5),
        training=replace(experiment.training, epochs=1),
    )


DRAWN = tuple(name for name in INITIALISERS if name != "given")
"""The initialisers that fit any shape."""


def drawn_experiment(rng: np.random.Generator) -> Experiment:
    """Any experiment at all: every source, layer, loss, optimizer and encoding can come up."""

    def pick(options):
        return tuple(options)[rng.integers(len(options))]

    classes = int(rng.integers(2, 5))
    count = pick([12, 40])
    rows = rng.normal(size=(count, 3)).round(2)
    bounds = rng.normal(size=(classes, 2)).round(2)
    source = pick(
        [
            Threshold(int(rng.integers(1, 1_000_000)), 12),
            Blobs(
                tuple(map(tuple, np.sort(bounds))),
                samples=12,
                features=int(rng.integers(1, 4)),
                overlap=float(rng.choice([0, 0.3])),
                noise=float(rng.choice([0, 0.05])),
            ),
            Table(tuple(map(tuple, rows)), tuple(np.arange(count) % classes)),
        ]
    )
    classes = source.classes
    shape, loss = pick(
        [
            ("one", "binary_crossentropy"),
            ("one", "mean_squared_error"),
            ("many", "categorical_crossentropy"),
            ("many", "binary_crossentropy"),
            ("many", "mean_squared_error"),
            ("counted", "sparse_categorical_crossentropy"),
        ]
    )
    encoding = {"one": pick(["as-is", "index"]), "many": "one-hot", "counted": "index"}[shape]
    layers = []
    for _ in range(rng.integers(0, 4)):
        layers += [Dense(int(rng.integers(1, 6)), pick(ACTIVATIONS), pick(DRAWN))]
        layers += pick([[], [Dropout(0.25)], [BatchNormalisation()]])
    output = Dense(1 if shape == "one" else classes, pick(ACTIVATIONS), pick(DRAWN))
    return Experiment(
        Data(
            source,
            shuffling=pick(SHUFFLINGS),
            hold_out=pick([0.0, 0.25]),
            scaling=pick(SCALINGS),
            divisor=pick([100.0, 0.3]),
            label_values=tuple(rng.permutation(classes) + pick([0, 1, -0.5])),
            encoding=encoding,
            seed=pick([None, 3]),
        ),
        Model((*layers, output)),
        Training(
            loss,
            pick([Adam(), RMSprop(0.01), SGD(0.1, 0.9), *OPTIONS]),
            batch_size=pick([5, 32]),
            epochs=1,
            shuffle=pick([True, False]),
        ),
    )


@pytest.fixture(autouse=True)
def _quiet():
    keras.utils.disable_interactive_logging()


def executed(experiment: Experiment) -> dict:
    """What the script leaves behind in its namespace."""
    space = {"__name__": "__main__"}
    exec(compile(to_script(experiment), "script.py", "exec"), space)
    return space


def config(part: keras.Layer | keras.Optimizer) -> str:
    """What a layer or optimizer is, without its name and what its initialiser was seeded with."""
    return re.sub(r"'seed': \w+|'name': '\w+'", "", repr(part.get_config()))


def check(experiment: Experiment, space: dict) -> None:
    """The script's model is the experiment's, and so are its rows where one can tell."""
    model, wanted = space["model"], keras_model(experiment, [0] * 99)
    assert [config(layer) for layer in model.layers] == [config(layer) for layer in wanted.layers]
    assert model.input_shape == wanted.input_shape
    training = experiment.training
    optimizer = keras_optimizer(experiment, training.optimizer.learning_rate)
    assert config(model.optimizer) == config(optimizer)
    assert model.loss == training.loss
    assert np.isfinite(space[experiment.task.column])
    if experiment.data.seed is None or experiment.data.shuffling == "rows":
        return
    rows = prepare(experiment.data, seed=0, run=0)
    parts = {"x": rows.x, "y": rows.y, "x_test": rows.held_out_x, "y_test": rows.held_out_y}
    for name, array in parts.items():
        if len(array):
            # A script scales decimals in float64, the rows of a table are float32.
            np.testing.assert_allclose(
                np.asarray(space[name], np.float32).reshape(array.shape),
                array,
                rtol=1e-6,
                atol=1e-6,
            )


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_the_questions_runs_as_a_script(form, capsys):
    experiment = shrunk(FORMS[form])
    check(experiment, executed(experiment))
    where = "held-out" if experiment.data.held_out_rows else "training"
    assert re.search(rf"Accuracy on the {where} rows: [\d.]+%\n$", capsys.readouterr().out)


@pytest.mark.parametrize("seed", range(60))
def test_any_experiment_gives_a_script_of_its_own(seed, monkeypatch):
    experiment = drawn_experiment(np.random.default_rng(seed))
    fitted = {}
    if seed % 5:
        # Tracing `fit` takes most of the time; the model, the rows and the options do not need it.
        monkeypatch.setattr(keras.Sequential, "fit", lambda *a, **options: fitted.update(options))
        monkeypatch.setattr(keras.Sequential, "evaluate", lambda *a, **options: (0.0, 0.0))
    check(experiment, executed(experiment))
    if fitted:
        training = experiment.training
        wanted = (training.batch_size, training.epochs, training.shuffle)
        assert wanted == (fitted["batch_size"], fitted["epochs"], fitted.get("shuffle", True))
        assert ("validation_data" in fitted) == bool(experiment.data.held_out_rows)


def test_a_script_keeps_a_share_of_the_rows_when_it_shuffles_as_the_question_does():
    experiment = replace(
        THRESHOLD.experiment, training=replace(THRESHOLD.experiment.training, epochs=1)
    )
    lines = to_script(experiment).partition("# Network")[0]
    space = {}
    exec(lines, space)
    kept = len(np.unique(space["x"])) / len(np.unique([*space["below"], *space["above"]]))
    assert 0.45 < kept < 0.6
    assert ((space["x"][:, 0] >= 50_000) == space["y"]).all()


def test_what_is_certain_comes_out_as_plain_keras_has_it():
    freed = apply_all(
        tuple(TWO_BLOB.fixes[key] for key in ("higher-learning-rate", "standardise-inputs")),
        with_training(epochs=8)(TWO_BLOB.experiment),
    )
    for experiment, low, high in ((shrunk(THRESHOLD.experiment), 0.3, 0.7), (freed, 0.99, 1)):
        found, reference = executed(experiment)["accuracy"], fit(experiment).final_score[0]
        assert low <= found <= high
        assert low <= reference <= high


@pytest.mark.parametrize("form", ["threshold as asked", "two-blob all fixes"])
def test_a_script_runs_by_itself(form, tmp_path):
    path = tmp_path / "script.py"
    path.write_text(to_script(shrunk(FORMS[form])), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, path],
        capture_output=True,
        text=True,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        check=True,
    )
    assert "Accuracy on the" in done.stdout


@pytest.mark.parametrize("form", FORMS)
def test_a_script_has_no_line_too_many(form):
    source = to_script(FORMS[form])
    tree = ast.parse(source)
    modules = {
        name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names
    }
    assert modules == {"keras", "numpy"} | ({"random"} if "random.shuffle" in source else set())
    used = {
        node.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }
    made = {
        node.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    assert made - used == {"loss"}
    assert max(map(len, source.splitlines())) <= 88


def test_a_notebook_is_the_script_in_cells():
    notebook = json.loads(to_notebook(THRESHOLD.experiment))
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    identities = [cell["id"] for cell in notebook["cells"]]
    assert len(set(identities)) == len(identities)
    assert all(re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", name) for name in identities)
    code = "\n\n".join("".join(c["source"]) for c in notebook["cells"] if c["cell_type"] == "code")
    script = to_script(THRESHOLD.experiment)
    assert ast.dump(ast.parse(code)) == ast.dump(ast.Module(ast.parse(script).body[1:], []))


def told(found, kind: str) -> dict[str, tuple[str, ...]]:
    lines = [line for change in found for line in change.lines if line.kind == kind]
    return {line.text.strip(): line.by for line in lines}


def test_a_changed_line_names_the_fix_that_changed_it():
    fixes = [TWO_BLOB.fixes[key] for key in ("sigmoid-output", "rmsprop", "hold-out")]
    after = apply_all(tuple(fixes), TWO_BLOB.experiment)
    after = replace(after, training=replace(after.training, epochs=7))
    found = changes(TWO_BLOB.experiment, fixes, after)
    added, removed = told(found, "added"), told(found, "removed")
    assert added['loss="binary_crossentropy",'] == ("One sigmoid output",)
    assert added['optimizer="rmsprop",'] == ("RMSprop",)
    assert added["validation_data=(x_test, y_test),"] == ("Hold out data",)
    assert added["epochs=7,"] == (BY_HAND,)
    assert removed["y = keras.utils.to_categorical(y, 2)"] == ("One sigmoid output",)
    assert not changes(TWO_BLOB.experiment, [])


@pytest.mark.parametrize("problem", PROBLEMS.values(), ids=list(PROBLEMS))
def test_every_fix_changes_a_line_and_what_is_undone_is_not_told(problem):
    for fix in problem.fixes.values():
        found = changes(problem.experiment, [fix])
        assert {title for change in found for title in change.by} == {fix.title}
        assert not changes(problem.experiment, [fix], problem.experiment)
    fixes = list(problem.fixes.values())
    found = changes(problem.experiment, fixes)
    before, after = to_script(problem.experiment), to_script(apply_all(fixes, problem.experiment))
    assert all(text in after for text in told(found, "added"))
    assert all(text in before for text in told(found, "removed"))
