"""What was understood of a script: the network, the data, the questions, and every line."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd
import streamlit as st

from core.experiment import Experiment
from core.script import unified
from core.script.described import known_in_words, rows_in_words
from core.script.lines import IGNORED, UNKNOWN, USED
from core.script.result import Question, Reading
from core.script.tables import DROP, FILL, Facts
from pages.elements import charts, controls, diff, figures
from pages.elements.rendering import KEPT
from pages.elements.your_network import paste

SIGNS = {USED: " ", IGNORED: "·", UNKNOWN: "?"}
KINDS = {"refused": ":material/block:", "untrainable": ":material/block:"}
ORDER = ("refused", "untrainable", "remark", "data", "normalised")
"""The kinds of notes, the gravest first."""
MOST_NOTES = 12
MOST_WHY = 8
LONG = 300
"""Characters of a line that are shown."""


def _digest(experiment: Experiment) -> str:
    return experiment.digest


def draw(reading: Reading) -> None:
    """Draw what was understood, and the controls for what was not."""
    with st.container(border=True, gap="small"):
        st.markdown("**What was understood**")
        if reading.experiment is not None:
            st.markdown(controls.describe(reading.experiment))
        elif reading.outline:
            # It quotes the script, which is no Markdown.
            st.text("\n".join(known_in_words(reading)))
        if reading.stand_in:
            st.badge("Stand-in data", icon=":material/science:", color="orange")
            st.caption(
                f"{reading.stand_in[0].upper()}{reading.stand_in[1:]}, in place of the script's "
                "own rows: what follows is about these."
            )
        if reading.experiment is not None:
            st.caption(f"{rows_in_words(reading.experiment.data)}.")
        _notes(reading)
        if reading.remedy:
            _remedy(reading)
        if (known := paste.facts()) is not None:
            _table(known)
        if paste.asked():
            _questions(reading)
        if reading.experiment is not None:
            with st.expander("The network before training"):
                _drawn(reading.experiment)
        if reading.source or any(not layer.trainable for layer in reading.outline):
            with st.expander(_counted(reading)):
                _lines(reading)


@st.cache_data(show_spinner=False, max_entries=KEPT, hash_funcs={Experiment: _digest})
def _drawn(experiment: Experiment) -> None:
    charts.show(*figures.before_training(experiment))


def _notes(reading: Reading) -> None:
    first = sorted(reading.notes, key=lambda note: ORDER.index(note.kind))
    for note in first[:MOST_NOTES]:
        icon = KINDS.get(note.kind, ":material/info:")
        where = f"Line {note.line}: " if note.line else ""
        st.markdown(f"{icon} {where}{_plain(note.text)}")


def _remedy(reading: Reading) -> None:
    """Draw the edit after which Keras takes the script, and a button that makes it."""
    text = paste.mended()
    if not text:
        return
    with st.container(border=True, gap="small", key="own-remedy"):
        st.markdown("**What Keras takes**")
        diff.draw(unified(reading.text, text))
        st.button(
            "Use it",
            key="own-use",
            icon=":material/check:",
            on_click=paste.put_text,
            args=(text,),
            help="Puts the changed script into the box; then it can be trained.",
        )


# --- questions ----------------------------------------------------------------------------------


def _questions(reading: Reading) -> None:
    """Draw a form with a control for each question, answered or not."""
    open_now = {question.key for question in reading.questions}
    with st.form("own.questions", border=False):
        st.markdown("**Questions**" if open_now else "**Your answers**")
        columns = st.columns(2)
        for number, (key, question) in enumerate(paste.asked().items()):
            with columns[number % 2]:
                _question(question, paste.current().answers.get(key, question.default))
        st.form_submit_button(
            "Use these answers",
            key="own-use-answers",
            type="primary" if open_now else "secondary",
            icon=":material/check:",
            on_click=_answer,
        )


def _widget(question: Question) -> str:
    return f"own.answer.{question.key}"


def _question(question: Question, value: Any) -> None:
    key = _widget(question)
    where = f"Line {question.line}. " if question.line else ""
    label, *more = question.text.split("? ", 1)
    common = {"label": _plain(f"{label}?" if more else question.text), "key": key}
    common["help"] = _plain(f"{where}{' '.join(more)}") or None
    if question.choices:
        options = list(question.choices)
        st.selectbox(
            options=options, index=options.index(value) if value in options else 0, **common
        )
    elif isinstance(value, bool):
        st.toggle(value=value, **common)
    elif isinstance(value, int):
        st.number_input(value=value, step=1, **common)
    elif isinstance(value, float):
        st.number_input(value=value, format="%g", **common)
    else:
        st.text_input(value="" if value is None else str(value), **common)


def _plain(text: str) -> str:
    """A text of a script as Markdown that shows it as it is."""
    return "".join(f"\\{c}" if c in "\\`*_{}[]()#+!|<>~$:" else c for c in text)


def _answer() -> None:
    """Callback: read the script again with what the form says."""
    sent = {key: st.session_state.get(_widget(each)) for key, each in paste.asked().items()}
    now = paste.current()
    answers = {key: value for key, value in sent.items() if value not in (None, "")}
    paste.put(replace(now, answers=answers))


# --- table --------------------------------------------------------------------------------------


def _table(known: Facts) -> None:
    """Draw what is in the uploaded table, and what becomes of it."""
    table = paste.current().table
    st.markdown(f"**{_plain(table.name)}**: {known.rows:,} rows, {len(known.columns)} columns")
    if known.sampled:
        st.caption(f"Too long to train on at once: {known.sampled:,} rows are left out at random.")
    remarks = [column for column in known.columns if column.remark]
    for column in remarks:
        st.text(f"{column.name}: {column.remark}")
    if not known.label:
        return
    names = [column.name for column in known.columns]
    left, right = st.columns(2)
    with left:
        st.multiselect(
            "Columns to leave out",
            [name for name in names if name != known.label],
            default=[name for name in table.left_out if name in names and name != known.label],
            key="own.left-out",
            on_change=_change_table,
            help="Identifiers are proposed. A script that picks columns by number counts those "
            "that are left.",
        )
    with right:
        if known.missing:
            st.segmented_control(
                f"{known.missing:,} missing values",
                (DROP, FILL),
                format_func={DROP: "Leave out the rows", FILL: "Fill"}.get,
                default=table.missing,
                required=True,
                key="own.missing",
                on_change=_change_table,
                help="Fill: the median of a number, the most frequent text.",
            )
    with st.expander("Columns"):
        frame = pd.DataFrame([vars(column) for column in known.columns])
        st.dataframe(frame, hide_index=True, width="stretch")


def _change_table() -> None:
    """Callback: read the table again with the choices."""
    now = paste.current()
    left_out = tuple(st.session_state.get("own.left-out", now.table.left_out))
    missing = st.session_state.get("own.missing") or now.table.missing
    paste.put(replace(now, table=replace(now.table, left_out=left_out, missing=missing)))


# --- lines --------------------------------------------------------------------------------------


def _counted(reading: Reading) -> str:
    """How many lines are used, ignored and not understood."""
    states = [line.state for line in reading.lines if line.text.strip()]
    if not states:
        return "The layers"
    counts = {name: states.count(name) for name in SIGNS if name in states}
    return f"Line by line: {', '.join(f'{count} {name}' for name, count in counts.items())}"


def _lines(reading: Reading) -> None:
    """Draw every line with its number and what became of it, and why some were not used."""
    if reading.source:
        width = len(str(reading.lines[-1].number))
        text = "\n".join(
            f"{SIGNS[line.state]} {line.number:{width}} {line.text[:LONG]}"
            for line in reading.lines
        )
        st.code(text, language="python", wrap_lines=True)
        st.caption("`·` ignored, `?` not understood.")
        for line in [each for each in reading.lines if each.state == UNKNOWN and each.why][
            :MOST_WHY
        ]:
            st.text(f"Line {line.number}: {line.why}")
    for layer in reading.outline:
        if not layer.trainable:
            where = f"Line {layer.line}: " if reading.source else ""
            st.text(f"{where}{layer.text} is not trained here: {layer.why}")
