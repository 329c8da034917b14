"""The settings of a page: a table made from the fields of a draft, and the views of the results.

A row of the table is a control, a parameter of the URL and a value of the draft; its bounds, label
and help are declared by the field. A parameter has the name of its field, with hyphens; those of
hidden layers have a prefix such as "layer1-", counted from 1, and those of the output "output-".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import astuple, dataclass, replace
from typing import Any

from core.draft import Draft, Path, converted
from core.entries import KerasEntry
from core.experiment import Model
from core.fields import (
    Bool,
    Choice,
    Float,
    Instance,
    Int,
    Numbers,
    Optional,
    Ranges,
    Setting,
    settings,
)
from core.history import TARGET
from core.jobs.requests import DEFAULT_RUNS
from core.layers import LAYERS, Dense, Dropout, Layer
from core.optimizers import OPTIMIZERS

DATA, NETWORK, TRAINING, RUNS = GROUPS = ("Data", "Network", "Training", "Runs")
NAMES = {("data", "label_values"): "labels", ("training", "shuffle"): "reshuffle"}
"""The names of parameters that differ from the name of their field."""
SEPARATOR, NEXT_LAYER = "~", "~~"


@dataclass(frozen=True)
class Control:
    """One row of the table.

    Attributes:
        name: Of the URL's parameter; the widget's key ends with it.
        group: One of GROUPS.
        setting: Its kind, label and help.
        read: Returns its value in a draft.
        write: Returns the draft with another value; raises InvalidExperiment if it is not allowed.
        matters: Whether it has an effect with the other settings as they are.
    """

    name: str
    group: str
    setting: Setting
    read: Callable[[Draft], Any]
    write: Callable[[Draft, Any], Draft]
    matters: bool = True


def table(draft: Draft) -> dict[str, Control]:
    """The controls of a draft by name, in the order in which the values of a link are applied.

    Settings that determine which other settings exist come first.
    """
    controls = [*_data(draft), *_network(draft), *_training(draft)]
    return {control.name: control for control in controls}


def differences(before: Draft, after: Draft) -> dict[str, Any]:
    """The settings of `after` that differ from those of `before`.

    Returns:
        The values by name. If the kinds of the hidden layers differ, all hidden layers are the
        single value "layers"; otherwise each setting of a layer has its own.
    """
    changed = {}
    controls_before = table(before)
    same_kinds = _kinds(before) == _kinds(after)
    for name, control in table(after).items():
        if name == "layers":
            differs = not same_kinds
        elif name.startswith("layer") and not same_kinds:
            differs = False
        elif name in controls_before:
            differs = controls_before[name].read(before) != control.read(after)
        else:
            differs = True
        if differs:
            changed[name] = control.read(after)
    return changed


def changed_by(
    draft: Draft,
    values: Mapping[str, Any],
    read: Callable[[Control, Any], Any] = lambda control, value: value,
) -> tuple[Draft, dict[str, Control | None]]:
    """The draft with these values, which are applied in the order of its table.

    Args:
        draft: To be changed.
        values: By the names of the settings.
        read: Converts a value for its control; a KeyError, ValueError or OverflowError refuses it.

    Returns:
        The draft, and the names of the values that were left out: each with its control if the
        value is not allowed, or with None if there is no such control.
    """
    left, refused = dict(values), {}
    while control := next((c for name, c in table(draft).items() if name in left), None):
        try:
            draft = control.write(draft, read(control, left.pop(control.name)))
        except (KeyError, ValueError, OverflowError):
            refused[control.name] = control
    return draft, refused | dict.fromkeys(left)


def _kinds(draft: Draft) -> list[type]:
    return [type(layer) for layer in draft.model.layers[:-1]]


# --- data ---------------------------------------------------------------------------------------


def _data(draft: Draft) -> Iterator[Control]:
    source = draft.data.source
    ranges = {n: s for n, s in settings(source).items() if isinstance(s.kind, Ranges)}
    for name, setting in ranges.items():
        yield from _ranges(draft, name, setting)
    for name, setting in settings(source).items():
        if name not in ranges:
            yield _field(DATA, ("data", "source", name), setting)
    for name, setting in settings(draft.data).items():
        if isinstance(setting.kind, Instance):
            continue
        if isinstance(setting.kind, Optional):
            yield from _data_seed(draft, setting)
        else:
            if isinstance(setting.kind, Numbers):
                setting = replace(setting, kind=Numbers(source.classes, source.classes))
            yield _field(DATA, ("data", name), setting, setting.matters(draft.data))


def _ranges(draft: Draft, name: str, setting: Setting) -> Iterator[Control]:
    """The number of classes, and two bounds for each class."""
    path: Path = ("data", "source", name)
    kind = setting.kind
    yield Control(
        "classes",
        DATA,
        Setting(Int(kind.fewest, kind.most), "Classes", "The number of classes."),
        lambda draft: len(draft.value(path)),
        lambda draft, count: draft.put(path, _as_many(draft.value(path), count)),
    )
    for row in range(len(draft.value(path))):
        for end, word in enumerate(("lowest", "highest")):
            yield Control(
                f"{'high' if end else 'low'}{row + 1}",
                DATA,
                Setting(Float(-1e9, 1e9), f"Class {row + 1}: {word} value", setting.help),
                lambda draft, row=row, end=end: draft.value((*path, row, end)),
                lambda draft, value, row=row, end=end: draft.put(
                    (*path, row), _with_bound(draft.value((*path, row)), end, value)
                ),
            )


def _as_many(ranges: tuple[tuple[float, float], ...], count: int) -> tuple:
    """The first `count` ranges; additional ones continue the step between the last two."""
    grown = list(ranges[:count])
    while len(grown) < count:
        step = [new - old for old, new in zip(grown[-2], grown[-1], strict=True)]
        grown.append(tuple(round(a + b, 12) for a, b in zip(grown[-1], step, strict=True)))
    return tuple(grown)


def _with_bound(bounds: tuple[float, float], end: int, value: float) -> tuple[float, float]:
    """The bounds with a new low (`end` 0) or high one (1); the other moves to avoid a crossing."""
    low, high = bounds
    return (min(low, value), value) if end else (value, max(high, value))


def _data_seed(draft: Draft, setting: Setting) -> Iterator[Control]:
    """Whether all runs have the same data, and its seed."""
    path: Path = ("data", "seed")
    yield Control(
        "same-data",
        DATA,
        Setting(
            Bool(),
            "Same data for every run",
            "Off: every run draws its own data. On: the runs differ only in their initial weights "
            "and the order of the batches.",
        ),
        lambda draft: draft.data.seed is not None,
        lambda draft, same: draft.put(path, (draft.data.seed or 0) if same else None),
    )
    if draft.data.seed is not None:
        yield _field(
            DATA, path, Setting(setting.kind.kind, setting.label, setting.help), name="data-seed"
        )


# --- network ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Layers:
    """Hidden layers; a link writes the fields of each in order, without trailing defaults."""

    @property
    def expected(self) -> str:
        example = Dense(3, "relu"), Dropout(0.25)
        return f"layers such as `{self.text(example)}`"

    def text(self, layers: tuple[Layer, ...]) -> str:
        return NEXT_LAYER.join(map(_layer_text, layers))

    def parse(self, text: str) -> tuple[Layer, ...]:
        return tuple(map(_layer_of, text.split(NEXT_LAYER))) if text else ()


def _layer_text(layer: Layer) -> str:
    values = [getattr(layer, name) for name in settings(layer)]
    defaults = layer.defaults()
    for name in reversed(settings(layer)):
        if values[-1] != defaults.get(name):
            break
        values.pop()
    return SEPARATOR.join([type(layer).__name__, *map(as_text, values)])


def _layer_of(text: str) -> Layer:
    name, *texts = text.split(SEPARATOR)
    kind = LAYERS[name]
    fields = settings(kind)
    if len(texts) > len(fields):
        raise ValueError(text)
    values = zip(fields.items(), texts, strict=False)
    try:
        return kind(**{name: setting.kind.parse(text) for (name, setting), text in values})
    except TypeError:
        raise ValueError(text) from None


def _network(draft: Draft) -> Iterator[Control]:
    yield Control(
        "layers",
        NETWORK,
        Setting(Layers(), "Hidden layers"),
        lambda draft: draft.model.layers[:-1],
        lambda draft, hidden: draft._replace(model=Model((*hidden, draft.model.output))),
    )
    *hidden, output = draft.model.layers
    for index, layer in enumerate(hidden):
        for field, setting in settings(layer).items():
            yield _field(
                NETWORK,
                ("model", "layers", index, field),
                replace(setting, label=f"Layer {index + 1}: {setting.label.lower()}"),
                name=f"layer{index + 1}-{field}",
            )
    for field, setting in settings(output).items():
        yield _field(
            NETWORK,
            ("model", "layers", -1, field),
            replace(setting, label=f"Output layer: {setting.label.lower()}"),
            name=f"output-{field}",
        )


# --- training -----------------------------------------------------------------------------------


def _training(draft: Draft) -> Iterator[Control]:
    training = draft.training
    for name, setting in settings(training).items():
        path: Path = ("training", name)
        if isinstance(setting.kind, Instance):
            yield Control(
                name,
                TRAINING,
                replace(setting, kind=ClassName(OPTIMIZERS)),
                lambda draft, path=path: type(draft.value(path)).__name__.lower(),
                _with_optimizer,
            )
            for option, described in settings(draft.value(path)).items():
                yield _field(TRAINING, (*path, option), described)
        else:
            yield _field(TRAINING, path, setting)


@dataclass(frozen=True, eq=False)
class ClassName(Choice):
    """One of the classes in a registry, by its name in lower case."""

    entries: dict[str, type[KerasEntry]]

    @property
    def options(self) -> tuple[str, ...]:
        return tuple(name.lower() for name in self.entries)

    def label(self, option: str) -> str:
        return self.kind(option).label

    def kind(self, option: str) -> type[KerasEntry]:
        return {name.lower(): kind for name, kind in self.entries.items()}[option]

    def parse(self, text: str) -> str:
        if text not in self.options:
            raise ValueError(text)
        return text


def _with_optimizer(draft: Draft, name: str) -> Draft:
    optimizer, kind = draft.training.optimizer, ClassName(OPTIMIZERS).kind(name)
    if type(optimizer) is kind:
        return draft
    return draft.put(("training", "optimizer"), converted(optimizer, kind))


def _field(
    group: str, path: Path, setting: Setting, matters: bool = True, name: str | None = None
) -> Control:
    """The control of the value at a path."""
    return Control(
        (name or NAMES.get(path[-2:]) or str(path[-1])).replace("_", "-"),
        group,
        setting,
        lambda draft: draft.value(path),
        lambda draft, value: draft.put(path, value),
        matters,
    )


# --- runs and views -----------------------------------------------------------------------------


@dataclass(frozen=True)
class View:
    """A setting that is not part of the experiment."""

    label: str
    kind: Choice | Bool | Int | Float
    default: Any
    help: str


OF_RUNS = {
    "runs": View(
        "Runs",
        Choice(("1", "16", "32", "64", "128", "256", "512")),
        str(DEFAULT_RUNS),
        "How many times the network is trained, each time with a different seed.",
    ),
    "seed": View("Seed", Int(0, 999_999), 0, "A different seed gives different runs."),
    "target": View(
        "Target accuracy",
        Float(0.5, 1, 0.01, format="%.2f"),
        TARGET,
        "A run succeeds if its final accuracy is at least this; otherwise it fails.",
    ),
}
"""The number and seed of the runs and the target accuracy, by name."""
VIEWS = {
    "log": View(
        "Log scale for the loss",
        Choice(("auto", "yes", "no")),
        "auto",
        "Shows differences between small losses; losses of 0 or below are left out. On by default "
        "if the largest loss is more than 100 times the smallest.",
    ),
    "curves": View(
        "Curves",
        Choice(("after", "during")),
        "after",
        "After each epoch: evaluated on all training rows, like the final accuracy. As model.fit "
        "prints: the mean over the batches of the epoch.",
    ),
    "part": View(
        "Measured on",
        Choice(("held-out", "training")),
        "held-out",
        "The held-out rows were never trained on.",
    ),
    "health": View(
        "Figure",
        Choice(("dead", "saturated", "gradient_norm", "update_ratio")),
        "dead",
        "Dead units: output 0 for every training sample. Saturated units: output within 1% of a "
        "bound of the activation for every sample. Gradient norm: of the gradient of each layer's "
        "kernel. Update-to-weight ratio: change of the kernel in one update, relative to the "
        "kernel.",
    ),
    "pick": View(
        "Run",
        Choice(("best", "median", "worst", "stuck")),
        "worst",
        "By final accuracy; 'stuck' is the first run that is stuck.",
    ),
}
"""The parts of the results that a page shows, by name."""


def in_words(value: Any) -> str:
    """A value in words, for a reader."""
    if isinstance(value, Layer):
        return " ".join([value.label.lower(), *map(in_words, astuple(value))])
    if isinstance(value, (list, tuple)):
        return ", ".join(map(in_words, value)) or "none"
    return f"{value:g}" if isinstance(value, float) else as_text(value).replace("_", " ")


def as_text(value: Any) -> str:
    """A value as the text of a parameter of the URL; the `parse` of its kind restores it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        if value and isinstance(value[0], Layer):
            return Layers().text(tuple(value))
        return ("." if value and isinstance(value[0], str) else "_").join(map(as_text, value))
    return repr(value) if isinstance(value, float) else str(value)
