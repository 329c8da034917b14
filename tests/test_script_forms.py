"""Forms in which scripts build and train networks, and what is asked where they leave it open."""

import json
import re
from dataclasses import replace

import pytest

from core import fixes
from core.experiment import SGD, Adam
from core.script import CannotPatch, patch, read

ROWS = "X = np.random.RandomState(0).rand(40, 3)\ny = (X[:, 0] > 0.5) * 1\n"
NETWORK = """model = Sequential([Dense(6, activation='relu'), Dense(1, activation='sigmoid')])
"""
COMPILED = NETWORK + "model.compile('adam', 'binary_crossentropy')\n"
TAPE = """
loss_fn = tf.keras.losses.BinaryCrossentropy()
optimizer = tf.keras.optimizers.SGD(0.1)
rows = tf.data.Dataset.from_tensor_slices((X, y)).shuffle(40).batch(8)
@tf.function
def step(x, labels):
    with tf.GradientTape() as tape:
        loss = loss_fn(labels, model(x, training=True))
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables))
    return loss
for epoch in range(12):
    for x, labels in rows:
        step(x, labels)
"""


def asked(reading):
    return {question.key: question for question in reading.questions}


def test_a_loop_with_a_tape_is_read_as_fit():
    training = read(ROWS + NETWORK + TAPE).experiment.training
    assert (training.loss, training.batch_size, training.epochs) == ("binary_crossentropy", 8, 12)
    assert training.optimizer == SGD(learning_rate=0.1)
    squared = TAPE.replace(
        "loss_fn(labels, model(x, training=True))", "tf.reduce_mean((labels - model(x)) ** 2)"
    )
    assert read(ROWS + NETWORK + squared).training.loss == "mean_squared_error"


def test_what_a_tape_minimises_is_asked_where_it_is_not_understood():
    reading = read(ROWS + NETWORK + TAPE.replace("loss_fn(labels,", "mystery(labels,"))
    assert reading.experiment is None
    assert "loss" in asked(reading)


def test_a_patch_of_a_tape_edits_its_loop_its_batches_and_the_lines_before_it():
    source = ROWS + NETWORK + TAPE
    before = read(source).experiment
    assert "range(30)" in patch(source, before, fixes.epochs(30).apply(before))
    assert ".batch(4)" in patch(source, before, fixes.batch(4).apply(before))
    scaled = patch(source, before, fixes.STANDARDISE.apply(before))
    assert scaled.index("X = (X - mean) / spread") < scaled.index("from_tensor_slices")


@pytest.mark.parametrize(
    ("call", "batch", "epochs"),
    [
        ("model.train_on_batch(X, y)", 40, 5),
        ("for i in range(0, 40, 10):\n        model.train_on_batch(X[i:i+10], y[i:i+10])", 10, 5),
        ("model.fit(X, y, batch_size=20, epochs=2)", 20, 10),
    ],
)
def test_a_loop_of_updates_or_fits_is_one_training(call, batch, epochs):
    source = ROWS + COMPILED + f"for epoch in range(5):\n    {call}\n"
    reading = read(source)
    training = reading.experiment.training
    assert (training.batch_size, training.epochs) == (batch, epochs)
    assert reading.data.source.rows == 40
    scaled = patch(source, reading.experiment, fixes.STANDARDISE.apply(reading.experiment))
    assert scaled.index("spread") < scaled.index("for epoch"), "once, not in every round"


def test_updates_on_other_rows_every_time_are_asked():
    loop = "for i in range(9):\n    model.train_on_batch(np.random.rand(8, 3), np.ones(8))\n"
    reading = read(COMPILED + loop)
    assert reading.experiment is None
    assert {"epochs", "data"} <= asked(reading).keys()


def test_a_loop_of_unknown_length_leaves_only_the_epochs_open():
    reading = read(ROWS + COMPILED + "for i in range(n):\n    model.fit(X, y, batch_size=4)\n")
    assert asked(reading).keys() == {"epochs"}
    assert read(reading.source, answers={"epochs": 6}).training.batch_size == 4


def test_a_loop_that_is_too_long_to_follow_does_not_count_what_it_followed():
    reading = read(ROWS + COMPILED + "for i in range(10**9):\n    model.train_on_batch(X, y)\n")
    assert "epochs" in asked(reading)


