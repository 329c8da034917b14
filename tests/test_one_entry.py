"""One entry for one thing: each is added here, in this module alone, and everything knows it."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from core import export, fixes
from core.activations import ACTIVATIONS, Activation
from core.claims import CLAIMS
from core.claims.claim import OURS, Arm, Claim
from core.claims.criteria import Frees
from core.costs import price
from core.data import prepare
from core.diagnosis import diagnose
from core.diagnosis.findings import Finding, Severity
from core.diagnosis.rules import RULES
from core.diagnosis.rules.rule import Rule
from core.draft import Draft
from core.experiment import (
    BatchNormalisation,
    Data,
    Dense,
    Experiment,
    Model,
    Training,
)
from core.fields import Float, Int, field
from core.fixes import Fix
from core.initialisers import INITIALISERS, Initialiser
from core.jobs.requests import Compare, Train
from core.layers import LAYERS, Layer
from core.losses import LOSSES, Loss
from core.optimizers import OPTIMIZERS, RATE, Optimizer
from core.problems import PROBLEMS
from core.regularisers import REGULARISERS, Regulariser
from core.script_diff import changes
from core.sources import SOURCES, Source, written_list
from pages.elements import drafts
from pages.elements.settings import as_text, table
from support.pages import opened, setting

BLOBS = PROBLEMS["two-blob"].experiment


# --- an entry each ------------------------------------------------------------------------------

SQUAREPLUS = Activation(
    "squareplus",
    lambda z: (z + np.sqrt(z * z + 4)) / 2,
    lambda z, out, upstream: upstream * (1 + z / np.sqrt(z * z + 4)) / 2,
    low=0.0,
)


def _absolute(activation, z, out, y):
    off = out - y
    slope = np.sign(off).sum(axis=-1, keepdims=True) if out.shape[-1] == 1 else np.sign(off)
    return np.abs(off).mean(axis=-1), activation.slope(z, out, slope / off.shape[-1])


ABSOLUTE = Loss("mae", _absolute, broadcasts=True)


@dataclass(frozen=True)
class OrthogonalInitializer(Initialiser):
    gain: float = field(Float(-9, 9), 0.5, label="Gain", help="Times this.")
    keras_name = label = "OrthogonalInitializer"
    help = "Orthonormal columns."
    for_vectors = False

    def draw(self, shape, rng):
        return self.gain * rng.normal(size=shape) / np.sqrt(shape[1])


@dataclass(frozen=True)
class Weaker(Regulariser):
    l2: float = field(Float(0, 9), 0.1, label="Strength", help="Times this.")
    keras_name = "L2"
    label = "Weaker"
    help = "The sum of the squares."


@dataclass(frozen=True)
class HeavyBall(Optimizer):
    learning_rate: float = field(RATE, 0.01, label="Learning rate", help="Of the gradient.")
    momentum: float = field(Float(0, 0.9), 0.0, label="Inertia", help="Of the previous change.")
    keras_name = "SGD"
    label = "Heavy ball"
    help = "Rolls on."
    rescales = False

    def directions(self, follower, gradients):
        velocity = follower.state("velocity", gradients)
        velocity[:] = [self.momentum * v + g for v, g in zip(velocity, gradients, strict=True)]
        return velocity


@dataclass(frozen=True)
class Offset(Layer):
    scale: float = field(Float(-100, 100), 1.0, label="Scale", help="Times this.")
    offset: float = field(Float(-100, 100), 0.0, label="Offset", help="Plus this.")
    keras_name = "Rescaling"
    label = "Offset"
    positional = ("scale",)
    help = "Times a number, plus a number."

    def apply(self, arrays, weights, x):
        return x * self.scale + self.offset, ()

    def backward(self, weights, memory, upstream):
        return upstream * self.scale, ()


@dataclass(frozen=True)
class Rings(Source):
    samples: int = field(Int(2, 1_000), 50, label="Samples per class", help="Rows a ring.")
    wide: float = field(Float(1, 9), 2.0, label="Radius", help="Of the outer ring.")
    label = "Rings"
    help = "Two rings, one within the other."
    features = 2
    classes = 2

    @property
    def rows(self):
        return 2 * self.samples

    def draw(self, rng):
        angle = rng.uniform(0, 2 * np.pi, self.rows)
        classes = np.repeat([0, 1], self.samples)
        radius = np.where(classes == 0, 1.0, self.wide)[:, None]
        return radius * np.column_stack([np.cos(angle), np.sin(angle)]), classes

    def ceiling(self):
        return 1.0

    def with_rows(self, rows):
        return replace(self, samples=max(rows // 2, 2))

    def script(self, values):
        return "Two rings.", (
            f"angle = rng.uniform(0, 2 * np.pi, {self.rows})",
            f"radius = np.repeat([1, {self.wide}], {self.samples})[:, None]",
            "x = radius * np.column_stack([np.cos(angle), np.sin(angle)])",
            f"y = np.repeat({written_list(values)}, {self.samples})",
        )


def odd_units(observations):
    hidden = observations.hidden
    if not any(layer.units % 2 for layer in hidden):
        return None
    units = [layer.units for layer in hidden]
    return Finding(Severity.FRAGILE, "An odd layer", f"{units} units.", "It is odd.", (EVEN,))


def _even(experiment):
    layers = [
        replace(layer, units=layer.units + layer.units % 2) if isinstance(layer, Dense) else layer
        for layer in experiment.model.layers[:-1]
    ]
    return replace(experiment, model=Model((*layers, experiment.model.output)))


EVEN = Fix("even-units", "Even layers", "Even numbers are prettier.", "ours", _even)


@pytest.fixture
def _added(monkeypatch):
    """All of them, for one test."""
    monkeypatch.setitem(ACTIVATIONS, "squareplus", SQUAREPLUS)
    monkeypatch.setitem(LOSSES, "mae", ABSOLUTE)
    monkeypatch.setitem(INITIALISERS, "orthogonal_initializer", OrthogonalInitializer)
    monkeypatch.setitem(REGULARISERS, "weaker", Weaker)
    monkeypatch.setitem(OPTIMIZERS, "HeavyBall", HeavyBall)
    monkeypatch.setitem(LAYERS, "Offset", Offset)
    monkeypatch.setitem(SOURCES, "Rings", Rings)
    monkeypatch.setitem(RULES, "odd-units", Rule("odd-units", odd_units))
    # Tables of settings are kept: none of before, and none for afterwards.
    drafts.controls.cache_clear()
    yield
    drafts.controls.cache_clear()


def all_of_them():
    """An experiment that is made of them."""
    return Experiment(
        Data(Rings(40, 3.0), shuffling="none", label_values=(0, 1), hold_out=0.2),
        Model(
            (
                Offset(0.5, 0.1),
                Dense(7, "squareplus", OrthogonalInitializer(0.8), kernel_regulariser=Weaker(0.01)),
                BatchNormalisation(),
                Dense(1, "sigmoid"),
            )
        ),
        Training("mae", HeavyBall(0.1, 0.5), batch_size=16, epochs=6, shuffle=False),
    )


pytestmark = pytest.mark.usefixtures("_added")


# --- what knows them ----------------------------------------------------------------------------


@pytest.mark.tensorflow
def test_they_train_as_keras_does():
    from core.reference import fit
    from core.training import train

    experiment = all_of_them()
    stacked, alone = train(experiment, runs=3), fit(experiment)
    for ours, theirs in zip(stacked.weights_at(-1, 0), alone.weights_at(-1, 0), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=2e-3, atol=2e-4)
    np.testing.assert_allclose(stacked.val_loss[:, 0], alone.val_loss[:, 0], rtol=2e-3)


@pytest.mark.tensorflow
def test_the_look_ahead_follows_kerass_gradients_and_updates():
    import keras
    import tensorflow as tf

    from core.engine.keras_models import keras_model, keras_optimizer
    from core.network import draw_weights, forward, gradients, judge
    from core.optimizers import Follower
    from core.streams import generator

    experiment = all_of_them()
    rows = prepare(experiment.data, 0, 0)
    model = keras_model(experiment, [1, 2])
    ours = draw_weights(experiment.model, 2, 1, generator(0))
    model.set_weights([a[0] if a.shape[1] > 1 else a[0, 0] for a in ours])
    optimizer = keras_optimizer(experiment, 0.1)
    follower = Follower(experiment.training.optimizer)
    x, y = rows.x[None], rows.y[None]
    for _ in range(2):
        done = forward(experiment.model, ours, x, generator(1))
        _, slope = judge(experiment, done, y)
        follower.update(ours, gradients(experiment.model, ours, done, slope), 0.1)
        with tf.GradientTape() as tape:
            out = model(rows.x, training=True)
            loss = tf.reduce_mean(keras.losses.mean_absolute_error(rows.y, out))
            loss += sum(model.losses)
        slopes = tape.gradient(loss, [v.value for v in model.trainable_variables])
        optimizer.apply(slopes, model.trainable_variables)
    trained = [a for a, s in zip(ours, slots(experiment), strict=True) if s.trained]
    for mine, variable in zip(trained, model.trainable_variables, strict=True):
        np.testing.assert_allclose(mine[0].reshape(variable.shape), variable, rtol=2e-3, atol=2e-4)


def slots(experiment):
    return [slot for _, slot in experiment.model.slots(experiment.data.source.features)]


@pytest.mark.tensorflow
def test_their_script_is_the_same_training():
    script = export.to_script(all_of_them())
    for line in (
        "Rescaling(0.5, offset=0.1)",
        'activation="squareplus"',
        "SGD(learning_rate=0.1, momentum=0.5)",
    ):
        assert line in script
    namespace: dict = {}
    exec(compile(script, "script", "exec"), namespace)
    assert 0 <= namespace["accuracy"] <= 1
    assert type(namespace["model"].optimizer).__name__ == "SGD"


def test_json_and_links_bring_them_back():
    experiment = all_of_them()
    assert Experiment.from_json(experiment.to_json()) == experiment
    draft = Draft.of(experiment)
    for name, control in table(draft).items():
        value = control.read(draft)
        assert control.setting.kind.parse(as_text(value)) == value, name
        assert control.write(draft, value) == draft, name


def test_the_diagnosis_looks_ahead_and_knows_the_rule_and_its_fix():
    found = diagnose(all_of_them())
    (odd,) = (finding for finding in found if finding.code == "odd-units")
    assert odd.fixes == (EVEN,)
    assert EVEN.apply(all_of_them()).model.dense[0].units == 8
    assert not any(f.code == "odd-units" for f in diagnose(EVEN.apply(all_of_them())))


def test_they_have_a_price():
    cheap = price(Train(all_of_them()))
    dear = price(Train(replace(all_of_them(), data=replace(all_of_them().data, source=Rings(900)))))
    assert 0 < cheap.seconds < dear.seconds
    assert cheap.weights == 2 * 7 + 7 + 4 * 7 + 7 + 1


@pytest.mark.tensorflow
def test_they_have_controls_with_their_own_bounds():
    app = opened("two-blob")
    for key, new in (
        ("two-blob.layer1-activation", "squareplus"),
        ("two-blob.layer1-initialiser", "orthogonal initializer"),
        ("two-blob.layer1-kernel-regulariser", "weaker"),
        ("two-blob.loss", "mae"),
        ("two-blob.optimizer", "Heavy ball"),
    ):
        assert new in setting(app, key).options, key
    setting(app, "two-blob.optimizer").set_value("heavyball").run()
    assert setting(app, "two-blob.momentum").max == 0.9
    setting(app, "two-blob-add-layer").set_value("Offset").run()
    assert setting(app, "two-blob.layer2-scale").min == -100
    assert app.query_params["layers"] == "Dense~2~sigmoid~~Offset"
    assert "optimizer" in app.query_params


@pytest.mark.tensorflow
def test_a_question_of_rings_has_a_page_a_fix_and_a_picture(monkeypatch):
    from core.comparison import compare
    from core.training import train
    from pages.elements import figures

    rings = all_of_them()
    question = replace(
        PROBLEMS["two-blob"],
        experiment=rings,
        variants={},
        fixes={"even-units": EVEN, "standardise-inputs": fixes.STANDARDISE},
        compared=("even-units",),
    )
    monkeypatch.setitem(PROBLEMS, "two-blob", question)
    app = opened("two-blob")
    assert setting(app, "two-blob.wide").value == 3.0
    app.pills(key="two-blob.fixes").set_value(["even-units"]).run()
    assert setting(app, "two-blob.layer2-units").value == 8
    assert app.query_params["fixes"] == "even-units"
    (change,) = changes(rings, (EVEN,))
    assert change.by == ("Even layers",)
    outcome = compare(rings, {"even-units": EVEN}, runs=4)
    assert len(outcome.subsets) == 2
    assert price(Compare(rings, (EVEN,))).seconds > 0
    picture = figures.network(train(rings, runs=2), 0)
    assert "two features" in picture.alt


@pytest.mark.tensorflow
def test_a_claim_names_its_problem_and_is_listed(monkeypatch):
    arms = (Arm("As asked", BLOBS), Arm("Even", EVEN.apply(BLOBS)))
    claim = Claim("rings-1", "two-blob", "Even layers help.", OURS, "", arms, Frees(), "Rings.")
    monkeypatch.setitem(CLAIMS, claim.key, claim)
    app = opened("claims", claim="rings-1")
    assert "Even layers help." in " ".join(
        m.value for m in (*app.markdown, *app.subheader, *app.header)
    )
