"""The controls of a network's layers: settings, and buttons to add, remove and move layers."""

from __future__ import annotations

import streamlit as st

from core.fields import settings
from core.layers import LAYERS, Dense, Layer
from core.model import MOST_LAYERS, Model
from pages.elements import control_rows, state, widgets

ADDED = 8
"""Units of a new dense layer."""
FIRST = ("Dense", "Dropout", "Activation", "BatchNormalisation")
"""The layers that are listed first."""


def draw(problem: str) -> None:
    """Draw every layer with its settings and buttons, and the list of layers to add."""
    model = state.draft(problem).model
    for index, layer in enumerate(model.layers):
        with st.container(border=True):
            if index == model.output_index:
                st.markdown(f"**Output layer: {layer.label.lower()}**")
                _settings(problem, layer, "output")
            else:
                _heading(problem, index, layer)
                after = index - model.output_index
                _settings(problem, layer, f"after{after}" if after > 0 else f"layer{index + 1}")
    added = f"{problem}-add-layer"
    st.selectbox(
        "Add a layer",
        options=[*FIRST, *sorted(LAYERS.keys() - set(FIRST))],
        index=None,
        format_func=lambda name: f"{LAYERS[name].label}: {_lower(LAYERS[name].help)}",
        placeholder="Choose a kind, which is inserted before the output layer",
        key=added,
        help="The new layer has Keras's defaults; its settings are then above.",
        disabled=len(model.layers) >= MOST_LAYERS,
        on_change=_add,
        args=(problem, added),
    )


def _lower(sentence: str) -> str:
    start = sentence[0] if sentence[1].isupper() else sentence[0].lower()
    return start + sentence[1:].rstrip(".")


def _heading(problem: str, index: int, layer: Layer) -> None:
    model = state.draft(problem).model
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**Layer {index + 1}: {layer.label.lower()}**", width="stretch")
        moves = (("up", "arrow_upward", index - 1), ("down", "arrow_downward", index + 1))
        for word, icon, to in moves:
            st.button(
                f"Move layer {index + 1} {word}",
                key=f"{problem}-layer{index + 1}-{word}",
                icon=f":material/{icon}:",
                type="tertiary",
                # Past the output layer, a dense one would be the output.
                disabled=not 0 <= to < len(model.layers)
                or (to == model.output_index and isinstance(layer, Dense)),
                on_click=_move,
                args=(problem, index, to),
            )
        st.button(
            f"Remove layer {index + 1}",
            key=f"{problem}-layer{index + 1}-remove",
            icon=":material/delete:",
            type="tertiary",
            on_click=_remove,
            args=(problem, index),
        )


def _settings(problem: str, layer: Layer, prefix: str) -> None:
    """The controls of one layer: the frequent ones side by side, the others in an expander."""
    every = state.controls(problem).values()
    controls = [each for each in every if each.name.startswith(f"{prefix}-") and each.matters]
    frequent = {
        f"{prefix}-{name}".replace("_", "-")
        for name, setting in settings(layer).items()
        if not setting.advanced
    }
    shown = [each for each in controls if each.name in frequent]
    for column, each in zip(st.columns(max(len(shown), 1)), shown, strict=False):
        with column:
            widgets.draw(each.setting, **state.control(problem, each.name))
    rest = [(each.name, each.setting) for each in controls if each.name not in frequent]
    control_rows.draw_more(problem, rest, f"{problem}-{prefix}-more")


def _layers(problem: str) -> list[Layer]:
    """The layers, with what was set by the same event."""
    state.take_over(problem)
    return list(state.draft(problem).model.layers)


def _put(problem: str, layers: list[Layer]) -> None:
    model = Model(tuple(layers))
    state.put(problem, layers=model.before, after=model.after)


def _add(problem: str, key: str) -> None:
    """Callback: add a layer before the output layer, with the settings of the last of its kind."""
    layers, name = _layers(problem), st.session_state[key]
    st.session_state[key] = None
    if name not in LAYERS:
        return
    kind, place = LAYERS[name], Model(tuple(layers)).output_index
    same_kind = [layer for layer in layers[:place] if type(layer) is kind]
    layers.insert(place, same_kind[-1] if same_kind else _new(kind))
    _put(problem, layers)


def _new(kind: type[Layer]) -> Layer:
    return Dense(ADDED, "relu") if kind is Dense else kind()


def _move(problem: str, index: int, to: int) -> None:
    """Callback: move a layer to another index."""
    layers = _layers(problem)
    # A click can be on its way while there are fewer layers already.
    output = Model(tuple(layers)).output_index
    if max(index, to) < len(layers) and index != output:
        layers.insert(to, layers.pop(index))
        _put(problem, layers)


def _remove(problem: str, index: int) -> None:
    """Callback: remove a layer."""
    layers = _layers(problem)
    if index < len(layers) and index != Model(tuple(layers)).output_index:
        del layers[index]
        _put(problem, layers)