def test_a_model_with_several_outputs_is_named_with_all_its_layers():
    reading = read(
        "i = Input((4,))\nh = Dense(8, activation='relu')(i)\na = Dense(1)(h)\n"
        "b = Dense(3, activation='softmax')(h)\nmodel = Model(i, [a, b])\n"
        "model.compile('sgd', loss={'a': 'mse', 'b': 'categorical_crossentropy'})\n"
        "model.fit(np.ones((9, 4)), {'a': 1, 'b': 2}, epochs=3)"
    )
    assert [layer.layer.units for layer in reading.outline] == [8, 1, 3]
    assert reading.experiment is None
    said = " ".join(note.text for note in reading.notes if note.kind == "untrainable")
    assert "2 outputs" in said
    assert "a, b" in said


def test_branches_that_are_joined_are_all_in_the_outline():
    reading = read(
        "a, b = Input((4,)), Input((2,))\nx = concatenate([Dense(5)(a), Dense(6)(b)])\n"
        "model = Model([a, b], Dense(1)(x))\nmodel.compile('sgd', 'mse')\nmodel.fit([A, B], t)"
    )
    assert [each.text.partition("(")[0] for each in reading.outline] == [
        "Dense", "Dense", "concatenate", "Dense",
    ]  # fmt: skip
    assert [each.trainable for each in reading.outline] == [False, False, False, True]


@pytest.mark.parametrize(
    ("layers", "features"),
    [
        ("Conv2D(8, 3, input_shape=(10, 10, 1)), MaxPooling2D(2), Flatten()", 128),
        ("Conv2D(8, (3, 3), padding='same', input_shape=(9, 9, 1)), Flatten()", 648),
        ("Convolution2D(4, 3, 3, input_shape=(8, 8, 1)), Flatten()", 144),
        ("Conv1D(6, 3, input_shape=(20, 2)), GlobalAveragePooling1D()", 6),
        ("Embedding(50, 7, input_length=5), Flatten()", 35),
        ("Embedding(50, 7), Bidirectional(LSTM(11))", 22),
        ("LSTM(9, return_sequences=True, input_shape=(4, 1)), Flatten()", 36),
        ("VGG16(include_top=False), GlobalAveragePooling2D()", 512),
    ],
)
def test_the_inputs_of_a_head_follow_from_the_layers_before_it(layers, features):
    reading = read(f"model = Sequential([{layers}, Dense(2)])\nmodel.compile('sgd', 'mse')")
    answered = read(reading.source, answers=reading.defaults)
    assert "features" not in asked(reading)
    assert answered.data.source.features == features


def test_a_search_leaves_what_it_tries_open_with_the_choices():
    reading = read(
        "def build(optimizer='adam', units=4):\n"
        "    m = Sequential([Dense(units, input_dim=8), Dense(1)])\n"
        "    m.compile(optimizer, 'mse')\n    return m\n"
        "grid = GridSearchCV(KerasRegressor(build_fn=build, verbose=0),\n"
        "    param_grid=dict(epochs=[10, 50], batch_size=[5, 20], optimizer=['sgd', 'adam']))\n"
        "grid.fit(X, Y)"
    )
    open_now = asked(reading)
    assert open_now["epochs"].choices == (10, 50)
    assert open_now["batch_size"].default == 5
    assert open_now["optimizer"].choices == ("sgd", "adam")
    answered = read(reading.source, answers={**reading.defaults, "optimizer": "adam"})
    assert answered.training.optimizer == Adam()


@pytest.mark.parametrize(
    ("given", "batch"),
    [
        ("ImageDataGenerator().flow_from_directory('a', batch_size=16)", 16),
        ("ImageDataGenerator().flow_from_directory('a')", 32),
        ("image_dataset_from_directory('a', batch_size=8)", 8),
        ("Rows('a', batch_size=24)", 24),
        ("rows(12)", 12),
    ],
)
def test_the_batch_size_of_a_generator_is_read(given, batch):
    source = (
        "from keras.utils import image_dataset_from_directory\n"
        "class Rows(keras.utils.Sequence):\n"
        "    def __init__(self, path, batch_size=1):\n        self.batch_size = batch_size\n"
        "def rows(batch_size):\n    while True:\n        yield 1, 2\n"
    )
    reading = read(source + COMPILED + f"model.fit({given}, epochs=4)")
    assert (reading.training.batch_size, reading.training.epochs) == (batch, 4)
    assert "data" in asked(reading)


