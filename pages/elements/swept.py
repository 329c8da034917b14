"""The result of a sweep, which was loaded from a file."""

from __future__ import annotations

import streamlit as st

from core.sweep import Result
from core.sweep.summary import lines
from pages.elements import charts, figures
from pages.elements.charts.bands import bands


def draw(result: Result) -> None:
    """Draw the rate with its interval, the quantiles of the curves, and the runs to look at."""
    task, epochs = result.experiment.task, result.experiment.training.epochs
    with st.container(border=True):
        label = f"Runs that end at {task.written(result.target)} or above"
        charts.show(
            figures.interval(result.rate, label),
            f"Runs that succeed, with the 95% interval: {result.rate}.",
        )
    table = result.frame()
    for column, measure in zip(st.columns(2), ("score", "loss"), strict=True):
        with column, st.container(border=True):
            target = result.target if measure == "score" else None
            name = charts.name_of(f"evaluated_{measure}", task)
            charts.show(
                bands(table, measure, epochs, target, task),
                f"{name}: median, half and nine tenths of {result.runs:,} runs.",
            )
    st.caption("Line: the median. Bands: half and nine tenths of the runs.")
    st.markdown("\n".join(f"- {line}" for line in lines(result)))
