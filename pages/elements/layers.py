"""The controls of a network's layers: settings, and buttons to add, remove and move layers."""

from __future__ import annotations

import streamlit as st

from core.experiment import MOST_LAYERS
from core.layers import LAYERS, Dense, Layer
from pages.elements import state, widgets

ADDED = 8
"""Units of a new dense layer."""


def draw(problem: str) -> None:
    """Draw every layer with its settings and buttons."""
    *hidden, output = state.draft(problem).model.layers
    for index, layer in enumerate(hidden):
        with st.container(border=True):
            _heading(problem, index, layer, len(hidden))
            _settings(problem, f"layer{index + 1}")
    with st.container(border=True):
        st.markdown(f"**Output layer: {output.label.lower()}**")
        _settings(problem, "output")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown("Add a layer:", width="content")
        for name, kind in LAYERS.items():
            st.button(
                kind.label,
                key=f"{problem}-add-{name.lower()}",
                icon=":material/add:",
                disabled=len(hidden) + 1 >= MOST_LAYERS,
                on_click=_add,
                args=(problem, name),
                help=f"{kind.help} Inserted before the output layer.",
            )


def _heading(problem: str, index: int, layer: Layer, count: int) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**Layer {index + 1}: {layer.label.lower()}**", width="stretch")
        moves = (("up", "arrow_upward", index - 1), ("down", "arrow_downward", index + 1))
        for word, icon, to in moves:
            st.button(
                f"Move layer {index + 1} {word}",
                key=f"{problem}-layer{index + 1}-{word}",
                icon=f":material/{icon}:",
                type="tertiary",
                disabled=not 0 <= to < count,
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


def _settings(problem: str, prefix: str) -> None:
    """The controls of one layer, side by side."""
    every = state.controls(problem).values()
    controls = [each for each in every if each.name.startswith(f"{prefix}-")]
    for column, each in zip(st.columns(max(len(controls), 1)), controls, strict=False):
        with column:
            widgets.draw(each.setting, **state.control(problem, each.name))


def _hidden(problem: str) -> list[Layer]:
    """The hidden layers, with what was set by the same event."""
    state.take_over(problem)
    return list(state.draft(problem).model.layers[:-1])


def _add(problem: str, name: str) -> None:
    """Callback: add a layer before the output layer, with the settings of the last of its kind."""
    hidden, kind = _hidden(problem), LAYERS[name]
    same_kind = [layer for layer in hidden if type(layer) is kind]
    state.put(problem, layers=(*hidden, same_kind[-1] if same_kind else _new(kind)))


def _new(kind: type[Layer]) -> Layer:
    return Dense(ADDED, "relu") if kind is Dense else kind()


def _move(problem: str, index: int, to: int) -> None:
    """Callback: move a layer to another index."""
    hidden = _hidden(problem)
    # A click can be on its way while there are fewer layers already.
    if max(index, to) < len(hidden):
        hidden.insert(to, hidden.pop(index))
        state.put(problem, layers=tuple(hidden))


def _remove(problem: str, index: int) -> None:
    """Callback: remove a layer."""
    hidden = _hidden(problem)
    if index < len(hidden):
        del hidden[index]
        state.put(problem, layers=tuple(hidden))