def test_what_cannot_be_trained_with_is_named_and_the_rest_is_read():
    reading = read(
        ROWS + "class Log(Callback):\n    pass\n"
        "model = Sequential([Dense(4, kernel_constraint=MaxNorm(3)), Dense(1)])\n"
        "model.compile('sgd', 'mse')\n"
        "model.fit(X, y, epochs=3, sample_weight=np.ones(40), callbacks=[Log()])"
    )
    assert reading.experiment is not None
    said = " ".join(note.text for note in reading.notes)
    assert all(name in said for name in ("kernel_constraint", "sample_weight", "Log"))


def test_a_loss_of_the_scripts_own_is_asked_by_its_name():
    reading = read(
        ROWS + "def rmse(a, b):\n    return K.sqrt(K.mean(K.square(a - b)))\n"
        "model = Sequential([Dense(1)])\nmodel.compile('sgd', rmse)\nmodel.fit(X, y, epochs=3)"
    )
    question = asked(reading)["loss"]
    assert "rmse" in question.text
    assert question.default == "mean_squared_error"
    assert read(reading.source, answers=reading.defaults).training.epochs == 3


def test_a_value_beyond_what_can_be_trained_is_asked_with_the_nearest():
    reading = read(ROWS + COMPILED + "model.fit(X, y, epochs=50000)")
    assert asked(reading)["epochs"].default == 10_000


def test_code_in_a_traceback_is_not_read_again():
    reading = read(
        f"```\n{ROWS}{COMPILED}model.fit(X, y, epochs=7)\n```\nand I get\n```\n"
        "Traceback (most recent call last):\n"
        '  File "a.py", line 9, in <module>\n    model.fit(X, y, epochs=7)\n'
        '  File "b.py", line 2, in fit\n    raise ValueError("no")\n'
        "ValueError: no\n```\n"
    )
    assert reading.training.epochs == 7


def test_the_branch_that_builds_a_model_is_read_where_the_condition_is_open():
    reading = read(
        ROWS + "if os.path.exists('m.h5'):\n    model = load_model('m.h5')\n"
        f"else:\n    {NETWORK}    model.compile('sgd', 'mse')\nmodel.fit(X, y, epochs=2)"
    )
    assert reading.experiment is not None
    assert any(note.line == 3 for note in reading.notes)


def test_layers_of_a_class_are_patched_where_it_makes_and_calls_them():
    source = (
        ROWS + "class Net(keras.Model):\n    def __init__(self):\n        super().__init__()\n"
        "        self.a = Dense(4, activation='relu')\n        self.b = Dense(1)\n"
        "    def call(self, x):\n        return self.b(self.a(x))\n"
        "net = Net()\nnet.compile('sgd', 'mse')\nnet.fit(X, y)"
    )
    before = read(source).experiment
    assert [layer.units for layer in before.model.dense] == [4, 1]
    after = fixes.ADD_HIDDEN.apply(before)
    patched = patch(source, before, after)
    assert "        self.added_1 = Dense(" in patched
    assert read(patched).model == after.model


def test_an_edit_that_a_loop_of_updates_has_no_place_for_says_so():
    source = ROWS + COMPILED + "for i in range(5):\n    model.train_on_batch(X, y)\n"
    before = read(source).experiment
    with pytest.raises(CannotPatch, match="single updates"):
        patch(source, before, fixes.batch(8).apply(before))


def test_an_old_rate_is_edited_beside_its_decay():
    source = (
        ROWS + NETWORK + "opt = SGD(lr=0.1, decay=1e-6)\nmodel.compile(opt, 'mse')\nmodel.fit(X, y)"
    )
    before = read(source).experiment
    patched = patch(source, before, fixes.rate(0.5).apply(before))
    assert "SGD(learning_rate=0.5, decay=1e-6)" in patched


def test_the_output_of_a_notebook_is_its_log():
    cell = {
        "cell_type": "code",
        "source": ["x = 1"],
        "outputs": [{"text": ["Epoch 1/9\n", "1/1 - loss: 0.7\n"]}],
    }
    log = read(json.dumps({"cells": [cell]})).log
    assert (log.epochs, log.values["loss"]) == (9, (0.7,))


