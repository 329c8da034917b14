"""The settings of a page: a table made from the fields of a draft, and the views of the results.

A row of the table is a control, a parameter of the URL and a value of the draft; its bounds, label
and help are declared by the field. A parameter has the name of its field, with hyphens; those of
layers before the last dense one have a prefix such as "layer1-", counted from 1, those of the last
dense layer "output-", and those of layers after it "after1-".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from core.callbacks import CALLBACKS
from core.draft import Draft, Path
from core.entries import KerasEntry
from core.fields import (
    PERCENT,
    Bool,
    Choice,
    Float,
    Instance,
    Instances,
    Int,
    Numbers,
    Optional,
    Ranges,
    Setting,
    settings,
)
from core.history import TARGET
from core.jobs.requests import DEFAULT_RUNS
from core.optimizers import OPTIMIZERS, Optimizer
from core.sources import SOURCES, Source, of_class
from core.tasks import Task
from pages.elements.layer_settings import LISTS, network
from pages.elements.row import DATA, GROUPS, NETWORK, RUNS, TRAINING, Control, of_field
from pages.elements.run_choice import RunChoice
from pages.elements.words import Layers, as_text, in_words

__all__ = ["GROUPS", "NETWORK", "RUNS", "Control", "Layers", "as_text", "in_words", "table"]


def table(draft: Draft) -> dict[str, Control]:
    """The controls of a draft by name, in the order in which the values of a link are applied.

    Settings that determine which other settings exist come first.
    """
    controls = [*_data(draft), *network(draft), *_training(draft)]
    return {control.name: control for control in controls}


def differences(before: Draft, after: Draft) -> dict[str, Any]:
    """The settings of `after` that differ from those of `before`.

    Returns:
        The values by name. If the kinds of the layers before the last dense one differ, they are
        the single value "layers", and those after it "after"; otherwise each setting of a layer
        has its own. A source of another class is the value "source", besides what differs from its
        defaults.
    """
    changed = {}
    controls_before, begun = table(before), before
    for name, control in table(after).items():
        # The fields of what is chosen begin at what they are right after that.
        if control.chooses and name in controls_before:
            begun = control.write(begun, control.read(after))
            controls_before = table(begun) if begun != before else controls_before
    for name, control in table(after).items():
        group = next((group for group in LISTS if name.startswith(group.prefix)), None)
        same_kinds = group is None or group.kinds(before) == group.kinds(after)
        if group is not None and name == group.name:
            differs = not same_kinds
        elif not same_kinds:
            differs = False
        elif name in controls_before:
            origin = before if control.chooses else begun
            differs = as_text(controls_before[name].read(origin)) != as_text(control.read(after))
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


# --- data ---------------------------------------------------------------------------------------


def _data(draft: Draft) -> Iterator[Control]:
    source = draft.data.source
    yield Control(
        "source",
        DATA,
        replace(settings(draft.data)["source"], kind=_sources(source)),
        lambda draft: type(draft.data.source).__name__.lower(),
        _with_source,
        chooses=True,
    )
    ranges = {n: s for n, s in settings(source).items() if isinstance(s.kind, Ranges)}
    for name, setting in ranges.items():
        yield from _ranges(draft, name, setting)
    for name, setting in settings(source).items():
        if name not in ranges:
            yield of_field(DATA, ("data", "source", name), setting)
    for name, setting in settings(draft.data).items():
        if isinstance(setting.kind, Instance):
            continue
        if isinstance(setting.kind, Optional):
            yield from _data_seed(draft, setting)
        else:
            if isinstance(setting.kind, Numbers):
                setting = replace(setting, kind=Numbers(source.classes, source.classes))
            yield of_field(DATA, ("data", name), setting, setting.matters(draft.data))


def _sources(source: Source) -> ClassName:
    """The sources that can be made from their defaults, and the one that there is."""
    kinds = {name: kind for name, kind in SOURCES.items() if kind.random or type(source) is kind}
    return ClassName(kinds)


def _with_source(draft: Draft, name: str) -> Draft:
    source, kind = draft.data.source, ClassName(SOURCES).kind(name)
    if type(source) is kind or not kind.random:
        return draft
    return draft.put(("data", "source"), of_class(kind, source))


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
        yield of_field(
            DATA, path, Setting(setting.kind.kind, setting.label, setting.help), name="data-seed"
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
                chooses=True,
            )
            for option, described in settings(draft.value(path)).items():
                if isinstance(described.kind, Optional):
                    yield from _part(draft, (*path, option), described)
                else:
                    yield of_field(TRAINING, (*path, option), described)
        elif isinstance(setting.kind, Instances):
            for kind in setting.kind.classes.values():
                yield from _callback(draft, path, kind)
        else:
            yield of_field(TRAINING, path, setting, setting.matters(training))


def _callback(draft: Draft, path: Path, kind: type[KerasEntry]) -> Iterator[Control]:
    """Whether there is one of this class among the instances at a path, and its fields."""

    def index(draft: Draft) -> int | None:
        found = [n for n, each in enumerate(draft.value(path)) if type(each) is kind]
        return found[0] if found else None

    def switched(draft: Draft, on: bool) -> Draft:
        others = tuple(each for each in draft.value(path) if type(each) is not kind)
        if on == (index(draft) is not None):
            return draft
        # In the order of the registry, whichever was switched on first.
        order = list(CALLBACKS.values())
        some = (*others, kind()) if on else others
        return draft.put(path, tuple(sorted(some, key=lambda each: order.index(type(each)))))

    name = kind.__name__.lower()
    yield Control(
        name,
        TRAINING,
        Setting(Bool(), kind.label, kind.help),
        lambda draft: index(draft) is not None,
        switched,
        chooses=True,
    )
    place = index(draft)
    if place is not None:
        for field, described in settings(kind).items():
            label = f"{kind.label}: {described.label.lower()}"
            described = replace(described, label=label)
            yield of_field(TRAINING, (*path, place, field), described, name=f"{name}-{field}")


def _part(draft: Draft, path: Path, setting: Setting) -> Iterator[Control]:
    """Which class a part of the optimizer is of, if any, and its fields."""
    kind = ClassName(setting.kind.kind.classes, none="None")
    name, part = str(path[-1]), draft.value(path)
    yield Control(
        name,
        TRAINING,
        replace(setting, kind=kind),
        lambda draft: kind.name_of(draft.value(path)),
        lambda draft, chosen: draft.put(path, kind.made(chosen, draft.value(path))),
        chooses=True,
    )
    for field, described in settings(part).items() if part is not None else ():
        label = f"{setting.label}: {described.label.lower()}"
        described = replace(described, label=label, advanced=setting.advanced)
        matters = described.matters(part)
        yield of_field(TRAINING, (*path, field), described, matters, f"{name}-{field}")


@dataclass(frozen=True, eq=False)
class ClassName(Choice):
    """One of the classes in a registry, by its name in lower case.

    Attributes:
        none: The label of having none, where that is allowed.
    """

    entries: Mapping[str, type[KerasEntry]] | Mapping[str, type[Source]]
    none: str = ""

    @property
    def options(self) -> tuple[str, ...]:
        return ("none",) * bool(self.none) + tuple(name.lower() for name in self.entries)

    def label(self, option: str) -> str:
        return self.none if option == "none" else self.kind(option).label

    def kind(self, option: str) -> type:
        return {name.lower(): kind for name, kind in self.entries.items()}[option]

    def name_of(self, value: KerasEntry | None) -> str:
        """The option of an instance."""
        return "none" if value is None else type(value).__name__.lower()

    def made(self, option: str, current: KerasEntry | None) -> KerasEntry | None:
        """An instance of the class of an option: the current one, if it is of that class."""
        if option == self.name_of(current):
            return current
        return None if option == "none" else self.kind(option)()

    def parse(self, text: str) -> str:
        if text not in self.options:
            raise ValueError(text)
        return text


def chosen_in_words(kind: Any, value: Any) -> str:
    """A value of a kind in words: a class by its label, a share in percent, as controls do."""
    if isinstance(kind, Float) and kind.format == PERCENT:
        return f"{100 * value:.4g}%"
    return kind.label(value) if isinstance(kind, ClassName) else in_words(value)


def _with_optimizer(draft: Draft, name: str) -> Draft:
    """Another optimizer, at the same rate and with what is set of the options that all have."""
    optimizer, kind = draft.training.optimizer, ClassName(OPTIMIZERS).kind(name)
    if type(optimizer) is kind:
        return draft
    shared = {field: getattr(optimizer, field) for field in settings(Optimizer)}
    defaults = optimizer.defaults()
    kept = {f: v for f, v in shared.items() if f == "learning_rate" or v != defaults[f]}
    return draft.put(("training", "optimizer"), kind(**kept))


# --- runs and views -----------------------------------------------------------------------------


@dataclass(frozen=True)
class View:
    """A setting that is not part of the experiment."""

    label: str
    kind: Choice | Bool | Int | Float
    default: Any
    help: str

    def of(self, task: Task) -> View:
        """The same in the words of a task."""
        words, kind = {"score": task.score_name}, self.kind
        if isinstance(kind, Float) and kind.format == PERCENT and not task.share:
            kind = replace(kind, format="%.2f")
        label, explained = self.label.format(**words), self.help.format(**words)
        return replace(self, label=label, kind=kind, help=explained)


OF_RUNS = {
    "runs": View(
        "Runs",
        Choice(("1", "16", "32", "64", "128", "256", "512")),
        str(DEFAULT_RUNS),
        "How many times the network is trained, each time with a different seed.",
    ),
    "seed": View("Seed", Int(0, 999_999), 0, "A different seed gives different runs."),
    "target": View(
        "Target {score}",
        Float(0.5, 1, 0.01, format=PERCENT),
        TARGET,
        "A run succeeds if its final {score} is at least this; otherwise it fails.",
    ),
}
"""The number and seed of the runs and the target, by name; "{score}" stands for the task's."""
TABS = (
    "Why",
    "Curves",
    "Layers",
    "Network",
    "Where it learns",
    "Trainings",
    "model.fit",
    "Export",
)
"""The labels of the tabs below the answer; `pages.elements.tabs` has their content."""
PAGE = "page"
"""The whole page, among the values of the view "show"."""
VIEWS = {
    "show": View(
        "Shown",
        Choice((PAGE, "curves", "loss", "scores", "rate", "layers", "network", "outputs")),
        PAGE,
        "The page, or one chart alone; `pages.elements.alone` draws it.",
    ),
    "tab": View("Tab", Choice(TABS), TABS[0], "The evidence below the answer."),
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
        "After each epoch: evaluated on all training rows, like the final figures. As model.fit "
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
        RunChoice(("best", "median", "worst", "stuck")),
        "worst",
        "By final score; 'stuck' is the first run that is stuck. A click on a curve chooses its "
        "run.",
    ),
}
"""The parts of the results that a page shows, by name."""
