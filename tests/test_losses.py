"""Every loss, with its arguments and class weights, as Keras computes it."""

from dataclasses import replace

import numpy as np
import pytest

from core.activations import activation
from core.experiment import (
    Adam,
    Data,
    Dense,
    Experiment,
    InvalidExperiment,
    Model,
    Table,
    Training,
)
from core.export import to_script
from core.losses import LOSSES
from core.network import forward, judge
from support.training import laid_out

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 2)).round(3)
LABELS = (X[:, 0] + 0.5 * RNG.normal(size=40) > 0).astype(int)
THREE = np.digitize(X[:, 0], [-0.5, 0.5])
TRAINING = Training("mean_squared_error", Adam(0.05), 8, 3, shuffle=False)


def experiment(loss, units, output, source, values=(0, 1), encoding="as-is", **training):
    return Experiment(
        Data(source, label_values=values, encoding=encoding, hold_out=0.2),
        Model((Dense(4, "tanh"), Dense(units, output))),
        replace(TRAINING, loss=loss, **training),
    )


TWO, MANY = Table(X, LABELS), Table(X, THREE)
BOTH = Table(X, labels=np.stack([LABELS, THREE > 0], axis=1).astype(int))
NUMBERS = Table(X, targets=np.exp(X))
THREE_VALUES = (0, 1, 2)
TRAINED = {
    "a distance to targets": experiment("huber", 2, "linear", NUMBERS),
    "signs, weighted": experiment(
        "squared_hinge", 1, "tanh", TWO, (-1, 1), class_weight=(1.0, 3.0)
    ),
    "logits, smoothed and weighted": experiment(
        *("binary_focal_crossentropy", 1, "linear", TWO),
        from_logits=True,
        label_smoothing=0.1,
        class_weight=(0.5, 2.0),
    ),
    "class numbers from logits, weighted": experiment(
        *("sparse_categorical_crossentropy", 3, "linear", MANY, THREE_VALUES),
        from_logits=True,
        class_weight=(1.0, 2.0, 0.5),
    ),
    "several labels, smoothed": experiment(
        "binary_crossentropy", 2, "sigmoid", BOTH, label_smoothing=0.2
    ),
    "one-hot, weighted": experiment(
        *("categorical_focal_crossentropy", 3, "softmax", MANY, THREE_VALUES, "one-hot"),
        class_weight=(1.0, 2.0, 0.5),
    ),
}


@pytest.mark.tensorflow
@pytest.mark.parametrize("number", range(len(TRAINED)), ids=TRAINED)
def test_it_trains_as_keras_does(number):
    from core.reference import fit
    from core.training import train

    trained = list(TRAINED.values())[number]
    with laid_out("runs first" if number % 2 else "runs last"):
        history = train(trained, runs=3)
    kerass = fit(trained, run=1)
    for ours, theirs in zip(history.weights_at(-1, 1), kerass.weights_at(-1, 0), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=2e-3, atol=2e-4)
    for name in ("loss", "evaluated_loss", "val_loss", "val_score"):
        ours, theirs = getattr(history, name)[:, 1], getattr(kerass, name)[:, 0]
        np.testing.assert_allclose(ours, theirs, rtol=2e-3, atol=2e-4, err_msg=name)


@pytest.mark.tensorflow
def test_every_loss_and_gradient_is_keras_alone_and_in_a_stack():
    import keras
    import tensorflow as tf

    rng = np.random.default_rng(2)
    cases = []
    for loss in LOSSES.values():
        width = 1 if loss.class_numbers else 3
        numbers = rng.integers(0, 3, (2, 8, 1))
        y = (
            np.eye(3)[numbers[..., 0]]
            if loss.link or loss.low >= -1
            else rng.normal(size=(2, 8, 3))
        )
        y = np.float32(numbers if width == 1 else y)
        for output in ("linear", "sigmoid", "softmax"):
            z = rng.normal(size=(2, 8, 3)).astype(np.float32)
            options = [{}]
            if loss.logits:
                options.append({"from_logits": True})
            if loss.smooth is not None:
                options.append({"label_smoothing": 0.3, "from_logits": True})
            cases += [(loss, output, z, y, each) for each in options]

    @tf.function
    def kerass():
        found = []
        for loss, output, z, y, options in cases:
            z, y = tf.constant(z), tf.constant(y[..., 0] if loss.class_numbers else y)
            with tf.GradientTape() as tape:
                tape.watch(z)
                out = keras.activations.get(output)(z)
                each = keras.losses.get(loss.name)(y, out, **options)
            found.append((each, tape.gradient(each, z)))
        return found

    for case, (each, slope) in zip(cases, kerass(), strict=True):
        loss, output, z, y, options = case
        out = activation(output).value(z)
        with np.errstate(invalid="ignore"):
            ours, our_slope = loss.judged(activation(output), z, out, y, **options)
        said = f"{loss.name}, {output}, {options}"
        np.testing.assert_allclose(ours, each, rtol=1e-3, atol=1e-5, err_msg=said)
        np.testing.assert_allclose(our_slope, slope, rtol=2e-3, atol=1e-4, err_msg=said)


