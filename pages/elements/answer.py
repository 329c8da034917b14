"""The answer after a training, in one card: how many runs succeed, why, and what to change."""

from __future__ import annotations

import numpy as np
import streamlit as st

from core.data import baseline
from core.history import History
from core.rates import Rate
from pages.elements import change, charts, figures, picking, state, visitor
from pages.elements.headline import headline, others, outcomes_help
from pages.elements.rendering import concluded, once

HEIGHT = 150
"""The height of the chart in pixels: with the controls above it, the card fits a laptop."""
ICONS = {0.0: "block", 1.0: "check_circle"}
"""Of the rates that are certain to be told apart; any other depends on the seed."""


def draw(problem: str, history: History, current: bool) -> None:
    """Draw the card.

    Args:
        problem: Whose page.
        history: The last training.
        current: Whether it is of the current settings.
    """
    target = state.target(problem)
    rate = Rate.of(history.successes(target))
    with st.container(border=True, gap="xsmall", key=f"{problem}-answer"):
        st.header(f":material/{ICONS.get(rate.value, 'casino')}: {headline(history, target)}")
        words, picture = st.columns(2, gap="medium")
        with words, st.container(gap="xsmall"):
            _draw_rate(rate)
            _outcomes(history, target)
            _before(problem, history, target)
            if current:
                change.draw(problem, history.experiment, history)
            else:
                st.caption(
                    ":material/history: These results belong to earlier settings: train again."
                )
        with picture:
            part = figures.part_measured(history, state.view(problem, "part"))
            drawn = _curves(history, target, part, state.view(problem, "curves"))
            picking.show(problem, "answer", drawn)


def _outcomes(history: History, target: float) -> None:
    """Draw the outcomes of the runs that failed, and when a training ended early."""
    if failures := others(history, target):
        st.markdown(failures, help=outcomes_help(history.experiment.task))
    if history.cancelled:
        epochs = history.experiment.training.epochs
        st.caption(f":material/stop_circle: Stopped after {history.epochs} of {epochs} epochs.")
    if stopped := stopped_early(history):
        st.caption(f":material/timer_off: {stopped}")


def _before(problem: str, history: History, target: float) -> None:
    """Draw the rate of the training before this one, if that was another."""
    known = visitor.trainings(problem)
    here = next((n for n, each in enumerate(known) if each.history is history), 0)
    earlier = [each for each in known[:here] if each.request != known[here].request]
    rate = earlier[-1].rate(target) if earlier else None
    if rate is not None:
        st.caption(f":material/history: Before: {earlier[-1].name}, {rate} succeed.")


def stopped_early(history: History) -> str:
    """How many runs a callback stopped, and when; "" for none."""
    epochs = history.experiment.training.epochs
    early = history.ends < epochs
    if history.cancelled or not early.any():
        return ""
    when = np.median(history.ends[early])
    which = "Every run was" if early.all() else f"{early.sum()} of {history.runs} runs were"
    return f"{which} stopped early, half of them by epoch {when:.0f} of {epochs:,}."


@once
def _draw_rate(rate: Rate) -> None:
    charts.show(*figures.rate(rate))


@concluded
def _curves(history: History, target: float, part: str, when: str) -> figures.Picture:
    constant = baseline(history.experiment, history.seed, 0)
    return figures.score(history, part, when, target, constant, HEIGHT)
