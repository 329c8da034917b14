"""From the calls of Keras in a script to the entries of the registries.

Names, arguments and kinds of values come from the registries alone, so an entry that is added to
one is read without a change here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields, replace
from typing import Any

import numpy as np

from core.entries import EntryOf
from core.fields import (
    Bool,
    Choice,
    Float,
    Instance,
    Instances,
    InvalidExperiment,
    Optional,
    settings,
)
from core.schedules import SCHEDULES
from core.script.names import ARGUMENTS, CLASSES, SIGNATURES, known_name, snake
from core.script.values import NOWHERE, Array, KerasCall, Symbol, Unknown

NO_EFFECT = frozenset(
    """
    name dtype seed input_dim input_shape batch_input_shape input_length batch_size autocast jit
    noise_shape weights_path verbose synchronized sparse
    """.split()  # noqa: SIM905
)
"""Arguments of a layer or optimizer that do not change how it trains."""
DEFAULTS: dict[str, tuple[Any, ...]] = {
    "use_bias": (True,),
    "bias_initializer": ("zeros", "zero"),
    "kernel_initializer": ("glorot_uniform",),
    "beta_1": (0.9,),
    "beta_2": (0.999,),
    "rho": (0.9,),
    "axis": (-1, 1),
    "momentum": (0.99,),
    "center": (True,),
    "scale": (True,),
    "gamma_initializer": ("ones", "one"),
    "beta_initializer": ("zeros", "zero"),
    "moving_mean_initializer": ("zeros", "zero"),
    "moving_variance_initializer": ("ones", "one"),
    "trainable": (True,),
    "reduction": ("sum_over_batch_size", "auto"),
    "weight_decay": (0, 0.0),
    "use_ema": (False,),
    "ema_momentum": (0.99,),
    "renorm": (False,),
    "renorm_momentum": (0.99,),
    "decay": (0, 0.0),
}
"""Values with which an argument, where an entry lacks it, changes nothing."""
EPSILONS = {"BatchNormalization": 1e-3, "LayerNormalization": 1e-3}
"""Keras's defaults of epsilon, where they are not 1e-7."""


class Untrainable(Exception):
    """Something of Keras that cannot be trained here; the message says what."""


class Open(Exception):
    """A value that is not known; it has to be asked."""

    def __init__(self, name: str, unknown: Unknown):
        super().__init__(unknown.reason)
        self.name, self.unknown = name, unknown


def name_of(value: Any) -> str | None:
    """The name of an entry that a value gives: a string, a function, or an object of a class."""
    if isinstance(value, str):
        return value
    if isinstance(value, Symbol) and value.root in ("keras", "tensorflow"):
        return value.leaf
    if isinstance(value, KerasCall):
        return value.name
    return None


def class_of(name: str, registry: Mapping[str, type]) -> type | None:
    """The class of a registry that stands for a class of Keras, however its name is written."""
    name = CLASSES.get(name, name)
    for kind in registry.values():
        keras_name = getattr(kind, "keras_name", kind.__name__)
        if name in (keras_name, kind.__name__):
            return kind
        if name.lower() in (keras_name.lower(), snake(keras_name)):
            return kind
    return None


def arguments_of(call: KerasCall, kind: type | None) -> dict[str, Any]:
    """The arguments of a call by Keras's present names.

    Raises:
        Untrainable: If it has more positional arguments than Keras knows.
    """
    name = getattr(kind, "keras_name", call.name)
    signature = SIGNATURES.get(name) or tuple(_own_names(kind))
    positional = call.arguments
    second = positional[1] if len(positional) > 1 else None
    # Keras 1: Dense(units, initialiser), and Dense(units, inputs) of its first versions.
    if name == "Dense" and isinstance(second, (int, np.integer)) and not isinstance(second, bool):
        positional = [positional[0], *positional[2:]]
    if name == "Dense" and len(positional) > 1 and isinstance(positional[1], str):
        known = {"normal", "uniform", "he_normal", "he_uniform", "glorot_uniform", "zero"}
        if positional[1] in known:
            signature = ("units", "kernel_initializer", "activation")
    if len(positional) > len(signature):
        raise Untrainable(f"{call.name} has more arguments than are known here")
    given = dict(zip(signature, positional, strict=False))
    renamed = {**ARGUMENTS["*"], **ARGUMENTS.get(name, {})}
    for source in (call.options, call.changed):
        for key, value in source.items():
            given[renamed.get(key, key)] = value
    return given


