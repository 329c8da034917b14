"""Scripts are read as they run: every field, against what a recording `fit` has seen."""

import numpy as np
import pytest

from core.data import prepare
from core.script import read
from core.script.logs import curves
from support.scripts import FOLDER, PATHS, agrees, fields_of, truth_of

IRIS = (FOLDER / "iris_split_scaled.py").read_text()
TABLE = "age,city,income,bought\n" + "\n".join(
    f"{20 + k},{('Rome', 'Oslo')[k % 2]},{1000 * k},{('no', 'yes')[k > 20]}" for k in range(40)
)
NETWORK = """
model = Sequential()
model.add(Dense(4, activation='relu'))
model.add(Dense(1, activation='sigmoid'))
model.compile(loss='binary_crossentropy', optimizer='adam')
model.fit(X, y, epochs=7, batch_size=5)
"""


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_every_field_is_read_as_the_script_trains(path):
    reading = read(path.read_text())
    fields = fields_of(reading, truth_of(path))
    wrong = {name: pair for name, pair in fields.items() if not agrees(*pair)}
    assert not wrong
    assert reading.experiment is not None
    assert not reading.questions


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_every_line_is_marked(path):
    source = path.read_text()
    reading = read(source)
    if path.suffix != ".ipynb":
        assert [line.text for line in reading.lines] == source.split("\n")
    states = {line.number: line.state for line in reading.lines}
    assert set(states.values()) <= {"used", "ignored", "not understood"}
    assert all(states[layer.line] == "used" for layer in reading.outline)


def test_a_line_says_why_it_is_not_understood_and_what_only_shows_is_ignored():
    reading = read(
        "import seaborn as sns\nX = pd.read_csv('a.csv')\nsns.heatmap(X)\ny = 1" + NETWORK
    )
    lines = {line.number: line for line in reading.lines}
    assert lines[2].state == "not understood"
    assert "a.csv is not here" in lines[2].why
    assert lines[1].state == lines[3].state == "ignored"


def test_the_split_of_the_script_is_kept_to_the_last_row():
    reading = read(IRIS)
    rows = prepare(reading.data, 3, 1)
    assert (len(rows.x), len(rows.held_out_x)) == (120, 30)
    assert reading.data.held_out == "last"
    assert reading.data.scaling == "standardise"
    np.testing.assert_array_equal(rows.x, prepare(reading.data, 0, 0).x)


def test_a_split_without_a_seed_is_another_in_every_run():
    data = read((FOLDER / "gaussian_clouds_unseeded.py").read_text()).data
    assert data.held_out == "random"
    assert not np.array_equal(prepare(data, 0, 0).x, prepare(data, 0, 1).x)


def test_random_shuffle_on_rows_is_recognised():
    assert read((FOLDER / "threshold_random_shuffle.py").read_text()).data.shuffling == "rows"


def test_what_is_not_said_is_asked_and_answers_complete_the_reading():
    source = NETWORK.replace("epochs=7", "epochs=args.epochs").replace("Dense(4", "Dense(size")
    reading = read(source)
    assert reading.experiment is None
    keys = {question.key for question in reading.questions}
    assert {"layer-0-units", "epochs", "data"} <= keys
    answered = read(source, answers={**reading.defaults, "layer-0-units": 9, "epochs": 33})
    assert answered.model.layers[0].units == 9
    assert answered.training.epochs == 33
    assert answered.experiment is not None
    assert answered.stand_in


def test_a_script_without_data_takes_the_label_column_of_a_table():
    reading = read(NETWORK, TABLE)
    (question,) = reading.questions
    assert question.key == "label"
    assert question.choices == ("age", "city", "income", "bought")
    answered = read(NETWORK, TABLE, {"label": "bought"})
    assert answered.data.source.rows == 40
    assert answered.data.source.features == 4  # two cities become two columns
    assert any("labels are numbered" in note.text.lower() for note in answered.notes)


def test_the_steps_of_a_script_are_applied_to_the_uploaded_file():
    source = (
        "df = pd.read_csv('shop.csv')\n"
        "df['bought'] = df['bought'].map({'no': 0, 'yes': 1})\n"
        "X = df.drop(['bought', 'city'], axis=1)\n"
        "y = df['bought']\n"
        "X = StandardScaler().fit_transform(X)" + NETWORK
    )
    data = read(source, TABLE).data
    assert (data.source.rows, data.source.features) == (40, 2)
    assert data.scaling == "standardise"
    np.testing.assert_allclose(data.source.inputs[:3, 0], [20, 21, 22])
    assert prepare(data, 0, 0).y.sum() == 19


