"""A fix of a script's experiment becomes the smallest edit of the script, and trains as it says."""

import ast
import difflib
from dataclasses import replace

import numpy as np
import pytest

from core import fixes
from core.experiment import Adam, InvalidExperiment
from core.script import CannotPatch, mended, patch, read
from support.recording import record
from support.scripts import PATHS

APPLIED = (
    fixes.SIGMOID,
    fixes.SOFTMAX,
    fixes.STANDARDISE,
    fixes.HOLD_OUT,
    fixes.KEEP_VARIANCE,
    fixes.WIDEN,
    fixes.ADD_HIDDEN,
    fixes.NO_DROPOUT,
    fixes.ADAM,
    fixes.LABELS_FROM_ZERO,
    fixes.PERMUTE,
    fixes.rate(0.05),
    fixes.epochs(400),
    fixes.batch(3),
)
STRIDE = 5
"""Every script gets every fifth fix, beginning with another."""
SOURCE = """import numpy as np  # the usual
from keras.models import Sequential
from keras.layers import Dense

X = np.array([[1., 200.], [2., 100.], [3., 400.], [4., 300.]])
y = np.array([1, 1, 2, 2])   # two classes

model = Sequential()
# the hidden layer
model.add(Dense(2, activation='relu',   input_dim=2))
model.add(Dense(1, activation='relu'))
model.compile(loss='binary_crossentropy', optimizer='adam')
model.fit(X, y, epochs=5)
"""


def changed_lines(before: str, after: str) -> tuple[list[str], list[str]]:
    """The lines that are removed and added."""
    lines = list(difflib.ndiff(before.split("\n"), after.split("\n")))
    return [x[2:] for x in lines if x[0] == "-"], [x[2:] for x in lines if x[0] == "+"]


def fixed(fix):
    """The source of this module with a fix."""
    before = read(SOURCE).experiment
    return patch(SOURCE, before, fix.apply(before))


def test_an_edit_leaves_everything_else_as_it_is():
    removed, added = changed_lines(SOURCE, fixed(fixes.SIGMOID))
    assert removed == ["model.add(Dense(1, activation='relu'))"]
    assert added == ["model.add(Dense(1, activation='sigmoid'))"]


def test_an_argument_is_added_where_there_is_none():
    _, added = changed_lines(SOURCE, fixed(fixes.batch(2)))
    assert added == ["model.fit(X, y, epochs=5, batch_size=2)"]


def test_an_optimizer_by_its_name_becomes_an_object_and_is_imported():
    removed, added = changed_lines(SOURCE, fixed(fixes.rate(0.5)))
    assert removed == ["model.compile(loss='binary_crossentropy', optimizer='adam')"]
    assert added == [
        "from keras.optimizers import Adam",
        "model.compile(loss='binary_crossentropy', optimizer=Adam(learning_rate=0.5))",
    ]


def test_a_layer_is_added_as_the_script_adds_them():
    removed, added = changed_lines(SOURCE, fixed(fixes.ADD_HIDDEN))
    assert removed == []
    assert added == ["model.add(Dense(16, activation='relu', kernel_initializer='he_normal'))"]


def test_rows_are_scaled_before_fit():
    removed, added = changed_lines(SOURCE, fixed(fixes.STANDARDISE))
    assert removed == []
    assert added[-1] == "X = (X - mean) / spread"


def test_labels_are_counted_from_zero():
    _, added = changed_lines(SOURCE, fixed(fixes.LABELS_FROM_ZERO))
    assert added == ["y = np.searchsorted([1, 2], y)"]


@pytest.mark.parametrize("options", ["", ", validation_split=0.25", ", validation_data=(V, w)"])
def test_targets_are_scaled_before_fit_whatever_the_script_makes_them_of(options):
    source = (
        "frame = pd.DataFrame({'price': np.arange(200.0) ** 2, 'area': np.arange(200.0)})\n"
        "y, X = frame['price'].values, frame[['area']].values\nV, w = X[::7], y[::7]\n"
        "model = Sequential([Dense(4), Dense(1)])\nmodel.compile('sgd', 'mse')\n"
        f"model.fit(X, y{options})"
    )
    before = read(source).experiment
    patched = patch(source, before, fixes.STANDARDISE_TARGETS.apply(before))
    assert "y = (y - y_mean) / y_spread\n" in patched
    assert ("w = (w - y_mean) / y_spread\n" in patched) == ("w" in options)


def test_a_paste_that_is_no_python_is_patched_in_its_normalised_form():
    source = ">>> " + SOURCE.replace("\n", "\n>>> ").replace("'relu'))", "\u2018relu\u2019))")
    before = read(source).experiment
    patched = patch(source, before, fixes.SIGMOID.apply(before))
    ast.parse(patched)
    assert "'sigmoid'" in patched


def test_an_edit_without_a_place_says_so():
    source = SOURCE.replace("(X, y, epochs=5)", "(X, y, **{'epochs': 5})")
    before = read(source).experiment
    with pytest.raises(CannotPatch, match="epochs"):
        patch(source, before, fixes.epochs(9).apply(before))
    rows = replace(before, data=replace(before.data, shuffling="rows"))
    with pytest.raises(CannotPatch):
        patch(source, before, rows)


