"""What can be chosen for a network and its training, as Markdown: `python -m core.vocabulary`."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from core.activations import ACTIVATIONS
from core.callbacks import CALLBACKS
from core.entries import KerasEntry
from core.fields import settings
from core.initialisers import INITIALISERS
from core.layers import LAYERS
from core.losses import LOSSES, Loss
from core.metrics import METRICS
from core.optimizers import OPTIMIZERS, Optimizer
from core.regularisers import REGULARISERS
from core.schedules import SCHEDULES, CosineDecay, Schedule
from core.tasks import TASKS

NOT_COVERED = {
    "Conv1D, Conv2D, MaxPooling2D and their kin, SimpleRNN, LSTM, GRU, Embedding, attention": (
        "the layouts of a stack have one axis for rows and one for units"
    ),
    "Dense on more than two axes, Reshape, RepeatVector, TimeDistributed": "the same",
    "several inputs or outputs, Add, Concatenate": "a network is a chain of layers",
    "Lambda and layers of one's own": "their code would have to be run",
    "kernel_constraint, bias_constraint, SpectralNormalization": (
        "the nearest is a regulariser, which shrinks weights but sets no limit"
    ),
    "GroupNormalization, UnitNormalization": "the nearest is layer normalisation",
    "SpatialDropout1D to 3D": "on flat inputs they have no meaning; the nearest is Dropout",
    "OrthogonalRegularizer": "the nearest is L2",
    "activation glu": "it halves the number of units",
    "activations sparsemax, squareplus, threshold": (
        "the nearest are softmax, softplus and the layer ReLU, which has a threshold"
    ),
}
"""What real scripts have that cannot be trained here, and why or what is nearest."""


UPDATES_NOT_COVERED = {
    "optimizers LAMB, Muon, Adafactor": (
        "they take norms or means over a whole variable, which here holds all runs; the nearest is "
        "AdamW"
    ),
    "LossScaleOptimizer, `loss_scale_factor`": "for half precision; here all is float32",
    "ScheduleFreeAdamW, `use_ema`": (
        "the weights that are evaluated are not those that are trained; the nearest is a cosine "
        "decay"
    ),
    "`gradient_accumulation_steps`": "the nearest is a larger batch",
    "several of `clipnorm`, `clipvalue`, `global_clipnorm`": "Keras refuses it as well",
    "`decay` of optimizers before Keras 2.11": (
        "the same is InverseTimeDecay with one decay step and the decay as its rate"
    ),
    "LearningRateScheduler, LambdaCallback and callbacks of one's own": (
        "their code would have to be run; halving the rate every n epochs is ExponentialDecay with "
        "`staircase`, whose decay steps are n epochs of updates"
    ),
    "`end_learning_rate`, `warmup_target`, `values`": (
        "held as factors of the learning rate, so that another rate keeps its schedule"
    ),
    "ReduceLROnPlateau with a schedule": "Keras cannot set such a rate either",
    "ModelCheckpoint, CSVLogger, TensorBoard and their kin": (
        "they change nothing; with `save_best_only` the nearest is EarlyStopping that restores the "
        "best weights"
    ),
}
"""The same for what updates the weights."""


def update_tables() -> str:
    """The tables of `docs/vocabulary.md` on optimizers and what goes with them."""
    shared = set(settings(Optimizer)) - {"learning_rate"}
    optimizers = [
        (f"`{k.keras_name}`", _named(k, settings(k).keys() - shared), k.help)
        for k in OPTIMIZERS.values()
    ]
    schedules = [(f"`{k.keras_name}`", _scheduled(k), k.help) for k in SCHEDULES.values()]
    callbacks = [(f"`{k.keras_name}`", _named(k, settings(k)), k.help) for k in CALLBACKS.values()]
    heads = "Arguments", "What it does"
    parts = [
        _rows(("Optimizer (`keras.optimizers`)", *heads), optimizers),
        f"All of them have `learning_rate`, or a schedule in its place, and "
        f"{_named(Optimizer, shared - {'schedule'})}. Gradients are clipped a run.",
        _rows(("Schedule (`keras.optimizers.schedules`)", *heads), schedules),
        _rows(("Callback (`keras.callbacks`)", *heads), callbacks),
        _rows(("Not covered", "Why, or what is nearest"), UPDATES_NOT_COVERED.items()),
    ]
    return "\n\n".join(parts) + "\n"


def _scheduled(kind: type[Schedule]) -> str:
    """The arguments of Keras's class, with all that the fields can set."""
    every = CosineDecay(warmup_steps=1) if kind is CosineDecay else kind()
    return ", ".join(f"`{name}`" for name in every.arguments(1.0))


