"""The arguments of `compile` and `fit` of a script as `core.experiment.Training` has them."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np

from core.callbacks import CALLBACKS
from core.experiment import Data, Training
from core.fields import Int, InvalidExperiment, settings
from core.losses import LOSSES
from core.metrics import METRICS
from core.optimizers import OPTIMIZERS
from core.script.generators import as_batches
from core.script.names import ARGUMENTS, SIGNATURES, known_name
from core.script.values import (
    NOWHERE,
    Array,
    Batches,
    Dataset,
    Exhausted,
    KerasCall,
    Missing,
    ModelValue,
    Symbol,
    Unknown,
    Used,
    plain,
)
from core.script.vocabulary import Open, Untrainable, class_of, coerced, made, name_of, shown

FIT = ("x", "y", "batch_size", "epochs", "verbose", "callbacks", "validation_split")
COMPILE = ("optimizer", "loss", "loss_weights", "metrics")
"""The order of positional arguments; before Keras 3, `compile` took the metrics third."""
SILENT = frozenset(
    """
    x y verbose metrics validation_data validation_steps workers use_multiprocessing
    max_queue_size run_eagerly jit_compile steps_per_execution auto_scale_loss initial_epoch
    validation_freq weighted_metrics validation_batch_size validation_split
    reduction name fn show_accuracy class_mode theano_mode sample_weight_mode
    """.split()  # noqa: SIM905
)
"""Arguments that do not change what is trained, or that are read as data."""
LEFT_OUT = frozenset({"steps_per_epoch", "samples_per_epoch"})
MOST_STAND_IN = 20_000
"""Rows of a stand-in that are proposed."""
DEFAULT_BATCH, DEFAULT_EPOCHS = 32, 1
"""Keras's."""
WATCHING = frozenset(
    "ModelCheckpoint TensorBoard CSVLogger History ProgbarLogger LambdaCallback".split()  # noqa: SIM905
)
"""Callbacks that only watch."""


@dataclass
class Fit:
    """The calls of `fit` of a model as one.

    Attributes:
        used: The last call, by Keras's names of the arguments.
        epochs: Of all calls together, or Unknown.
        line: Of the last call.
    """

    used: dict[str, Any]
    epochs: Any
    line: int


@dataclass
class Trained:
    """What was read of `compile` and `fit`.

    Attributes:
        values: The fields of `Training` that are known.
        open: The fields that are not, with the reason.
        left_out: What cannot be trained with here: (line, text).
        remarks: What is said beside: (line, text).
        rows: Of an epoch, where only the steps and the batch size say it.
        class_weight: Weights by class number, where they are known.
    """

    values: dict[str, Any] = field(default_factory=dict)
    open: dict[str, Unknown] = field(default_factory=dict)
    left_out: list[tuple[int, str]] = field(default_factory=list)
    remarks: list[tuple[int, str]] = field(default_factory=list)
    rows: int | None = None
    class_weight: dict[Any, float] = field(default_factory=dict)

    def training(self) -> Training | None:
        """The settings but for the class weights, if all are known."""
        return None if self.open else Training(**self.values)

    def weighted(self, training: Training, data: Data) -> Training:
        """The settings with the class weights, as Keras looks them up by label: 1 for others."""
        if not self.class_weight:
            return training
        weights = tuple(self.class_weight.get(int(label), 1.0) for label in data.targets)
        return replace(training, class_weight=weights or tuple(self.class_weight.values()))


def named(used: Used, signature: tuple[str, ...]) -> dict[str, Any]:
    """The arguments of a call by Keras's present names."""
    given = dict(zip(signature, used.arguments, strict=False))
    renamed = ARGUMENTS["*"]
    return given | {renamed.get(key, key): value for key, value in used.options.items()}