def _own_names(kind: type | None) -> Iterator[str]:
    if kind is None:
        return
    names = getattr(kind, "keras_arguments", {})
    first = [*getattr(kind, "positional", ())]
    rest = [each.name for each in fields(kind) if each.name not in first]
    for name in (*first, *rest):
        yield names.get(name, name)


def made(call: KerasCall, registry: Mapping[str, type], what: str) -> Any:
    """The entry that a call stands for.

    Args:
        call: Of a class of Keras.
        registry: Of the entries that it may be.
        what: What an entry is, for the message.

    Raises:
        Untrainable: If there is no such entry, or an argument is not covered.
        Open: If an argument is not known.
        InvalidExperiment: If an argument has a value that cannot be.
    """
    kind = class_of(call.name, registry)
    if kind is None:
        raise Untrainable(f"{what} {call.name} cannot be trained here")
    given = arguments_of(call, kind)
    if "schedule" in settings(kind):
        given = scheduled(given)
    own = dict(zip(_keras_names(kind), fields(kind), strict=True))
    values: dict[str, Any] = {}
    for name, value in given.items():
        if value is None and name in own and own[name].default is not MISSING:
            continue  # as Keras takes it
        if name in own:
            setting = settings(kind)[own[name].name]
            values[own[name].name] = coerced(setting.kind, value, f"{call.name}'s {name}")
        elif not _without_effect(call.name, name, value):
            raise Untrainable(f"{call.name} with {name}={shown(value)} cannot be trained here")
    for each in fields(kind):
        if each.default is MISSING and each.name not in values:
            raise Open(each.name, Unknown(f"{call.name} does not say its {each.name}"))
    return kind(**values)


def scheduled(given: dict[str, Any]) -> dict[str, Any]:
    """The arguments of an optimizer with the schedule of its learning rate as one of its own.

    Schedules of `core.schedules` hold factors of the learning rate where Keras's hold rates. The
    argument `decay` of optimizers before Keras 2.11 is a decay with the inverse of the updates.
    """
    rate, decay = given.get("learning_rate"), given.get("decay")
    if isinstance(decay, (int, float)) and decay > 0:
        given = {name: value for name, value in given.items() if name != "decay"}
        inverse = KerasCall(
            "InverseTimeDecay", [], {"decay_steps": 1, "decay_rate": decay}, NOWHERE
        )
        return {**given, "schedule": inverse}
    if not isinstance(rate, KerasCall):
        return given
    kind = class_of(rate.name, SCHEDULES)
    if kind is None:
        raise Untrainable(f"the schedule {rate.name} cannot be trained here")
    options: dict[str, Any] = arguments_of(replace(rate, name=kind.__name__), None)
    for value in options.values():
        if isinstance(value, Unknown):
            raise Open(f"{rate.name}'s arguments", value)
    first = options.pop("initial_learning_rate", None)
    if "values" in options:
        first, *later = options.pop("values")
        options["factors_after"] = [_rounded(value / first) for value in later]
    if kind.__name__ == "PolynomialDecay":
        options["end"] = _rounded(options.pop("end_learning_rate", 0.0001) / first)
    if "warmup_target" in options:
        target = options.pop("warmup_target")
        if target:
            options["warmup_from"], first = _rounded(first / target), target
    schedule = replace(rate, arguments=[], options=options)
    return {**given, "learning_rate": first, "schedule": schedule}


def _rounded(factor: float) -> float:
    """A quotient without the rounding of its binary fraction."""
    return float(f"{factor:.12g}")


