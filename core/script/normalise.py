"""From a paste to Python: small steps over numbered lines, so that each line keeps its number.

Each step takes the lines and returns them, with a note where it changed something. What is still
not Python afterwards is left out line by line, and said to be.
"""

from __future__ import annotations

import ast
import html
import json
import keyword
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import pairwise

from core.script.repair import parsed, repair

MOST_CHARACTERS = 200_000
"""Of a script that is read."""
MOST_LINES = 8_000
"""Of a script that is read."""
MOST_NOTEBOOK, MOST_MARGIN, MOST_PRINTED = 20_000_000, 1_000, 20_000
"""Characters of a notebook, with its pictures, and before its beginning; lines of its output."""


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
        source: What was read of the paste.
        pasted: The lines as they were pasted; of a notebook, those of its code.
        output: The console output in the paste.
    """

    lines: list[Line]
    tree: ast.Module | None = None
    said: list[tuple[int, str]] = field(default_factory=list)
    untouched: bool = True
    source: str = ""
    pasted: list[str] = field(default_factory=list)
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
    tag = re.compile(r"</?(?:pre|code|p|div|span)\b[^>]{0,200}>")
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


CODE = re.compile(
    r"^(?:import|from|def|class|for|while|if|elif|else|try|except|finally|with|return|print|@|#|\"\"\")"
    r"|[=(\[{]|^\w+(?:\.\w+)+$"
)


def _indented(lines: list[Line]) -> list[Line]:
    """Text around code that stands out by its margin, as in Markdown."""
    filled = [line for line in lines if line.text.strip()]
    inside = [line for line in filled if line.text.startswith(("    ", "\t"))]
    if len(inside) < 3 or len(inside) == len(filled):
        return lines
    if any(_is_code(line.text) for line in filled if not line.text.startswith((" ", "\t"))):
        return lines
    return [
        line
        if not line.text.strip() or line.text.startswith((" ", "\t"))
        else line.without("text around the code")
        for line in lines
    ]


def _is_code(text: str) -> bool:
    """Whether a line without a margin is Python, or begins something that is."""
    return bool(CODE.search(text)) and (
        text.rstrip().endswith((":", ",", "(", "[", "{", "\\")) or parsed(text + "\n") is not None
    )


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


WORD = re.compile(r"[A-Za-z][A-Za-z']*[,.;!?]*")


def _prose(lines: list[Line]) -> list[Line]:
    """Sentences between the code that happen to be Python, such as "Thanks in advance"."""
    whole = "\n".join(line.text for line in lines)
    kept, depth, quoted = [], 0, False
    for line in lines:
        words = line.text[:MOST_MATCHED].split()
        inside = depth > 0 or quoted or line.text[:1].isspace()
        prose = bool(words) and not inside and all(WORD.fullmatch(word) for word in words)
        prose = prose and not keyword.iskeyword(words[0])
        if prose and len(words) == 1:
            # A name that the code has as well may be what a cell shows.
            prose = whole.count(words[0].strip(",.;!?")) == 1
        kept.append(line.without("text around the code") if prose else line)
        depth = max(depth + sum(line.text.count(c) for c in "([{"), 0)
        depth = max(depth - sum(line.text.count(c) for c in ")]}"), 0)
        quoted ^= (line.text.count('"""') + line.text.count("'''")) % 2 == 1
    return kept


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


MOST_MATCHED = 500
"""Characters of a line that are compared with console output."""
RAISED = re.compile(r"^\s*[\w.]*(?:Error|Exception|Warning|Interrupt)\b(?::|\s*$)")


def _output(lines: list[Line]) -> list[Line]:
    """Console output between the code, and tracebacks to the line that names the error."""
    kept, inside = [], False
    for line in lines:
        # The patterns take the square of the length of a line.
        text = line.text.strip()[:MOST_MATCHED]
        starts = text.startswith("Traceback (most recent")
        inside = (inside or starts) and not text.startswith("```")
        kept.append(line.without("output") if text and (inside or OUTPUT.match(text)) else line)
        if inside and RAISED.match(text) and not line.text.startswith((" ", "\t")):
            inside = False
    return kept


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
    (_indented, "text around the indented code was left out"),
    (_quoted, "quotation marks before the lines were left out"),
    (_prompts, "prompts were left out"),
    (_numbers, "line numbers were left out"),
    (_magics, "notebook commands were left out"),
    (_output, "console output was left out"),
    (_prose, "sentences were left out"),
    (_python_2, "Python 2 was rewritten as Python 3"),
    (_margin, "the margin was left out"),
)
"""The steps in order, with what is said of each that changes something."""


def normalised(source: str) -> Normalised:
    """A paste as Python, as far as it can be made Python."""
    cells, printed = notebook(source)
    whole = source if cells is None else cells
    text = whole[:MOST_CHARACTERS].replace("\r\n", "\n").replace("\r", "\n")
    pasted = text.split("\n")[:MOST_LINES]
    text = "\n".join(pasted)
    text = text.replace("\0", "").replace("\f", " ").replace("\v", " ")
    lines = [Line(i + 1, line) for i, line in enumerate(text.split("\n"))]
    kept = source[:MOST_CHARACTERS] if cells is None else source
    made = Normalised(lines, source=kept, pasted=pasted, output=printed)
    if (len(text) < len(whole) and len(lines) == MOST_LINES) or len(whole) > MOST_CHARACTERS:
        made.said.append((len(lines), f"only the first {len(lines):,} lines are read"))
    if cells is not None:
        made.said.append((1, "the code cells of a notebook are read"))
    made.tree = parsed(made.text)
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
    made.output = printed + [
        original.text
        for original, line in zip(lines, made.lines, strict=True)
        if line.dropped == "output"
    ]
    repair(made)
    return made


def notebook(source: str) -> tuple[str | None, list[str]]:
    """The code of a notebook as one text, and what its cells have printed.

    The text is None if the source is no notebook.
    """
    if not source[:MOST_MARGIN].lstrip().startswith("{") or len(source) > MOST_NOTEBOOK:
        return None, []
    parts: list[str] = []
    printed: list[str] = []
    try:
        for cell in json.loads(source)["cells"]:
            if cell["cell_type"] != "code":
                continue
            parts.append(_joined(cell["source"]))
            for output in cell.get("outputs") or ():
                if len(printed) < MOST_PRINTED:
                    printed += _joined(output.get("text") or "").splitlines()[:MOST_PRINTED]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None, []
    return "\n\n".join(parts), printed


def _joined(text: str | list[str]) -> str:
    """A text of a notebook, which is one or several strings."""
    return text if isinstance(text, str) else "".join(text)