def fit_of(model: ModelValue) -> Fit | None:
    """The calls of `fit` as one, or None where there is none.

    Calls with the same data, as in a loop, go on with the same optimizer: their epochs add up.
    """
    if not model.fits:
        return None
    calls = [(named(used, FIT), used.span.line) for used in model.fits]
    last, line = calls[-1]
    if model.looped and not isinstance(last.get("x"), Dataset):
        here = [given for given, place in calls if place == line]
        return _of_updates(here, line, model.cut)
    if isinstance(last.get("x"), Dataset):
        data = last["x"]
        last = {**last, "x": data.x, "y": data.y, "batch_size": data.batch or DEFAULT_BATCH}
        last["shuffle"] = data.shuffled
        calls[-1] = last, line
    source = as_batches(last.get("x"))
    if isinstance(source, Batches):
        unknown = Unknown(source.reason, source.line or line)
        size = last.get("batch_size") or source.batch
        size = Unknown("it is that of a generator", line) if size is None else size
        last = {**last, "x": unknown, "y": unknown, "batch_size": size}
        calls[-1] = last, line
    epochs: Any = 0
    for given, place in calls:
        count = given.get("epochs", DEFAULT_EPOCHS)
        if not isinstance(count, (int, float, np.number)):
            why = Unknown("the number of epochs is no number", place)
            epochs = count if isinstance(count, Unknown) else why
            break
        if place == line or _same(given.get("x"), last.get("x")):
            epochs += count
    return Fit(last, epochs if model.cut is None else model.cut, line)


def _of_updates(calls: list[dict[str, Any]], line: int, cut: Unknown | None) -> Fit:
    """Single updates as one `fit`: those on the same rows in turn are the batches of an epoch."""
    first = calls[0]
    rows = [given.get("x") for given in calls]
    if not isinstance(rows[0], Array):
        return Fit({**first, "shuffle": False}, cut or len(calls), line)
    period = next((k for k in range(1, len(rows)) if _same(rows[k], rows[0])), len(rows))
    if period == len(rows) > 1 and not _whole(rows):
        why = Unknown("every update sees other rows", line)
        return Fit({**first, "x": why, "y": why, "batch_size": len(rows[0].value)}, why, line)
    epochs = cut or len(calls) // period
    if period == 1:
        return Fit({**first, "shuffle": False}, epochs, line)
    joined = {}
    for name in ("x", "y"):
        parts = [given.get(name) for given in calls[:period]]
        known = [part.value for part in parts if isinstance(part, Array)]
        joined[name] = (
            Array.of(np.concatenate(known))
            if len(known) == period
            else Unknown(f"{name} of an update is not known", line)
        )
    size = len(rows[0].value)
    return Fit({**first, **joined, "batch_size": size, "shuffle": False}, epochs, line)


def _whole(rows: list[Any]) -> bool:
    """Whether parts of an array are all of it."""
    root = rows[0].root
    same = all(isinstance(each, Array) and each.root is root for each in rows)
    return same and sum(len(each.value) for each in rows) == len(root)


def _same(one: Any, other: Any) -> bool:
    first, second = getattr(one, "value", one), getattr(other, "value", other)
    return first is second or (
        isinstance(first, np.ndarray)
        and isinstance(second, np.ndarray)
        and np.array_equal(first, second)
    )


