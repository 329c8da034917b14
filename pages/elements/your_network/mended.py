"""The smallest change that helps, as a diff of the person's own text; and a pasted log's curves."""

from __future__ import annotations

import streamlit as st

from core.experiment import Experiment
from core.history import History
from core.jobs.reading import NotRead
from core.script import CannotPatch, unified
from core.script.logs import alike, as_frame
from core.script.result import Reading
from pages.elements import charts, diff, own
from pages.elements.download import download
from pages.elements.reader import reader
from pages.elements.your_network import paste

KEY = "own-diff"
YOURS = "your log"
_PATCH = "own.patched"


def draw(
    reading: Reading, before: Experiment, after: Experiment, why: str, *, applied: bool
) -> None:
    """Draw the difference that turns the script of one experiment into the other's.

    Args:
        reading: Of the script.
        before: As it was read.
        after: With the change.
        why: What is known of the change.
        applied: Whether the page's settings have the change, which then may be no fix.
    """
    with st.container(border=True, gap="small", key=KEY):
        st.header(f"The {'change' if applied else 'fix'} on your own lines")
        st.markdown(why)
        text = _patched(before, after)
        if isinstance(text, str):
            changed = unified(reading.text, text)
            diff.draw(changed)
            with st.container(horizontal=True):
                download(
                    "Patch", changed, "fix.patch", "text/x-diff", "For `git apply` or `patch`."
                )
                download(
                    "Patched script", text, "script.py", "text/x-python", "Your text, changed."
                )
            if reading.text != reading.source:
                st.caption("The script was tidied up before it was read; the lines are those.")
        else:
            there = (
                "The tab *Export* has the whole script with it."
                if applied
                else "Press *Apply this change and train*: the tab *Export* then has the whole "
                "script with it."
            )
            reason = str(text).rstrip(".")
            st.caption(f"It cannot be written into your text: {reason}. {there}")


def _patched(before: Experiment, after: Experiment) -> str | Exception:
    """The patched text, kept for the session; or why there is none."""
    now = paste.current()
    key = now, before.digest, after.digest
    kept = st.session_state.get(_PATCH)
    if kept is None or kept[0] != key:
        try:
            made: str | Exception = reader().patch(now.text, before, after, now.table, now.answers)
        except (CannotPatch, NotRead) as error:
            made = error
        kept = st.session_state[_PATCH] = key, made
    return kept[1]


def log(history: History) -> None:
    """Draw the curves of a pasted log over those of the runs."""
    curves = paste.curves()
    if curves is None:
        return
    like = alike(curves, history)
    if like is None:
        return
    with st.container(border=True, gap="small"):
        st.markdown(
            f"**Your curve looks like {int(like.sum())} of {history.runs} runs**",
            help="Its figures differ from theirs by less than 0.05 on average.",
        )
        task, pasted = history.experiment.task, as_frame(curves, history)
        measures = [name for name in ("score", "loss") if pasted[name].notna().any()]
        for column, measure in zip(st.columns(len(measures)), measures, strict=True):
            with column:
                charts.show(
                    charts.overlay(
                        history.curves(),
                        pasted,
                        measure,
                        epochs=history.experiment.training.epochs,
                        task=task,
                        single=YOURS,
                    ),
                    key=f"{own.KEY}.log.{measure}",
                    alt=f"{charts.name_of(measure, task)} of every run, and of your log.",
                )
