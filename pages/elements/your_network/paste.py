"""What a session has pasted or uploaded, and its reading.

All of it stays in the session. A link carries the script and the answers where they are short.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import streamlit as st

from core.experiment import Experiment, InvalidExperiment
from core.jobs.reading import NotRead
from core.script import CannotPatch, logs
from core.script.logs import Curves
from core.script.result import Question, Reading
from core.script.tables import Facts, Uploaded, identifiers
from pages.elements import own, query_params, state
from pages.elements.reader import reader

SCRIPT, ANSWERS, STAYED, NETWORK = own.PARAMETERS
"""The parameters of a link: the script, the answers, that a table stayed behind, an experiment."""
MOST_TEXT = 200_000
"""Characters of a script; more is no script for a question."""
SAVED, ROWS, TEXTS, NOTEBOOK = (".keras",), (".npz", ".csv"), (".py", ".txt"), (".ipynb",)
_ASKED, _FACTS, _PROPOSED = "own.asked", "own.facts", "own.proposed"
_MENDED = "own.mended"


@dataclass(frozen=True)
class Paste:
    """What was pasted or uploaded.

    Attributes:
        text: The script; "" for a saved network or none.
        answers: To the questions of its reading, by key.
        table: The uploaded rows.
        saved: The content of a file that Keras saved.
        log: The output of a training, pasted apart from the script.
    """

    text: str = ""
    answers: Mapping[str, Any] = field(default_factory=dict)
    table: Uploaded | None = None
    saved: bytes | None = field(default=None, repr=False)
    log: str = ""

    @property
    def empty(self) -> bool:
        """Whether there is nothing to read."""
        return not self.text.strip() and self.saved is None


def current() -> Paste:
    """What the session has."""
    return st.session_state.get(own.PASTE) or Paste()


def put(paste: Paste) -> None:
    """Replace what the session has; it is read when its page is drawn."""
    if not (paste.saved is current().saved and _edited(current().text, paste.text)):
        st.session_state.pop(_ASKED, None)
    st.session_state[own.PASTE] = paste


def put_text(text: str) -> None:
    """Replace the script; keep the table, and the answers where it is an edit of the one before."""
    now = current()
    answers = now.answers if _edited(now.text, text) else {}
    put(Paste(text[:MOST_TEXT], answers, now.table, log=now.log))


def put_log(text: str) -> None:
    """Replace the output of a training that is compared with the runs."""
    put(replace(current(), log=text[:MOST_TEXT]))


def curves() -> Curves | None:
    """The curves of a training that the person has done: pasted apart, or with the script."""
    if current().log:
        return logs.curves(current().log)
    kept = st.session_state.get(own.READ)
    return None if kept is None or kept[1] is None else kept[1].log


def _edited(before: str, after: str) -> bool:
    """Whether a script is another with some of its lines changed."""
    old, new = set(before.splitlines()), set(after.splitlines())
    return 2 * len(old & new) >= max(len(old), len(new))


def put_file(name: str, content: bytes) -> str:
    """Take an uploaded file: a script, a saved network, rows, or an experiment of the export.

    Returns:
        Why it was not taken; "" if it was.
    """
    lower = name.lower()
    if lower.endswith(NOTEBOOK):
        try:
            code, printed = reader().unpack(content)
        except NotRead as error:
            return str(error)
        put_text(code)
        put_log(printed)
    elif lower.endswith(TEXTS):
        put_text(content.decode("utf-8", "replace"))
    elif lower.endswith(SAVED):
        put(Paste(table=current().table, saved=content, log=current().log))
    elif lower.endswith(ROWS):
        table = Uploaded(name, content)
        try:
            known = reader().describe(table)
        except NotRead as error:
            return str(error)
        table = replace(table, left_out=identifiers(known))
        put(replace(current(), table=table, answers={}))
    else:
        try:
            shown = Experiment.from_json(content.decode("utf-8", "replace"))
        except InvalidExperiment as error:
            return f"It is no experiment: {error}"
        state.open_experiment(shown, "From an uploaded experiment.")
    return ""


def facts() -> Facts | None:
    """What is in the uploaded table; None without one."""
    table = current().table
    if table is None:
        return None
    kept = st.session_state.get(_FACTS)
    if kept is None or kept[0] != table:
        try:
            kept = table, reader().describe(table)
        except NotRead:  # the reading says why
            return None
        st.session_state[_FACTS] = kept
    return kept[1]


def enter() -> list[str] | None:
    """Take over what the URL has, on the first visit and after Back or Forward.

    Returns:
        A message for each parameter that was refused; None if the URL was not taken over.
    """
    if own.PASTE in st.session_state and not query_params.followed_history():
        return None
    link, _ = query_params.read()
    refused: list[str] = []
    text = _of_link(link, SCRIPT, str, refused)
    answers = _of_link(link, ANSWERS, json.loads, refused)
    known = answers if isinstance(answers, dict) else {}
    st.session_state.setdefault(own.PASTE, None)
    if text and (text, known) != (current().text, current().answers):
        put(Paste(text[:MOST_TEXT], known, current().table))
        if STAYED in link:
            refused.append(
                "This link was made with an uploaded table, which it does not carry: upload it "
                "again."
            )
    experiment = _of_link(link, NETWORK, Experiment.from_json, refused)
    if experiment is not None and not text:
        state.open_experiment(experiment, "From a link.")
    return refused


def _of_link(link: Mapping[str, str], name: str, parse: Any, refused: list[str]) -> Any:
    if name not in link:
        return None
    try:
        return parse(own.unpacked(link[name]))
    except (ValueError, RecursionError):  # an InvalidExperiment is a ValueError
        refused.append(f"`{name}` in the link cannot be read.")
        return None


def read() -> tuple[Reading | None, str]:
    """The reading of what the session has, and why there is none.

    A new one makes its experiment the session's own network.
    """
    paste = current()
    if paste.empty:
        return None, ""
    kept = st.session_state.get(own.READ)
    if kept is None or replace(kept[0], log=paste.log) != paste or own.held() is None:
        kept = paste, *_reading(paste)
        st.session_state[own.READ] = kept
        reading = kept[1]
        if reading is not None:
            asked = st.session_state.setdefault(_ASKED, {})
            asked.update({question.key: question for question in reading.questions})
            if reading.experiment is not None:
                link, left = parameters()
                state.open_experiment(reading.experiment, link=link, left_behind=left)
    return kept[1], kept[2]


def mended() -> str:
    """The script with the edit after which Keras takes it; "" where none is known."""
    paste = current()
    kept = st.session_state.get(_MENDED)
    if kept is None or kept[0] != paste:
        try:
            text = reader().mend(paste.text, paste.table, paste.answers)
        except (CannotPatch, NotRead):
            text = ""
        kept = st.session_state[_MENDED] = paste, text
    made: str = kept[1]
    return made


def with_proposed(reading: Reading | None) -> Reading | None:
    """A reading with the proposed answers to all that is open, if they complete it."""
    paste = current()
    if reading is None or not reading.questions:
        return None
    kept = st.session_state.get(_PROPOSED)
    if kept is None or kept[0] != paste:
        answers = {**reading.defaults, **paste.answers}
        kept = paste, _reading(replace(paste, answers=answers))[0]
        st.session_state[_PROPOSED] = kept
    likely: Reading | None = kept[1]
    return likely if likely is not None and likely.experiment is not None else None


def _reading(paste: Paste) -> tuple[Reading | None, str]:
    try:
        return reader().read(paste.text, paste.table, paste.answers, paste.saved), ""
    except NotRead as error:
        return None, str(error)


def asked() -> dict[str, Question]:
    """The questions that were asked about this script, by key, answered or not."""
    return st.session_state.get(_ASKED, {})


def parameters() -> tuple[dict[str, str], str]:
    """The parameters of a link, and what they leave out."""
    paste = current()
    if paste.saved is not None:
        return {}, "the uploaded network and its rows"
    left = [] if paste.table is None else ["the uploaded table"]
    script = own.packed(paste.text) if paste.text else None
    if script is None:
        return {}, " and ".join(["the script, which is too long for it", *left])
    link = {SCRIPT: script}
    if paste.answers:
        link[ANSWERS] = own.packed(json.dumps(dict(paste.answers))) or ""
    if paste.table is not None:
        link[STAYED] = "table"
    return link, " and ".join(left)
