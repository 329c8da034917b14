"""Every layer, initialiser and regulariser against Keras: trained, evaluated and differentiated."""

from dataclasses import replace

import numpy as np
import pytest

from core.data import prepare
from core.experiment import SGD, Blobs, Data, Dense, Experiment, InvalidExperiment, Model, Training
from core.initialisers import Constant, Given, Orthogonal, RandomUniform, VarianceScaling
from core.layers import (
    ELU,
    LAYERS,
    Activation,
    ActivityRegularisation,
    AlphaDropout,
    BatchNormalisation,
    Dropout,
    Flatten,
    GaussianDropout,
    GaussianNoise,
    LayerNormalisation,
    LeakyReLU,
    PReLU,
    ReLU,
    Rescaling,
    Softmax,
)
from core.network import draw_weights, forward, gradients, judge
from core.regularisers import L1, L1L2, L2
from core.streams import generator
from support.training import LAYOUTS, laid_out

NETWORKS = {
    "activations": (
        Rescaling(0.5, 0.1),
        Dense(6, "linear", RandomUniform(-0.4, 0.4), bias_initialiser=Constant(0.1)),
        LeakyReLU(0.2),
        Dense(6, initialiser=Orthogonal(1.5)),
        BatchNormalisation(momentum=0.9, epsilon=0.01, center=False),
        Activation("tanh"),
        Dense(5, use_bias=False),
        PReLU(Constant(0.3)),
        ReLU(max_value=2.0, negative_slope=0.1, threshold=0.2),
        Dense(4),
        ELU(0.7),
        Flatten(),
        LayerNormalisation(epsilon=0.01),
        Dense(1),
        Activation("sigmoid"),
    ),
    "penalties": (
        Dense(
            6,
            "relu",
            VarianceScaling(2, "fan_avg", "uniform"),
            bias_initialiser="random_normal",
            kernel_regulariser=L2(0.02),
            bias_regulariser=L1(0.03),
            activity_regulariser=L1L2(0.01, 0.02),
        ),
        ActivityRegularisation(0.01, 0.02),
        LayerNormalisation(scale=False),
        BatchNormalisation(scale=False),
        ReLU(),
        Dense(3, kernel_regulariser="l1", activity_regulariser="l2"),
        Softmax(),
    ),
    "given": (
        Dense(
            3,
            "relu",
            Given([[0.5, -0.5, 1], [1, 0.25, -1]]),
            bias_initialiser=Given([0.1, 0, 0]),
        ),
        LayerNormalisation(center=False),
        Dense(1, "sigmoid", kernel_regulariser="l1l2", activity_regulariser=L2(0.1)),
        Activation("linear"),
    ),
    # Where another layer follows it, a cross-entropy does not find the logits of a sigmoid.
    "flattened": (Dense(3, "tanh"), Dense(1, "sigmoid"), Flatten()),
    "twice": (Dense(3, "tanh"), Dense(3, "softmax"), Softmax()),
    "normalised": (Dense(3, "tanh"), Dense(1, "sigmoid"), BatchNormalisation()),
}


def experiment(name):
    layers = NETWORKS[name]
    many = Model(layers).output.units > 1
    bounds = ((-1, 0), (-0.3, 0.8), (0.5, 1.5)) if many else ((-1, 0.3), (-0.3, 1))
    return Experiment(
        Data(
            Blobs(bounds, samples=20, noise=0.2),
            hold_out=0.2,
            label_values=tuple(range(len(bounds))),
            encoding="one-hot" if many else "as-is",
        ),
        Model(layers),
        Training(
            "categorical_crossentropy" if many else "binary_crossentropy",
            # Adam would make steps of the rounding errors where a gradient is 0, as before BN.
            SGD(0.1, 0.9),
            batch_size=9,
            epochs=3,
            shuffle=False,
        ),
    )


@pytest.mark.tensorflow
@pytest.mark.parametrize("name", NETWORKS)
def test_every_layer_trains_as_kerass_in_both_layouts(name):
    from core.reference import fit
    from core.training import train

    asked = experiment(name)
    keras_own = fit(asked, seed=3, run=1)
    # The small networks differ in what the losses find, which both layouts have in one function.
    for layout in LAYOUTS if len(asked.model.layers) > 4 else LAYOUTS[:1]:
        with laid_out(layout):
            ours = train(asked, runs=2, seed=3)
        for mine, theirs in zip(ours.weights_at(-1, 1), keras_own.weights_at(-1, 0), strict=True):
            np.testing.assert_allclose(mine, theirs, rtol=2e-3, atol=2e-4)
        for curve in ("loss", "evaluated_loss", "val_loss"):
            mine, theirs = getattr(ours, curve)[:, 1], getattr(keras_own, curve)[:, 0]
            np.testing.assert_allclose(mine, theirs, rtol=1e-3, err_msg=curve)
        np.testing.assert_allclose(ours.val_score[:, 1], keras_own.val_score[:, 0], atol=1e-6)