def test_labels_and_inputs_of_a_table_go_through_transformers_of_columns():
    source = (
        "df = pd.read_csv('a.csv')\nX = df.iloc[:, :-1].values\ny = df.iloc[:, -1].values\n"
        "X[:, 0] = LabelEncoder().fit_transform(X[:, 0])\n"
        "ct = ColumnTransformer([('e', OneHotEncoder(), [1])], remainder='passthrough')\n"
        "X = np.array(ct.fit_transform(X))\n" + COMPILED + "model.fit(X, y)"
    )
    lines = [f"{'ab'[i % 2]},{'xyz'[i % 3]},{i},{i % 2}" for i in range(30)]
    data = read(source, "\n".join(["s,c,n,out", *lines])).data
    assert (data.source.rows, data.source.features) == (30, 5)
    old = re.sub(r"ColumnTransformer.*", "OneHotEncoder(categorical_features=[1])", source)
    assert read(old, "\n".join(["s,c,n,out", *lines])).data.source.features == 5


def test_labels_that_may_be_no_columns_are_pointed_out():
    source = (
        "df = pd.read_csv('a.csv')\nX, y = df[['a', 'b']], df['c']\n"
        "model = Sequential([Dense(3, activation='softmax')])\n"
        "model.compile('adam', 'categorical_crossentropy')\nmodel.fit(X, y)"
    )
    said = [note.text for note in read(source).notes]
    assert any("sparse_categorical_crossentropy takes them" in text for text in said)
    encoded = source.replace("df['c']", "pd.get_dummies(df['c'])")
    assert not read(encoded).notes


@pytest.mark.parametrize(
    ("source", "named"),
    [("import torch\nm = torch.nn.Linear(2, 1)", "PyTorch"), ("x = tf.placeholder(1)", "graph")],
)
def test_what_is_no_keras_is_named(source, named):
    (note,) = read(source).notes
    assert named in note.text


def test_a_rate_that_changes_between_two_trainings_is_pointed_out():
    loop = "for rate in [0.1, 0.5]:\n    model.optimizer.lr = rate\n    model.fit(X, y)\n"
    reading = read(ROWS + COMPILED + loop)
    assert reading.training.optimizer.learning_rate == 0.5
    assert any("changes between" in note.text for note in reading.notes)


def test_a_head_keeps_the_labels_of_the_script():
    source = (
        "Y = np.random.RandomState(0).randint(0, 2, (60, 4))\n"
        "model = Sequential([LSTM(7, input_shape=(5, 1)), Dense(4, activation='softmax')])\n"
        "model.compile('adam', 'binary_crossentropy')\nmodel.fit(np.ones((60, 5, 1)), Y)"
    )
    reading = read(source)
    data = read(source, answers=reading.defaults).data
    assert (data.source.features, data.source.label_columns) == (7, 4)
    assert {question.key for question in reading.questions} == {"data", "overlap", "magnitude"}


def test_a_squared_error_of_classes_has_classes_as_its_stand_in():
    source = (
        "(X, y), _ = cifar10.load_data()\nX = X.reshape(50000, 3072)\n"
        "model = Sequential([Dense(9, input_dim=3072), Dense(10, activation='sigmoid')])\n"
        "model.compile('sgd', 'mse')\nmodel.fit(X, to_categorical(y, 10))"
    )
    answered = read("from keras.datasets import cifar10\n" + source, answers={"data": "stand-in"})
    assert answered.data.source.classes == 10
    assert "of 3,072" in answered.stand_in


def test_the_options_of_a_wrapper_compile_the_model_that_it_fits():
    reading = read(
        ROWS + "def build(units):\n    return Sequential([Dense(units), Dense(1)])\n"
        "clf = KerasRegressor(build, loss='mse', optimizer='sgd', optimizer__learning_rate=0.2,\n"
        "    model__units=7, epochs=4)\nclf.fit(X, y)"
    )
    assert reading.model.dense[0].units == 7
    assert (reading.training.loss, reading.training.epochs) == ("mean_squared_error", 4)
    assert reading.training.optimizer == SGD(learning_rate=0.2)


def test_a_first_layer_that_standardises_the_inputs_is_a_scaling_of_the_rows():
    source = (
        f"{ROWS}first = Normalization()\nfirst.adapt(X)\n"
        "model = Sequential([first, Dense(1)])\nmodel.compile('sgd', 'mse')\nmodel.fit(X, y)"
    )
    reading = read(source)
    assert reading.data.scaling == "standardise"
    assert [layer.units for layer in reading.model.layers] == [1]
    assert not any(note.kind == "untrainable" for note in reading.notes)


