"""What became of every line of a paste."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from core.script.execute import Interpreter
from core.script.executed import Executed
from core.script.normalise import Normalised
from core.script.repair import NOT_PYTHON

USED, IGNORED, UNKNOWN = "used", "ignored", "not understood"


@dataclass(frozen=True)
class ReadLine:
    """A line of a paste.

    Attributes:
        number: From 1.
        text: As pasted.
        state: "used", "ignored" or "not understood".
        why: Why it is not understood, or ignored.
    """

    number: int
    text: str
    state: str
    why: str = ""


def marked(normal: Normalised, script: Interpreter) -> tuple[ReadLine, ...]:
    """The lines of a paste; of a notebook, those of its code."""
    states = _states(normal, script)
    made = []
    for number, text in enumerate(normal.pasted, 1):
        state, why = states.get(number, (IGNORED, ""))
        made.append(ReadLine(number, text, state, why))
    return tuple(made)


def _states(normal: Normalised, script: Interpreter) -> dict[int, tuple[str, str]]:
    states: dict[int, tuple[str, str]] = {}
    needed = _needed(list(script.executed.values()))
    used_functions = {record.node.lineno for record in needed}
    for line, record in sorted(script.executed.items()):
        if line not in used_functions:
            continue
        state = (USED, "")
        if record.unknown is not None and not record.essential:
            state = (UNKNOWN, record.unknown.reason)
        for place in _own_lines(record.node):
            states[normal.number(place)] = state
    for pasted in normal.lines:
        if pasted.dropped == NOT_PYTHON:
            states[pasted.number] = (UNKNOWN, NOT_PYTHON)
        elif pasted.dropped:
            states[pasted.number] = (IGNORED, pasted.dropped)
    return states


def _own_lines(node: ast.stmt) -> range:
    """The lines of a statement, without those of the statements in it."""
    body = getattr(node, "body", None)
    end = node.end_lineno or node.lineno
    if body:
        end = max(body[0].lineno - 1, node.lineno)
    return range(node.lineno, end + 1)


def _needed(executed: list[Executed]) -> list[Executed]:
    """The statements that the model, its training or its rows depend on."""
    chosen = [record for record in executed if record.essential]
    names: set[str] = set()
    for record in chosen:
        names |= record.reads
    rest = [record for record in executed if not record.essential]
    while True:
        around = {id(each) for record in chosen for each in record.inside}
        more = [record for record in rest if record.writes & names or id(record) in around]
        if not more:
            return chosen
        chosen += more
        for record in more:
            names |= record.reads
        taken = {id(record) for record in more}
        rest = [record for record in rest if id(record) not in taken]