@pytest.mark.parametrize(
    ("layer", "named"),
    [
        ("Conv2D(8, 3, input_shape=(9, 9, 1))", "Conv2D"),
        ("LSTM(20)", "LSTM"),
        ("Embedding(100, 8)", "Embedding"),
        ("MyLayer(3)", "MyLayer"),
    ],
)
def test_the_head_after_a_layer_that_cannot_be_trained_here_is_an_experiment(layer, named):
    source = "class MyLayer(Layer):\n    pass\n" + NETWORK.replace(
        "model.add(Dense(4", f"model.add({layer})\nmodel.add(Flatten())\nmodel.add(Dense(4"
    )
    reading = read(source)
    assert named in reading.outline[0].text
    assert not reading.outline[0].trainable
    assert [type(layer).__name__ for layer in reading.model.layers] == ["Dense", "Dense"]
    assert any(note.kind == "untrainable" for note in reading.notes)
    assert read(source, answers=reading.defaults).experiment is not None


def test_mnist_is_named_as_what_it_is():
    source = (
        "(x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()\n"
        "X = x_train.reshape(60000, 784) / 255.0\ny = y_train" + NETWORK
    )
    reading = read(source)
    assert "MNIST" in reading.stand_in
    assert reading.data.source.features == 784


@pytest.mark.parametrize(
    ("data", "line", "said"),
    [
        ("X = np.ones((9, 3))\ny = np.ones(8)", 7, "9 rows of inputs have 8 labels"),
        ("X = np.array([['a', 'b']] * 9)\ny = np.ones(9)", 7, "text"),
        ("X = np.full((9, 3), np.nan)\ny = np.ones(9)", 7, "missing values"),
        ("X = np.ones((0, 3))\ny = np.ones(0)", 7, "no rows"),
        ("X = np.ones((0, 3))\ny = np.ones((0, 2))", 7, "no rows"),
    ],
)
def test_what_keras_refuses_is_a_note_with_its_line(data, line, said):
    reading = read(data + NETWORK)
    assert reading.experiment is None
    (note,) = [note for note in reading.notes if note.kind == "refused"]
    assert said in note.text
    assert note.line == line


@pytest.mark.parametrize(
    ("rows", "split", "said"),
    [(0, "0.2", "has no rows"), (9, "1.5", "validation_split"), (9, "10**400", "validation_split")],
)
def test_a_split_that_leaves_no_rows_is_refused(rows, split, said):
    network = NETWORK.replace("epochs=7", f"epochs=7, validation_split={split}")
    notes = read(f"X = np.ones(({rows}, 3))\ny = np.ones({rows})" + network).notes
    assert [said in note.text for note in notes] == [True]


def test_inputs_that_do_not_fit_the_first_layer_are_refused_on_its_line():
    reading = read(
        "X = np.ones((9, 3))\ny = np.arange(9) % 2" + NETWORK.replace("(4,", "(4, input_dim=2,")
    )
    assert reading.experiment is None
    assert any(note.kind == "refused" and note.line == 4 for note in reading.notes)


def test_class_numbers_for_categorical_crossentropy_are_refused_with_what_takes_them():
    source = "X = np.eye(9)\ny = np.arange(9) % 3" + NETWORK.replace(
        "Dense(1, activation='sigmoid'", "Dense(3"
    )
    reading = read(source.replace("binary_cross", "categorical_cross"))
    assert reading.experiment is None
    assert any("sparse_categorical_crossentropy" in note.text for note in reading.notes)


def test_a_notebook_is_read_cell_by_cell():
    import json

    cells = [
        {"cell_type": "markdown", "source": ["# Model"]},
        {
            "cell_type": "code",
            "source": ["%matplotlib inline\n", "X = np.eye(4)\n", "y = [0, 1, 0, 1]"],
        },
        {"cell_type": "code", "source": NETWORK},
    ]
    reading = read(json.dumps({"cells": cells, "nbformat": 4}))
    assert reading.experiment is not None
    assert reading.lines[1].text == "X = np.eye(4)"


def test_a_notebook_without_code_has_none():
    reading = read('{"cells": [{"cell_type": "markdown", "source": ["# Model"]}]}')
    assert [line.text for line in reading.lines] == [""]
    assert [note.kind for note in reading.notes] == ["normalised", "remark"]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("{'loss': [1.0, inf]}", {"loss": (1.0, np.inf)}),
        ("{'loss': [-inf], 'acc': [0.5]}", {"loss": (-np.inf,), "accuracy": (0.5,)}),
        (f"{{'loss': [{'9' * 400}], 'acc': [0.5]}}", {"accuracy": (0.5,)}),
        (f"Epoch 1/{'9' * 5000}\nloss: 0.5", {"loss": (0.5,)}),
    ],
)
def test_figures_without_bounds_are_read(text, values):
    assert curves(text).values == values