def test_the_network_in_numpy_weighs_rows_by_their_class():
    weighted = TRAINED["signs, weighted"]
    plain = replace(weighted, training=replace(weighted.training, class_weight=None))
    weights = [
        RNG.normal(size=s).astype(np.float32) for s in ((1, 2, 4), (1, 1, 4), (1, 4, 1), (1, 1, 1))
    ]
    y = np.where(LABELS, 1, -1).astype(np.float32)[None, :, None]
    done = forward(weighted.model, weights, X[None].astype(np.float32))
    for ours, theirs in zip(judge(weighted, done, y), judge(plain, done, y), strict=True):
        ratio = np.where(y > 0, 3, 1)
        np.testing.assert_allclose(ours, theirs * (ratio if ours.ndim == 3 else ratio[..., 0]))


@pytest.mark.tensorflow
def test_class_weights_may_differ_within_a_stack_and_the_labels_of_hinges_may_not():
    from core.training import train, train_together

    one = TRAINED["signs, weighted"]
    other = replace(one, training=replace(one.training, class_weight=(2.0, 1.0)))
    together = train_together([one, other], 2)
    for each, history in zip((one, other), together, strict=True):
        alone = train(each, 2)
        np.testing.assert_allclose(history.loss, alone.loss, rtol=1e-5)
    zeros = replace(one, data=replace(one.data, label_values=(0, 1)))
    with pytest.raises(ValueError, match="agree in structure"):
        train_together([one, zeros], 2)


def test_what_a_loss_does_not_take_is_refused_or_has_no_effect():
    for change, field in (
        ({"class_weight": (1, 2, 3)}, "class_weight"),
        ({"class_weight": (1, -2)}, "class_weight"),
        ({"label_smoothing": 2}, "label_smoothing"),
    ):
        with pytest.raises(InvalidExperiment) as raised:
            experiment("hinge", 1, "tanh", TWO, **change)
        assert raised.value.field == field
    for source, loss, field in (
        (NUMBERS, "hinge", "loss"),
        (BOTH, "sparse_categorical_crossentropy", "loss"),
    ):
        with pytest.raises(InvalidExperiment) as raised:
            experiment(loss, 2, "tanh", source)
        assert raised.value.field == field
    with pytest.raises(InvalidExperiment, match="-1 and 1, or 0 and 1"):
        experiment("hinge", 1, "tanh", TWO, (0, 2))
    with pytest.raises(InvalidExperiment, match="a row has no class"):
        experiment("binary_crossentropy", 2, "sigmoid", BOTH, class_weight=(1, 2))
    unused = experiment("hinge", 1, "tanh", TWO, from_logits=True, label_smoothing=0.1)
    assert unused.training.loss_options == {}


def test_a_script_has_the_arguments():
    script = to_script(TRAINED["logits, smoothed and weighted"])
    call = "keras.losses.BinaryFocalCrossentropy(from_logits=True, label_smoothing=0.1)"
    assert call in script
    assert "class_weight={0: 0.5, 1: 2}" in script
    assert "class_weight={-1: 1, 1: 3}" in to_script(TRAINED["signs, weighted"])


def test_json_keeps_the_arguments_and_leaves_them_out_at_their_defaults():
    for trained in TRAINED.values():
        assert Experiment.from_json(trained.to_json()) == trained
    plain = TRAINED["a distance to targets"].to_json()
    assert not any(name in plain for name in ("from_logits", "label_smoothing", "class_weight"))