def _keras_names(kind: type) -> list[str]:
    names = getattr(kind, "keras_arguments", {})
    return [names.get(each.name, each.name) for each in fields(kind)]


def _without_effect(owner: str, name: str, value: Any) -> bool:
    if name in NO_EFFECT or value is None:
        return True
    if isinstance(value, Unknown):
        return False
    if name == "epsilon":
        return value == EPSILONS.get(owner, 1e-7)
    named = name_of(value)
    plain = value if named is None else snake(named)
    return any(plain == default for default in DEFAULTS.get(name, ()))


def shown(value: Any) -> str:
    """A value, for a message."""
    if isinstance(value, KerasCall):
        return f"{value.name}(...)"
    if isinstance(value, Unknown):
        return "what is not known"
    if isinstance(value, Array) or hasattr(value, "iloc"):
        return "an array"
    return repr(value)[:60]


def coerced(kind: Any, value: Any, name: str) -> Any:
    """A value of a script as a field of this kind has it.

    Raises:
        Untrainable, Open, InvalidExperiment: As `made` does.
    """
    if isinstance(value, Unknown):
        raise Open(name, value)
    if isinstance(kind, Optional):
        return None if value is None else coerced(kind.kind, value, name)
    if isinstance(kind, Choice):
        return _chosen(kind, value, name)
    if isinstance(kind, EntryOf):
        return _entry(kind, value, name)
    if isinstance(kind, Instances):
        given = value if isinstance(value, (list, tuple)) else [value]
        return kind.check(name, [coerced(Instance(kind.classes), each, name) for each in given])
    classes = getattr(kind, "classes", None)
    if isinstance(classes, Mapping):
        if isinstance(value, (str, Symbol)):
            value = KerasCall(name_of(value) or "?", [], {}, NOWHERE)
        if isinstance(value, KerasCall):
            return made(value, classes, name)
    if isinstance(value, Array) and value.value.size != 1:
        raise Untrainable(f"{name}={shown(value)} cannot be trained here")
    if isinstance(value, (np.generic, Array)):
        value = value.item() if isinstance(value, np.generic) else value.value.item()
    if isinstance(kind, Bool) and value in (0, 1):
        value = bool(value)
    if isinstance(kind, Float) and isinstance(value, bool):
        value = float(value)
    inner = getattr(kind, "kinds", None)
    if isinstance(value, KerasCall) and inner:
        for each in inner:
            try:
                return coerced(each, value, name)
            except (Untrainable, InvalidExperiment):
                continue
    if isinstance(value, (KerasCall, Symbol)):
        raise Untrainable(f"{name}={shown(value)} cannot be trained here")
    return kind.check(name, value)


def _entry(kind: EntryOf, value: Any, name: str) -> Any:
    """The name of an entry, or an instance with other arguments than its defaults."""
    if value is None and kind.none:
        return None
    written = name_of(value)
    if written is None:
        raise Untrainable(f"{name}={shown(value)} cannot be trained here")
    key = known_name(CLASSES.get(written, written), kind.entries)
    if key is None:
        raise Untrainable(f"{name}={written!r} cannot be trained here")
    if not isinstance(value, KerasCall):
        return key
    call = replace(value, name=kind.entries[key].keras_name)
    return kind.check(name, made(call, kind.entries, name))


def _chosen(kind: Choice, value: Any, name: str) -> str:
    written = name_of(value)
    # Keras takes None for no activation.
    if value is None and "linear" in kind.entries:
        return "linear"
    if written is None:
        raise Untrainable(f"{name}={shown(value)} cannot be trained here")
    if isinstance(value, KerasCall):
        extra = {k: v for k, v in value.options.items() if k not in ("seed", "name")}
        if value.arguments or extra:
            raise Untrainable(f"{name}={shown(value)} with arguments cannot be trained here")
    key = known_name(written, kind.entries)
    if key is None:
        raise Untrainable(f"{name}={written!r} cannot be trained here")
    return key