def test_pasted_output_becomes_curves():
    log = read((FOLDER / "console_prompts.txt").read_text()).log
    assert log.epochs == 3
    assert log.values["loss"] == (0.7012, 0.6990, 0.6971)


@pytest.mark.parametrize(
    ("output", "rows"),
    [
        ("768/768 [====] - 0s 200us/step - loss: 10.38 - acc: 0.349", 768),
        ("768/768 [====] - 0s 1ms/sample - loss: 10.38 - accuracy: 0.349", 768),
        ("768/768 [====] - 0s - loss: 10.38 - acc: 0.349", 768),
        ("77/77 [====] - 0s 2ms/step - loss: 10.38 - accuracy: 0.349", 770),
        ("77/77 \u2501\u2501\u2501 0s 900us/step - accuracy: 0.349 - loss: 10.38", 770),
        ("768/768 [====] - 0s 200us/step - loss: 10.38 - accuracy: 0.349", 1_000),
        ("60000/60000 [====] - 9s 150us/step - loss: 10.38 - acc: 0.349", 1_000),
    ],
)
def test_a_stand_in_has_as_many_rows_as_the_output_counts(output, rows):
    source = (
        "model = Sequential([Dense(1, input_dim=8)])\nmodel.compile('adam', 'mse')\n"
        f"model.fit(X, Y, epochs=150, batch_size=10)\n\nEpoch 1/150\n{output}\n"
    )
    assert read(source).defaults["rows"] == rows


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("net.fit(X_train, y_train, epochs=100)", "it uses net, which is not defined. Paste"),
        ("x = 1", "in it. Paste the lines that build, compile and fit one"),
        ("net = make()\nnet.fit(X, y)", "in it. Paste the lines that build, compile and fit one"),
    ],
)
def test_what_a_paste_without_a_model_lacks_is_said(text, said):
    (note,) = read(text).notes
    assert said in note.text


@pytest.mark.parametrize(
    "text",
    ["", "hello", "x = 1", "def f(:\n", "\0\0", "model.fit()", "{'cells': 1}", '{"cells": [1]}'],
)
def test_there_is_always_a_reading(text):
    assert read(text).experiment is None


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("d = {'a': X}\ndel d['x']\nX = d['a']", "KeyError"),
        ("d = [X]\ndel d[5]\nX = d[0]", "IndexError"),
        ("d = {'a': X}\ndel d[unknown]\nX = d['a']", "unknown is not defined"),
        ("while X:\n    X = 1", "ValueError"),
        ("d = pd.DataFrame(X)\nd.columns = ['a']\nX = d.values", "ValueError"),
        ("X[9, 9] = 1", "IndexError"),
        ("X += 'a'", "UFuncTypeError"),
    ],
)
def test_only_the_line_that_python_refuses_is_not_understood(line, why):
    data = f"X = np.eye(4)\n{line}\ny = np.array([0, 1, 0, 1])"
    reading = read(data + NETWORK)
    assert reading.training is not None
    assert any(why in line.why for line in reading.lines)
    assert any(question.key == "data" and why in question.text for question in reading.questions)


@pytest.mark.parametrize("loop", ["while True:\n    del d['x']", "while d: del d['x']"])
def test_errors_in_a_loop_without_end_are_cut_as_its_other_statements(loop):
    reading = read(f"d = {{1: 1}}\n{loop}\nX = np.eye(4)\ny = [0, 1, 0, 1]{NETWORK}")
    assert reading.experiment is not None


def test_a_model_without_layers_is_no_experiment():
    source = "X = np.eye(4)\ny = X[:, 0]\nmodel = Sequential([Input((3,))])\nmodel.fit(X, y)"
    assert read(source).experiment is None


@pytest.mark.parametrize(
    "changed",
    [
        ("epochs=7", "epochs=len"),
        ("epochs=7", "epochs=X"),
        ("Dense(4", "Dropout(X"),
        ("(X, y", "(3.0, y"),
        ("(X, y", "(X, 1"),
        ("(X, y", "((X, Z), y"),
    ],
)
def test_arguments_of_the_wrong_kind_are_no_experiment(changed):
    data = "X = np.eye(4)\ny = np.array([0, 1, 0, 1])"
    assert read(data + NETWORK).experiment is not None
    assert read(data + NETWORK.replace(*changed)).experiment is None