def weighted(code, labels="y", network=COMPILED, **answers):
    return read(f"{ROWS}{network}model.fit(X, {labels}, class_weight={code})", answers=answers)


@pytest.mark.parametrize(
    ("code", "labels", "weights"),
    [
        ("{1: 2.0}", "y", (1, 2)),
        ("{0: 3, 1: 2.0, 5: 9}", "y", (3, 2)),
        ("{0: 3, 1: np.float32(2)}", "2 * y - 1", (1, 2)),
        ("{}", "y", ()),
        ("None", "y", ()),
    ],
)
def test_class_weights_are_found_by_label_as_keras_finds_them(code, labels, weights):
    assert weighted(code, labels).experiment.training.class_weight == weights


def test_class_weights_are_those_of_the_columns_of_labels():
    network = COMPILED.replace("Dense(1, activation='sigmoid'", "Dense(2, activation='softmax'")
    network = network.replace("binary", "categorical")
    training = weighted("{1: 4}", "to_categorical(y)", network).experiment.training
    assert training.class_weight == (1, 4)


@pytest.mark.parametrize("code", ["{0: w, 1: 2.0}", "{w: 2.0}", "w"])
def test_a_class_weight_that_is_not_known_is_asked(code):
    question = asked(weighted(code))["class_weight"]
    assert "w is not defined" in question.text
    assert weighted(code, class_weight=question.default).experiment.training.class_weight == ()
    assert weighted(code, class_weight="1, 10").experiment.training.class_weight == (1, 10)
    assert "class_weight" in asked(weighted(code, class_weight="ten"))


@pytest.mark.parametrize(
    ("code", "weights", "said"),
    [
        ("{0: None, 1: 2.0}", (), "not all numbers"),
        ("{0: [1], 1: 10 ** 400}", (), "not all numbers"),
        ("{0: 3.0, 'a': 2.0}", (3, 1), "those of 'a' are left out"),
        ("[1.0, 2.0]", (), "no dictionary"),
    ],
)
def test_class_weights_that_keras_does_not_find_are_left_out(code, weights, said):
    reading = weighted(code)
    assert reading.experiment.training.class_weight == weights
    assert [said in note.text for note in reading.notes] == [True]


def test_class_weights_are_edited_by_label():
    source = f"{ROWS}{COMPILED}model.fit(X, 2 * y - 1)\n".replace("binary_crossentropy", "hinge")
    before = read(source).experiment
    after = replace(before, training=replace(before.training, class_weight=(1.0, 3.0)))
    assert "class_weight={-1: 1, 1: 3}" in patch(source, before, after)


UPDATE = """    with tf.GradientTape() as tape:
        p = model(a)
        loss = loss_fn(b, p)
    grads = tape.gradient(loss, model.trainable_variables)
    opt.apply_gradients(zip(grads, model.trainable_variables))
"""


@pytest.mark.parametrize(
    "loop",
    [
        "for epoch in range(5):\n  for i in range(0, 40, 8):\n"
        "    a, b = X[i:i + 8], y[i:i + 8]\n" + UPDATE,
        "def step(a, b):\n" + UPDATE + "for epoch in range(5):\n"
        "    for i in range(0, 40, 8):\n        step(tf.constant(X[i:i + 8]), y[i:i + 8])\n",
        "model.compile('sgd', loss_fn)\nfor epoch in range(5):\n    for i in range(0, 40, 8):\n"
        "        a, b = X[i:i + 8], y[i:i + 8]\n        model.train_on_batch(a, b)\n",
    ],
)
def test_rows_that_a_loop_takes_in_parts_are_scaled_before_the_loop(loop):
    source = ROWS + NETWORK + "loss_fn, opt = keras.losses.BinaryCrossentropy(), SGD(0.1)\n" + loop
    before = read(source).experiment
    patched = patch(source, before, fixes.STANDARDISE.apply(before))
    assert "\nX = (X - mean) / spread\nfor epoch" in patched
    nameless = source.replace("X[i:i + 8]", "(2 * X)[i:i + 8]")
    before = read(nameless).experiment
    with pytest.raises(CannotPatch, match="does not take its rows from named arrays"):
        patch(nameless, before, fixes.STANDARDISE.apply(before))