def applicable():
    """Every script with some of the fixes that change it; together they are all."""
    for number, path in enumerate(PATHS):
        before = read(path.read_text()).experiment
        for fix in APPLIED[number % STRIDE :: STRIDE]:
            try:
                after = fix.apply(before) if before else None
            except InvalidExperiment:
                continue
            if after not in (None, before):
                yield path, fix, before, after


def test_patches_of_the_scripts_read_back_as_the_fixed_experiment():
    # `patch` itself reads back what it makes, and raises where that is another experiment.
    made, refused = 0, []
    for path, fix, before, after in applicable():
        source = path.read_text()
        try:
            patched = patch(source, before, after)
        except CannotPatch as error:
            refused.append(f"{path.name} {fix.key}: {error}")
            continue
        ast.parse(patched)
        made += 1
    assert made > 60
    assert len(refused) / (made + len(refused)) < 0.1, refused


@pytest.mark.tensorflow
@pytest.mark.parametrize(
    ("name", "fix"),
    [
        ("threshold_generated", fixes.SIGMOID),
        ("threshold_generated", fixes.STANDARDISE),
        ("blobs_one_two_labels", fixes.LABELS_FROM_ZERO),
        ("binary_two_outputs", fixes.SOFTMAX),
        ("classes_in_main", fixes.ADD_HIDDEN),
        ("digits_scaled_split", fixes.rate(0.5)),
        ("gaussian_clouds_unseeded", fixes.WIDEN),
        ("circles_linear", fixes.HOLD_OUT),
        ("curly_quotes", fixes.rate(0.5)),
        ("subclassed_model", fixes.ADD_HIDDEN),
        ("trainer_class", fixes.rate(0.5)),
        ("pandas_dummies_sample", fixes.WIDEN),
    ],
)
def test_patched_scripts_run_as_plain_keras(name, fix):
    (path,) = [path for path in PATHS if path.stem == name]
    source = path.read_text()
    before = read(source).experiment
    after = replace(fix.apply(before))
    ran = record(patch(source, before, after))
    assert [each["units"] for each in ran["layers"] if "units" in each] == [
        layer.units for layer in after.model.dense
    ]
    assert ran["optimizer"]["class"] == type(after.training.optimizer).__name__
    if isinstance(after.training.optimizer, Adam):
        rate = after.training.optimizer.learning_rate
        assert np.isclose(ran["optimizer"]["learning_rate"], rate)
    assert (ran["epochs"], ran["batch_size"]) == (after.training.epochs, after.training.batch_size)
    assert ran["x"]["shape"] == [after.data.training_rows, after.data.source.features]
    assert ran["y"]["shape"][1] == after.data.target_width


OLDER = """from keras.models import Sequential
from keras.layers.core import Dense, Dropout
from keras.optimizers import SGD
import numpy as np

X, y = np.array([[0, 0], [0, 1], [1, 0], [1, 1]]), np.array([0, 1, 1, 0])
model = Sequential([Dense(output_dim=8, init='uniform', input_dim=2), Dropout(p=0.2), Dense(1)])
model.compile(loss='mse', optimizer=SGD(lr=0.01), class_mode='binary')
model.fit(X, y, show_accuracy=True, nb_epoch=7)
"""


@pytest.mark.tensorflow
def test_a_patch_gives_older_arguments_the_names_that_keras_3_takes():
    before = read(OLDER).experiment
    patched = patch(OLDER, before, fixes.rate(0.5).apply(before))
    ran = record(patched)
    assert ran["epochs"] == 7
    assert np.isclose(ran["optimizer"]["learning_rate"], 0.5)
    assert not [note for note in read(patched).notes if "older arguments" in note.text]


def test_a_method_that_keras_3_has_no_more_is_said_with_what_does_the_same():
    (note,) = [n for n in read(SOURCE + "model.predict_classes(X)").notes if "Keras 3" in n.text]
    assert "model.predict(x) > 0.5" in note.text
    assert note.line == len(SOURCE.split("\n"))


@pytest.mark.parametrize(
    ("written", "takes"),
    [
        ("'categorical_crossentropy'", "'sparse_categorical_crossentropy'"),
        ("'binary_crossentropy'", "'sparse_categorical_crossentropy'"),
    ],
)
def test_what_keras_refuses_is_mended_by_the_loss_that_takes_it(written, takes):
    source = SOURCE.replace("1, 1, 2, 2", "0, 1, 2, 2").replace("Dense(1", "Dense(3")
    source = source.replace("'binary_crossentropy'", written)
    reading = read(source)
    assert reading.experiment is None
    assert changed_lines(source, mended(source)) == (
        [f"model.compile(loss={written}, optimizer='adam')"],
        [f"model.compile(loss={takes}, optimizer='adam')"],
    )


def test_inputs_that_do_not_fit_are_mended_in_the_first_layer():
    source = SOURCE.replace("input_dim=2", "input_dim=5")
    assert "input_dim=2" in mended(source)
    with pytest.raises(CannotPatch, match="no edit"):
        mended(SOURCE)