def trained(model: ModelValue, fit: Fit | None, rows: int | None) -> Trained:
    """The settings of the training of a model; `rows` is the number of rows, where it is known."""
    read = Trained()
    compiled = {} if model.compiled is None else named(model.compiled, COMPILE)
    line = model.span.line if model.compiled is None else model.compiled.span.line
    third = compiled.get("loss_weights")
    if isinstance(third, (list, tuple)) and not all(isinstance(w, (int, float)) for w in third):
        # Keras 2: compile(optimizer, loss, metrics).
        compiled.setdefault("metrics", compiled.pop("loss_weights"))
    if model.compiled is None:
        for name, words in (("loss", "the loss"), ("optimizer", "the optimizer")):
            read.open[name] = Unknown(f"the script has no compile that says {words}")
    else:
        _optimizer(read, compiled.pop("optimizer", "rmsprop"), line)
        _loss(read, compiled.pop("loss", None), line)
    _metrics(read, compiled)
    _others(read, compiled, line, "compile")
    if fit is None:
        read.open["epochs"] = Unknown("the script has no fit that says the epochs")
        return read
    given = dict(fit.used)
    given["epochs"] = fit.epochs
    for name in LEFT_OUT & given.keys():
        steps = given.pop(name)
        if steps is None:
            continue
        per = 1 if name == "samples_per_epoch" else given.get("batch_size", DEFAULT_BATCH)
        if isinstance(steps, int) and isinstance(per, int) and 1 < steps * per <= MOST_STAND_IN:
            read.rows = steps * per
        read.remarks.append((fit.line, f"{name} is left out: every epoch sees all rows once."))
    size = given.get("batch_size")
    if size is None:
        given["batch_size"] = DEFAULT_BATCH
    elif isinstance(size, str):
        given["batch_size"] = rows or Unknown("the number of rows is not known", fit.line)
    elif rows and isinstance(size, (int, np.integer)) and size > rows and size > 100_000:
        given["batch_size"] = rows
    _callbacks(read, given, fit.line)
    _class_weight(read, given.pop("class_weight", None), fit.line)
    _others(read, given, fit.line)
    return read


def _optimizer(read: Trained, value: Any, line: int) -> None:
    if isinstance(value, Unknown):
        read.open["optimizer"] = value
        return
    name = name_of(value)
    if name is None:
        read.open["optimizer"] = Unknown(f"{shown(value)} is not understood", line)
        return
    call = value if isinstance(value, KerasCall) else KerasCall(name, [], {}, NOWHERE)
    if isinstance(value, Symbol):
        read.remarks.append((line, f"Keras takes an object, {name}(), not the class {name}."))
    try:
        read.values["optimizer"] = made(call, OPTIMIZERS, "the optimizer")
    except Open as missing:
        read.open["optimizer"] = replace(missing.unknown, likely=_likely(call))
    except (Untrainable, ValueError) as error:
        said = str(error).rstrip(".")
        read.left_out.append((line, f"{said}."))
        read.open["optimizer"] = Unknown(said, line, likely=_likely(call))


def _likely(call: KerasCall) -> str | None:
    """The optimizer of a call whose arguments cannot be taken as they are."""
    kind = class_of(call.name, OPTIMIZERS)
    return None if kind is None else kind.__name__


def _loss(read: Trained, value: Any, line: int) -> None:
    if isinstance(value, (list, tuple)) and len(value) == 1:
        value = value[0]
    if value is None or isinstance(value, Unknown):
        read.open["loss"] = value or Unknown("compile does not say the loss", line)
        return
    name = name_of(value)
    key = None if name is None else known_name(name, LOSSES)
    if key is None:
        words = f"the loss {name} cannot be trained here" if name else _own_loss(value)
        read.left_out.append((line, words))
        read.open["loss"] = Unknown(words, line)
        return
    read.values["loss"] = key
    if isinstance(value, KerasCall):
        options = dict(zip(SIGNATURES.get(value.name, ()), value.arguments, strict=False))
        _others(read, options | value.options, line, f"the loss {value.name}")


def _own_loss(value: Any) -> str:
    """What is said of a loss that has no name in Keras."""
    if isinstance(value, dict):
        return f"each output has a loss of its own: {', '.join(str(key) for key in value)}"
    if isinstance(value, (list, tuple)):
        return f"each of {len(value)} outputs has a loss of its own"
    name = getattr(getattr(value, "node", None), "name", "")
    words = f"the loss {name}" if name else "a loss"
    return f"{words} of the script's own cannot be trained here"


