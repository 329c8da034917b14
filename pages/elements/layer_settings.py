"""The rows of the table of settings that concern the layers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from core.draft import Draft, Path
from core.entries import EntryOf
from core.experiment import Model
from core.fields import Choice, Setting, settings
from core.layers import Layer
from pages.elements.row import NETWORK, Control, of_field
from pages.elements.words import Layers


@dataclass(frozen=True)
class LayerList:
    """The layers before or after the last dense one.

    Attributes:
        name: Of the parameter that holds all of them.
        prefix: Of the parameters of a single one, before its number.
        label: Of the parameter.
        after: Whether they come after the last dense layer.
    """

    name: str
    prefix: str
    label: str
    after: bool

    def of(self, draft: Draft) -> tuple[Layer, ...]:
        """The layers."""
        return draft.model.after if self.after else draft.model.before

    def put(self, draft: Draft, layers: tuple[Layer, ...]) -> Draft:
        """The draft with other layers."""
        model = draft.model
        before, after = (model.before, layers) if self.after else (layers, model.after)
        return draft._replace(model=Model((*before, model.output, *after)))

    def kinds(self, draft: Draft) -> list[type]:
        """The classes of the layers."""
        return [type(layer) for layer in self.of(draft)]


LISTS = (
    LayerList("layers", "layer", "Hidden layers", after=False),
    LayerList("after", "after", "Layers after the output", after=True),
)


def network(draft: Draft) -> Iterator[Control]:
    """The rows of all layers."""
    model = draft.model
    for each in LISTS:
        yield Control(each.name, NETWORK, Setting(Layers(), each.label), each.of, each.put)
    for each in LISTS:
        start = model.output_index + 1 if each.after else 0
        for number, layer in enumerate(each.of(draft)):
            path: Path = ("model", "layers", start + number)
            title = f"Layer {start + number + 1}"
            yield from _layer(layer, path, f"{each.prefix}{number + 1}", title)
    path = ("model", "layers", model.output_index)
    yield from _layer(model.output, path, "output", "Output layer")


def _layer(layer: Layer, path: Path, prefix: str, title: str) -> Iterator[Control]:
    for name, setting in settings(layer).items():
        described = replace(setting, label=f"{title}: {setting.label.lower()}")
        parameter = f"{prefix}-{name.replace('_', '-')}"
        matters = setting.matters(layer)
        if isinstance(setting.kind, EntryOf):
            yield from _entry(setting.kind, layer, (*path, name), described, parameter, matters)
        else:
            yield of_field(NETWORK, (*path, name), described, matters, parameter)


def _entry(
    kind: EntryOf, layer: Layer, path: Path, setting: Setting, parameter: str, matters: bool
) -> Iterator[Control]:
    """An entry by its name, then its arguments."""

    def named(draft: Draft, name: str) -> Draft:
        if kind.name(draft.value(path)) == name:
            return draft
        return draft.put(path, None if name == "none" else name)

    yield Control(
        parameter,
        NETWORK,
        replace(setting, kind=Choice(kind.options)),
        lambda draft: kind.name(draft.value(path)),
        named,
        matters,
    )
    instance = kind.instance(getattr(layer, str(path[-1])))
    for option, described in settings(instance).items() if instance else ():

        def written(draft: Draft, value: Any, option: str = option) -> Draft:
            own = kind.instance(draft.value(path))
            return draft.put(path, replace(own, **{option: value}))

        yield Control(
            f"{parameter}-{option}",
            NETWORK,
            replace(described, label=f"{setting.label}, {described.label.lower()}"),
            lambda draft, option=option: getattr(kind.instance(draft.value(path)), option),
            written,
            matters,
        )
