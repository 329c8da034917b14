"""What is not Python in a text: the lines where it stops are closed or left out."""

from __future__ import annotations

import ast
import re
import warnings
from dataclasses import replace
from typing import TYPE_CHECKING

from core.script.budget import clock

if TYPE_CHECKING:
    from core.script.normalise import Normalised

MOST_REPAIRS = 200
"""Lines that are left out or closed before the text is given up."""
REPAIR_SECONDS = 0.4
"""For these repairs."""
DEEPEST = 80
"""Brackets inside one another; Python's own parser gives up at 200."""
MOST_BRACES = 5_000
"""On one line; Python takes a second for a text with many values in it."""
LONGEST_CHAIN = 200
"""Operators in a row on one line."""


def parsed(text: str) -> ast.Module | None:
    """The tree of a text; None if it is not Python."""
    return None if isinstance(made := _tried(text), int) else made


def _tried(text: str) -> ast.Module | int:
    """The tree of a text, or the line where it is not Python."""
    if deep := _too_deep(text):
        return deep
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except SyntaxError as error:
        return max(error.lineno or 1, 1)
    except (ValueError, RecursionError, MemoryError):
        return -1


def _too_deep(text: str) -> int:
    """The first line that is nested so deeply that a parser may not survive it; 0 if none is."""
    depth = 0
    for number, line in enumerate(text.split("\n"), 1):
        chain = 0
        for character in line:
            if character == "#":
                break
            if character in "([{":
                depth += 1
            elif character in ")]}":
                depth = max(depth - 1, 0)
            if character in "+-~*/.%<>=&|^@" or character == ":":
                chain += 1
            elif character in ",;#([{":
                chain = 0
        if line.count("{") > MOST_BRACES:
            return number
        words = line.count(" not ") + line.count("lambda") + line.count(" if ") + line.count(" or ")
        if depth > DEEPEST or chain > LONGEST_CHAIN or words > LONGEST_CHAIN:
            return number
    return 0


NOT_PYTHON = "it is not Python"
PAIRS = {"(": ")", "[": "]", "{": "}"}


def repair(made: Normalised) -> None:
    """Close what is open at the end, and leave out the lines that are not Python."""
    left_out: list[int] = []
    deadline = clock() + REPAIR_SECONDS
    for _ in range(MOST_REPAIRS):
        if clock() > deadline:
            break
        result = _tried(made.text)
        if isinstance(result, ast.Module):
            made.tree = result
            break
        if result < 0:
            break
        if _close_end(made):
            continue
        _leave_out(made, result, left_out)
    if left_out:
        words = (
            "lines that are not Python are" if len(left_out) > 1 else "line that is not Python is"
        )
        made.said.append((min(left_out), f"{len(left_out)} {words} left out"))


def _close_end(made: Normalised) -> bool:
    """Close brackets that are open at the end of the text, if that makes it Python."""
    opened = _open([line.text for line in made.lines])
    if not opened:
        return False
    last = max((i for i, line in enumerate(made.lines) if line.text.strip()), default=0)
    text = made.lines[last].text
    for cut in (text, text.rstrip().rstrip(","), re.sub(r",?[^,(]*$", "", text)):
        for quote in ("", "'", '"'):
            closed = cut + quote + opened
            lines = [*made.lines]
            lines[last] = replace(made.lines[last], text=closed)
            if parsed("\n".join(line.text for line in lines) + "\n") is not None:
                made.said.append(
                    (lines[last].number, "the text breaks off; what is open was closed")
                )
                made.lines = lines
                return True
    return False


def _leave_out(made: Normalised, number: int, left_out: list[int]) -> None:
    """Leave out the line where Python stops, or the block whose indentation it does not know."""
    index = min(number, len(made.lines)) - 1
    while index > 0 and not made.lines[index].text.strip():
        index -= 1
    line = made.lines[index]
    above = next((each for each in reversed(made.lines[:index]) if each.text.strip()), None)
    indent = len(line.text) - len(line.text.lstrip())
    if above is not None and above.text.rstrip().endswith(":"):
        margin = len(above.text) - len(above.text.lstrip())
        if indent <= margin and re.match(r"\s*(for|if|while|def|with|else|elif|try)\b", above.text):
            place = made.lines.index(above)
            made.lines[place] = replace(above, text=f"{above.text.rstrip()} pass")
            return
    if indent and line.text.strip() and parsed(line.text.strip() + "\n") is not None:
        margin = 0 if above is None else len(above.text) - len(above.text.lstrip())
        if margin != indent:
            made.lines[index] = replace(line, text=" " * margin + line.text.strip())
            return
    if _close_statement(made, index):
        return
    left_out.append(line.number)
    made.lines[index] = line.without(NOT_PYTHON)


def _close_statement(made: Normalised, index: int) -> bool:
    """Close the brackets that a statement leaves open, if that makes it Python."""
    end = index
    while end + 1 < len(made.lines) and made.lines[end].text.rstrip().endswith((",", *"([{")):
        end += 1
    texts = [line.text for line in made.lines[index : end + 1]]
    opened = _open(texts)
    if not opened:
        return False
    texts[-1] = texts[-1].rstrip().rstrip(",") + opened
    if parsed("\n".join(texts).strip() + "\n") is None:
        return False
    made.lines[end] = replace(made.lines[end], text=texts[-1])
    made.said.append(
        (made.lines[index].number, "a bracket that Python never finds closed was closed")
    )
    return True


def _open(texts: list[str]) -> str:
    """What closes the brackets that are open at the end of a text."""
    opened: list[str] = []
    for text in texts:
        for character in re.sub(r"'[^'\\]*'|\"[^\"\\]*\"|#.*", "", text):
            if character in PAIRS:
                opened.append(PAIRS[character])
            elif opened and character == opened[-1]:
                opened.pop()
    return "".join(reversed(opened))
