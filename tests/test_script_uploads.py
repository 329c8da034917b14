"""Uploaded networks, arrays and tables: read within bounds, never executed."""

import io
import json
import pickle
import zipfile

import numpy as np
import pytest

from core.script import read_saved
from core.script.uploads import BadUpload, archive_arrays, csv_table

DENSE = {"class_name": "Dense", "registered_name": None}
SAVED = {
    "class_name": "Sequential",
    "config": {
        "layers": [
            {"class_name": "InputLayer", "config": {"batch_shape": [None, 3]}},
            {**DENSE, "config": {"name": "a", "trainable": True, "units": 5, "activation": "relu"}},
            {**DENSE, "config": {"units": 1, "activation": "sigmoid", "kernel_regularizer": None}},
        ]
    },
    "compile_config": {
        "optimizer": {"class_name": "Adam", "config": {"learning_rate": 0.009999999776482582}},
        "loss": "binary_crossentropy",
    },
}


def archive(config, name="config.json"):
    """A `.keras` file with this description."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(name, config if isinstance(config, str) else json.dumps(config))
    return content.getvalue()


def saved(**arrays):
    """A file of `numpy.savez`."""
    content = io.BytesIO()
    np.savez(content, **arrays)
    return content.getvalue()


def test_a_saved_network_and_its_arrays_are_an_experiment():
    arrays = archive_arrays(saved(x=np.eye(9)[:, :3], y=np.arange(9) % 2))
    reading = read_saved(archive(SAVED), arrays)
    assert {question.key for question in reading.questions} == {"epochs"}
    reading = read_saved(archive(SAVED), arrays, {"epochs": 12})
    assert [layer.units for layer in reading.model.layers] == [5, 1]
    assert reading.training.optimizer.learning_rate == 0.01
    assert reading.experiment.training.epochs == 12
    assert reading.data.source.rows == 9


def test_layers_of_ones_own_are_named_and_never_loaded():
    layer = {"class_name": "Own", "registered_name": "Package>Own", "config": {"code": "x"}}
    config = {**SAVED, "config": {"layers": [layer, *SAVED["config"]["layers"][1:]]}}
    reading = read_saved(archive(config))
    assert not reading.outline[0].trainable
    assert len(reading.model.layers) == 2


@pytest.mark.tensorflow
def test_what_keras_saves_is_read(tmp_path):
    import keras

    model = keras.Sequential(
        [
            keras.Input((2,)),
            keras.layers.Dense(4, "tanh", kernel_regularizer=keras.regularizers.L2(0.1)),
            keras.layers.BatchNormalization(),
            keras.layers.Dropout(0.25),
            keras.layers.Dense(3, "softmax"),
        ]
    )
    model.compile(keras.optimizers.SGD(0.1, 0.9), "sparse_categorical_crossentropy")
    model.save(tmp_path / "model.keras")
    reading = read_saved((tmp_path / "model.keras").read_bytes())
    assert [type(layer).keras_name for layer in reading.model.layers] == [
        *("Dense", "BatchNormalization", "Dropout", "Dense")
    ]
    assert reading.model.layers[0].kernel_regulariser.l2 == 0.1
    read = read_saved((tmp_path / "model.keras").read_bytes(), None, {"epochs": 5}).training
    assert (read.optimizer.learning_rate, read.optimizer.momentum) == (0.1, 0.9)
    assert read.loss == "sparse_categorical_crossentropy"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PK no archive",
        archive({}),
        archive("[1]"),
        archive(SAVED, "other.json"),
        archive("[" * 100_000),
        archive({"config": {"layers": [1]}}),
        archive(json.dumps(SAVED) + " " * 3_000_000),
    ],
)
def test_what_is_no_saved_network_is_refused(content):
    with pytest.raises(BadUpload):
        read_saved(content)


class Planted:
    """An object whose unpickling would be seen."""

    def __reduce__(self):
        return pytest.fail, ("unpickled",)


@pytest.mark.parametrize(
    "content",
    [
        b"nothing",
        saved(x=np.array(["text"])),
        saved(x=np.zeros(20_000_000)),
        archive(pickle.dumps(Planted()).decode("latin-1"), "x.npy"),
    ],
)
def test_what_is_no_archive_of_numbers_is_refused(content):
    with pytest.raises(BadUpload):
        archive_arrays(content)


def test_objects_are_never_unpickled():
    content = io.BytesIO()
    np.savez(content, x=np.array([Planted()], dtype=object))
    with pytest.raises(BadUpload):
        archive_arrays(content.getvalue())


@pytest.mark.parametrize(
    ("text", "columns", "rows"),
    [
        ("a,b\n1,2\n3,4\n", ["a", "b"], 2),
        ("a;b;c\n1;2;x\n", ["a", "b", "c"], 1),
        ("1\t2\n3\t4\n", ["column 1", "column 2"], 2),
        ("\ufeffa,b\n1,\n", ["a", "b"], 1),
    ],
)
def test_delimiter_and_header_of_a_table_are_detected(text, columns, rows):
    table = csv_table(text.encode())
    assert list(table.columns) == columns
    assert len(table) == rows


@pytest.mark.parametrize("content", [b"", b"\0\0\0\0", b'a,b\n"1,2\n' * 3 + b"x,y,z,w,v\n"])
def test_what_is_no_table_is_refused(content):
    with pytest.raises(BadUpload):
        csv_table(content)