def _named(kind: type[KerasEntry], names: Iterable[str]) -> str:
    """Keras's names of some fields, in the order of the class."""
    chosen = set(names)
    own = [name for name in settings(kind) if name in chosen]
    return ", ".join(f"`{kind.keras_arguments.get(name, name)}`" for name in own) or "none"


JUDGING_NOT_COVERED = {
    "loss cosine_similarity, Dice, Tversky, CTC": "the nearest is a cross-entropy, or the MSE",
    "`sample_weight` a row": "weights by class are `class_weight`",
    "losses and metrics of one's own": "their code would have to be run",
    "other arguments of losses, such as the delta of Huber": "they are at Keras's defaults",
    "metrics at thresholds of one's own": "those are at Keras's 0.5, the AUC's at 200",
}


def judging_tables() -> str:
    """The tables of `docs/vocabulary.md` on tasks, losses and metrics, from the registries."""
    tasks = [
        (task.label, task.score, f"`{task.metric}`", task.baseline_name) for task in TASKS.values()
    ]
    losses = [(f"`{each.name}`", _labels(each), _options(each)) for each in LOSSES.values()]
    metrics = [
        (f"`{each.name}`", ", ".join(TASKS[name].label for name in each.unfit) or "none")
        for each in METRICS.values()
    ]
    parts = [
        _rows(("Task", "Score", "Keras's metric", "Compared with"), tasks),
        _rows(("Loss (`keras.losses`)", "Labels", "Arguments"), losses),
        _rows(("Metric", "Says nothing of"), metrics),
        _rows(("Not covered", "Why, or what is nearest"), JUDGING_NOT_COVERED.items()),
    ]
    return "\n\n".join(parts) + "\n"


def _labels(loss: Loss) -> str:
    if loss.class_numbers:
        return "class numbers"
    if loss.signs:
        return "-1 and 1"
    if math.isinf(loss.low):
        return "any number"
    return f"from {loss.low:g}" + ("" if math.isinf(loss.high) else f" to {loss.high:g}")


def _options(loss: Loss) -> str:
    given = ("`from_logits`",) * loss.logits + ("`label_smoothing`",) * (loss.smooth is not None)
    return ", ".join(given) or "none"


def tables() -> str:
    """The tables of `docs/vocabulary.md` on layers, from the registries."""
    parts = [
        _table("Layer", "layers", LAYERS),
        "Activations, by name in Dense and Activation: "
        + ", ".join(f"`{name}`" for name in ACTIVATIONS)
        + ".",
        _table("Initialiser", "initializers", INITIALISERS),
        _table("Regulariser", "regularizers", REGULARISERS),
        _rows(("Not covered", "Why, or what is nearest"), NOT_COVERED.items()),
    ]
    return "\n\n".join(parts) + "\n"


def _table(title: str, module: str, entries: Mapping[str, type[KerasEntry]]) -> str:
    rows = []
    for name, kind in entries.items():
        keras = f"`{kind.keras_name}`" + (f", `{name}`" if module != "layers" else "")
        arguments = ", ".join(
            f"`{kind.keras_arguments.get(field, field)}`" for field in settings(kind)
        )
        rows.append((keras, arguments or "none", kind.help))
    return _rows((f"{title} (`keras.{module}`)", "Arguments", "What it does"), rows)


def _rows(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


if __name__ == "__main__":
    print(tables(), update_tables(), judging_tables(), sep="\n", end="")