def _metrics(read: Trained, compiled: dict[str, Any]) -> None:
    """The metrics that can be measured beside the score; the others are left out."""
    given = compiled.pop("metrics", None)
    chosen = given if isinstance(given, (list, tuple)) else [given]
    names = [known_name(name, METRICS) for each in chosen if (name := name_of(each))]
    if known := tuple(dict.fromkeys(name for name in names if name)):
        read.values["metrics"] = known


def _is_default(name: str, value: Any) -> bool:
    plain = isinstance(value, (bool, int, float, str))
    return plain and value in DEFAULTS.get(name, ())


DEFAULTS: dict[str, tuple[Any, ...]] = {
    "from_logits": (False,),
    "label_smoothing": (0, 0.0),
    "axis": (-1,),
    "shuffle": (True,),
    "delta": (1, 1.0),
}
"""Values with which an argument changes nothing, where `Training` lacks it."""


def _others(read: Trained, given: dict[str, Any], line: int, owner: str = "fit") -> None:
    """The arguments that have fields of their own in `Training`."""
    known = {each.name for each in fields(Training)}
    for name, value in given.items():
        if name in known and name not in ("loss", "optimizer", "class_weight"):
            try:
                read.values[name] = coerced(settings(Training)[name].kind, value, name)
            except Open as missing:
                read.open[name] = missing.unknown
            except Untrainable as error:
                read.left_out.append((line, f"{error}: it is left out"))
            except ValueError as error:
                nearest = _nearest(settings(Training)[name].kind, value)
                read.open[name] = Unknown(str(error).rstrip("."), line, likely=nearest)
        elif name in SILENT or value is None or _is_default(name, value):
            continue
        else:
            words = f"the {name} of {owner}, {shown(value)}, cannot be trained with here"
            read.left_out.append((line, f"{words} and is left out"))


def _nearest(kind: Any, value: Any) -> Any:
    """The value of a kind that is nearest to one outside its bounds; None where there is none."""
    if not isinstance(kind, Int) or not isinstance(value, (int, float)) or value != value:
        return None
    return int(min(max(value, kind.low), kind.high))


def _callbacks(read: Trained, given: dict[str, Any], line: int) -> None:
    """Keep the callbacks that change the training and are covered."""
    callbacks = given.pop("callbacks", None)
    if isinstance(callbacks, KerasCall):
        callbacks = [callbacks]
    if not isinstance(callbacks, (list, tuple)):
        return
    kept = []
    for callback in callbacks:
        name = name_of(callback) or "a callback"
        if class_of(name, CALLBACKS) is not None:
            kept.append(callback)
        elif name not in WATCHING:
            read.remarks.append((line, f"{name} is left out: it cannot be trained with here."))
    if kept:
        given["callbacks"] = kept


def _class_weight(read: Trained, value: Any, line: int) -> None:
    """Keep the class weights that Keras would find by the number of a class."""
    if value is None:
        return
    if isinstance(value, Unknown):
        read.open["class_weight"] = value
        return
    if not isinstance(value, dict):
        said = "the class weights are no dictionary, which Keras refuses: they are left out"
        read.left_out.append((line, said))
        return
    try:
        weights = {
            key: float(weight)
            for key, weight in zip(plain([*value]), plain([*value.values()]), strict=True)
        }
        settings(Training)["class_weight"].kind.check("class_weight", [*weights.values()])
    except Missing as missing:
        read.open["class_weight"] = missing.unknown
        return
    except InvalidExperiment as error:
        read.open["class_weight"] = Unknown(str(error).rstrip("."), line)
        return
    except (TypeError, ValueError, OverflowError, Exhausted):
        read.left_out.append((line, "the class weights are not all numbers: they are left out"))
        return
    others = [key for key in weights if not isinstance(key, (int, float, np.number))]
    if others:
        keys = ", ".join(repr(key)[:20] for key in others[:3])
        said = f"Keras finds class weights by number only: those of {keys} are left out"
        read.left_out.append((line, said))
    read.class_weight = {key: weight for key, weight in weights.items() if key not in others}