@pytest.mark.tensorflow
@pytest.mark.parametrize("name", NETWORKS)
def test_the_numpy_network_has_kerass_loss_and_gradients(name):
    import keras
    import tensorflow as tf

    from core.engine.keras_models import keras_model

    asked = experiment(name)
    rows = prepare(asked.data, 0, 0)
    model = keras_model(asked, [1] * len(asked.model.initialised))
    ours = draw_weights(asked.model, 2, 1, generator(0))
    shapes = [weight.shape for weight in model.weights]
    model.set_weights([w.reshape(shape) for w, shape in zip(ours, shapes, strict=True)])
    done = forward(asked.model, ours, rows.x[None], generator(1))
    losses, slope = judge(asked, done, rows.y[None])
    mine = gradients(asked.model, ours, done, slope)
    loss = keras.losses.get(asked.training.loss)

    @tf.function
    def theirs():
        with tf.GradientTape() as tape:
            out = model(rows.x, training=True)
            total = tf.reduce_mean(loss(rows.y, out)) + sum(model.losses)
        return total, tape.gradient(total, [v.value for v in model.trainable_variables])

    total, expected = theirs()
    np.testing.assert_allclose(losses.mean(), total, rtol=1e-4)
    trained = [
        gradient
        for gradient, (_, slot) in zip(mine, asked.model.slots(2), strict=True)
        if slot.trained
    ]
    for gradient, hers in zip(trained, expected, strict=True):
        np.testing.assert_allclose(gradient.reshape(hers.shape), hers, rtol=2e-3, atol=2e-5)


NOISY = (
    GaussianNoise(0.3),
    Dense(4, "tanh"),
    GaussianDropout(0.2),
    Dense(4, "selu"),
    AlphaDropout(0.2),
    Dense(1, "sigmoid"),
    Dropout(0.3),
)


@pytest.mark.tensorflow
def test_the_scripts_network_is_the_one_that_is_trained():
    import keras

    from core.engine.keras_models import keras_model
    from core.export import NETWORK, sections

    def settings(model):
        return [without_names(layer.get_config()) for layer in model.layers]

    def without_names(config):
        if isinstance(config, list):
            return np.float32(config).tolist()
        if not isinstance(config, dict):
            return config
        left_out = ("name", "seed", "dtype")
        return {key: without_names(v) for key, v in config.items() if key not in left_out}

    for layers in (*NETWORKS.values(), NOISY):
        fitting = "twice" if Model(layers).output.units > 1 else "given"
        asked = replace(experiment(fitting), model=Model(layers))
        (network,) = (each for each in sections(asked) if each.heading == NETWORK)
        names = {"keras": keras, "np": np}
        exec("\n".join(network.lines), names)
        trained = keras_model(asked, [1] * len(asked.model.initialised))
        assert settings(names["model"]) == settings(trained)
        assert names["model"].count_params() == trained.count_params()


def test_the_networks_have_every_layer_without_random_numbers():
    used = {type(layer) for layers in NETWORKS.values() for layer in layers}
    assert used == {kind for kind in LAYERS.values() if not kind.random}


@pytest.mark.tensorflow
def test_a_run_with_noise_is_the_same_in_any_stack_and_layout():
    from core.training import train

    asked = replace(experiment("given"), model=Model(NOISY))
    histories = []
    for layout, runs in zip(LAYOUTS, (2, 20), strict=True):
        with laid_out(layout):
            histories.append(train(asked, runs=runs, seed=4))
    for name in ("loss", "evaluated_loss", "val_loss"):
        few, many = (getattr(history, name)[:, :2] for history in histories)
        np.testing.assert_allclose(few, many, rtol=1e-3, err_msg=name)


@pytest.mark.tensorflow
@pytest.mark.parametrize("layer", [GaussianNoise(0.3), GaussianDropout(0.2), AlphaDropout(0.3)])
def test_noise_has_kerass_moments(layer):
    import keras
    import tensorflow as tf

    from core.engine.layouts import RunsFirst, RunsLast
    from core.network import NumpyArrays

    x = np.full((400, 50), 1.5, np.float32)
    keras_own = getattr(keras.layers, layer.keras_name)(**layer.keras_options())
    theirs = keras_own(x, training=True).numpy()
    keys = tf.constant([5, 77], tf.uint32)
    stacked = {
        RunsLast: np.repeat(x[:, :, None], 2, axis=2),
        RunsFirst: np.repeat(x[None], 2, axis=0),
    }
    drawn = [
        np.moveaxis(
            layer.apply(layout(tf.ones(400), keys), (), tf.constant(inputs))[0].numpy(),
            layout.run_axis,
            0,
        )
        for layout, inputs in stacked.items()
    ]
    np.testing.assert_allclose(drawn[0], drawn[1], rtol=1e-4, atol=1e-5)
    drawn.append(layer.apply(NumpyArrays(generator(0)), (), stacked[RunsFirst])[0])
    for values in drawn:
        assert values.mean() == pytest.approx(float(theirs.mean()), abs=0.03)
        assert values.std() == pytest.approx(float(theirs.std()), rel=0.03)
        assert not np.array_equal(values[0], values[1])


def test_given_weights_are_checked_and_cannot_be_changed():
    kernel = Given([[1.0, 2.0], [3.0, 4.0]])
    assert Given(np.array([[1, 2], [3, 4]])) == kernel
    assert hash(kernel) != hash(Given([[1.0, 2.0, 3.0, 4.0]]))
    with pytest.raises(ValueError, match="read-only"):
        kernel.values[0, 0] = 5
    with pytest.raises(InvalidExperiment, match=r"initialiser.*\(2, 2\).*\(2, 3\)"):
        replace(experiment("given"), model=Model((Dense(3, "relu", kernel), Dense(1, "sigmoid"))))
    with pytest.raises(InvalidExperiment, match=r"bias_initialiser.*orthogonal"):
        replace(
            experiment("given"), model=Model((Dense(1, "sigmoid", bias_initialiser="orthogonal"),))
        )
