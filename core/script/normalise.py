"""From a paste to Python: small steps over numbered lines, so that each line keeps its number.

Each step takes the lines and returns them, with a note where it changed something. What is still
not Python afterwards is left out line by line, and said to be.
"""

from __future__ import annotations

import ast
import html
import json
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import pairwise

MOST_CHARACTERS = 200_000
"""Of a script that is read."""
MOST_REPAIRS = 60
"""Lines that are left out or closed before the text is given up."""
DEEPEST = 80
"""Brackets inside one another; Python's own parser gives up at 200."""
LONGEST_CHAIN = 200
"""Operators in a row on one line."""


@dataclass(frozen=True)
class Line:
    """A line of the paste.

    Attributes:
        number: In the paste, from 1.
        text: What is left of it; "" where nothing is.
        dropped: Why nothing is left, where something was.
    """

    number: int
    text: str
    dropped: str = ""

    def without(self, why: str) -> Line:
        """The line with nothing left."""
        return replace(self, text="", dropped=why)


@dataclass
class Normalised:
    """A paste as Python.

    Attributes:
        lines: One for each line of the text that is parsed.
        tree: Of the text, or None if it is no Python at all.
        said: What was done, in words, with the first line where it was.
        untouched: Whether the text is the paste itself.
        output: The console output in the paste.
    """

    lines: list[Line]
    tree: ast.Module | None = None
    said: list[tuple[int, str]] = field(default_factory=list)
    untouched: bool = True
    output: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The text that is parsed."""
        return "\n".join(line.text for line in self.lines) + "\n"

    def number(self, line: int) -> int:
        """The number in the paste of a line of the text."""
        if not self.lines:
            return 1
        return self.lines[min(max(line, 1), len(self.lines)) - 1].number


Step = Callable[[list[Line]], list[Line]]
QUOTES = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u201a\u2032\u00b4", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u2033", '"'),
        **dict.fromkeys("\u2013\u2014\u2212", "-"),
        **dict.fromkeys("\u00a0\u2002\u2003\u2009\u202f", " "),
        **dict.fromkeys("\u200b\u200c\u200d\ufeff\u00ad", None),
        "\u2026": "...",
        "\u00d7": "*",
    }
)


def _characters(lines: list[Line]) -> list[Line]:
    """Curly quotes, dashes and spaces of a word processor."""
    return [replace(line, text=line.text.translate(QUOTES)) for line in lines]


ENTITY = re.compile(r"&(?:gt|lt|amp|quot|apos|nbsp|#39|#34|#x27);")


def _entities(lines: list[Line]) -> list[Line]:
    """HTML entities."""
    return [
        replace(line, text=html.unescape(line.text)) if ENTITY.search(line.text) else line
        for line in lines
    ]


def _tags(lines: list[Line]) -> list[Line]:
    """HTML tags around code."""
    tag = re.compile(r"</?(?:pre|code|p|div|span)\b[^>]*>")
    return [replace(line, text=tag.sub("", line.text)) for line in lines]


def _fences(lines: list[Line]) -> list[Line]:
    """Fences of Markdown, and the text outside them."""
    fence = re.compile(r"^\s*(```|~~~)")
    marks = [i for i, line in enumerate(lines) if fence.match(line.text)]
    if not marks:
        return lines
    inside, kept = False, []
    for line in lines:
        if fence.match(line.text):
            inside = not inside
            kept.append(line.without("a fence"))
        else:
            kept.append(line if inside or not line.text else line.without("text around the code"))
    return kept


def _quoted(lines: list[Line]) -> list[Line]:
    """The mark of a quotation before every line."""
    filled = [line for line in lines if line.text.strip()]
    if not filled or not all(re.match(r"\s*>(?!>)", line.text) for line in filled):
        return lines
    return [replace(line, text=re.sub(r"^\s*> ?", "", line.text)) for line in lines]


PROMPT = re.compile(r"^\s*(?:>>>|In ?\[[\d ]*\]:) ?")
CONTINUED = re.compile(r"^\s*\.\.\.(?:: ?| |$)")


def _prompts(lines: list[Line]) -> list[Line]:
    """Prompts of Python and IPython, and the output between them."""
    if not any(PROMPT.match(line.text) for line in lines):
        return lines
    console = any(line.text.lstrip().startswith(">>>") for line in lines)
    kept, entered = [], False
    for line in lines:
        if found := PROMPT.match(line.text):
            entered = True
            kept.append(replace(line, text=line.text[found.end() :]))
        elif found := CONTINUED.match(line.text):
            kept.append(replace(line, text=line.text[found.end() :]))
        elif re.match(r"^\s*Out\[\d+\]:", line.text) or (console and entered and line.text.strip()):
            kept.append(line.without("output"))
        else:
            kept.append(line)
    return kept


def _numbers(lines: list[Line]) -> list[Line]:
    """Line numbers in front of every line."""
    numbered = re.compile(r"^\s*(\d{1,5})(?:[:.|)]|\t| {1,4}|$) ?")
    filled = [line for line in lines if line.text.strip()]
    found = [numbered.match(line.text) for line in filled]
    if len(filled) < 3 or not all(found):
        return lines
    values = [int(each.group(1)) for each in found if each]
    if any(b <= a for a, b in pairwise(values)):
        return lines
    strict = re.compile(r"^\s*\d{1,5}(?:[:.|)] ?|\t| |$)")
    return [replace(line, text=strict.sub("", line.text)) for line in lines]


MAGIC = re.compile(r"^\s*(?:%%?[A-Za-z]|![A-Za-z]|\?\w)|^\s*\w[\w.]*\?\??\s*$")


def _magics(lines: list[Line]) -> list[Line]:
    """Magics of IPython and commands of the shell."""
    return [
        line.without("not Python: a command of the notebook") if MAGIC.match(line.text) else line
        for line in lines
    ]


OUTPUT = re.compile(
    r"^\s*(?:Epoch \d+/\d+|\d+/\d+ +[\[\u2501]|\d+/\d+ - |Train on \d+ samples|"
    r"Using \w+ backend|Traceback \(most|\[?={10,}|_{10,}|Model: \"|Layer \(type\)|"
    r"(?:Total|Trainable|Non-trainable) params|\w*(?:Error|Warning): |"
    r".*\bloss: \d[\d.e+-]* - )"
)


def _output(lines: list[Line]) -> list[Line]:
    """Console output between the code."""
    return [line.without("output") if OUTPUT.match(line.text) else line for line in lines]


PRINT = re.compile(r"^(\s*)print(?:\s+(?![=(.,\[])(.*)|\s+(\(.*\)\s*[%,].*))$")


def _python_2(lines: list[Line]) -> list[Line]:
    """Prints and exceptions of Python 2."""
    kept = []
    for line in lines:
        text = re.sub(r"^(\s*except\s+[\w.]+)\s*,\s*(\w+)\s*:", r"\1 as \2:", line.text)
        if found := PRINT.match(text):
            inner = (found.group(2) or found.group(3) or "").rstrip().rstrip(",;")
            text = f"{found.group(1)}print({inner})"
        elif re.match(r"^\s*print\s*$", text):
            text = text.rstrip() + "()"
        kept.append(replace(line, text=text))
    return kept


def _margin(lines: list[Line]) -> list[Line]:
    """A margin before every line, and tabs."""
    lines = [replace(line, text=line.text.expandtabs(4).rstrip()) for line in lines]
    margins = [len(line.text) - len(line.text.lstrip()) for line in lines if line.text.strip()]
    margin = min(margins, default=0)
    return [replace(line, text=line.text[margin:]) for line in lines] if margin else lines


STEPS: tuple[tuple[Step, str], ...] = (
    (_tags, "HTML tags were left out"),
    (_entities, "HTML entities were replaced"),
    (_characters, "typographic quotes, dashes and spaces were replaced"),
    (_fences, "text outside the code fences was left out"),
    (_quoted, "quotation marks before the lines were left out"),
    (_prompts, "prompts were left out"),
    (_numbers, "line numbers were left out"),
    (_magics, "notebook commands were left out"),
    (_output, "console output was left out"),
    (_python_2, "Python 2 was rewritten as Python 3"),
    (_margin, "the margin was left out"),
)
"""The steps in order, with what is said of each that changes something."""


def normalised(source: str) -> Normalised:
    """A paste as Python, as far as it can be made Python."""
    source = source[:MOST_CHARACTERS].replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    source = source.replace("\f", " ").replace("\v", " ")
    cells = notebook(source)
    lines = [Line(i + 1, text) for i, text in enumerate((cells or source).split("\n"))]
    made = Normalised(lines)
    if cells is not None:
        made.said.append((1, "the code cells of a notebook are read"))
    made.tree = _parsed(made.text)
    if made.tree is not None:
        return made
    made.untouched = False
    for step, words in STEPS:
        before, after = made.lines, step(made.lines)
        changed = [
            a for a, b in zip(after, before, strict=True) if a.text.rstrip() != b.text.rstrip()
        ]
        made.lines = after
        if changed:
            made.said.append((changed[0].number, words))
    made.output = [
        original.text
        for original, line in zip(lines, made.lines, strict=True)
        if line.dropped == "output"
    ]
    _repair(made)
    return made


def notebook(source: str) -> str | None:
    """The code of a notebook as one text, or None if the source is no notebook."""
    if not source.lstrip().startswith("{") or '"cells"' not in source:
        return None
    try:
        cells = json.loads(source)["cells"]
        parts = []
        for cell in cells:
            if cell["cell_type"] == "code":
                text = cell["source"]
                parts.append(text if isinstance(text, str) else "".join(text))
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return "\n\n".join(parts)


def _parsed(text: str) -> ast.Module | None:
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
        words = line.count(" not ") + line.count("lambda") + line.count(" if ") + line.count(" or ")
        if depth > DEEPEST or chain > LONGEST_CHAIN or words > LONGEST_CHAIN:
            return number
    return 0


NOT_PYTHON = "it is not Python"


def _repair(made: Normalised) -> None:
    """Close what is open at the end, and leave out the lines that are not Python."""
    left_out: list[int] = []
    for _ in range(MOST_REPAIRS):
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
        made.said.append((min(left_out), f"{len(left_out)} lines that are not Python are left out"))


def _close_end(made: Normalised) -> bool:
    """Close brackets that are open at the end of the text, if that makes it Python."""
    opened: list[str] = []
    pairs = {"(": ")", "[": "]", "{": "}"}
    for line in made.lines:
        code = re.sub(r"'[^'\\]*'|\"[^\"\\]*\"|#.*", "", line.text)
        for character in code:
            if character in pairs:
                opened.append(pairs[character])
            elif opened and character == opened[-1]:
                opened.pop()
    if not opened:
        return False
    last = max((i for i, line in enumerate(made.lines) if line.text.strip()), default=0)
    text = made.lines[last].text
    for cut in (text, text.rstrip().rstrip(","), re.sub(r",?[^,(]*$", "", text)):
        for quote in ("", "'", '"'):
            closed = cut + quote + "".join(reversed(opened))
            lines = [*made.lines]
            lines[last] = replace(made.lines[last], text=closed)
            if _parsed("\n".join(line.text for line in lines) + "\n") is not None:
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
    if indent and line.text.strip() and _parsed(line.text.strip() + "\n") is not None:
        margin = 0 if above is None else len(above.text) - len(above.text.lstrip())
        if margin != indent:
            made.lines[index] = replace(line, text=" " * margin + line.text.strip())
            return
    left_out.append(line.number)
    made.lines[index] = line.without(NOT_PYTHON)
