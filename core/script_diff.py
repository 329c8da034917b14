"""What fixes change in an experiment's script, line by line, and which fix changed which line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from difflib import SequenceMatcher

from core.experiment import Experiment
from core.export import HEADINGS, sections
from core.fixes import Fix

CONTEXT = 2
"""Unchanged lines shown on each side of a change."""
BY_HAND = "Changed by hand"
SIGNS = {"same": " ", "removed": "-", "added": "+"}


@dataclass(frozen=True)
class Line:
    """A line of the script before ("same", "removed") or after ("same", "added") the changes.

    Args:
        kind: "same", "removed" or "added".
        text: The line.
        by: Titles of what changed it, in the order in which they did; () for the same line.
    """

    kind: str
    text: str
    by: tuple[str, ...] = ()


@dataclass(frozen=True)
class Change:
    """Neighbouring changed lines of one section, with what is unchanged next to them."""

    heading: str
    lines: tuple[Line, ...]

    @property
    def by(self) -> tuple[str, ...]:
        """Titles of what changed any of its lines."""
        return tuple(dict.fromkeys(title for line in self.lines for title in line.by))

    @property
    def diff(self) -> str:
        """The lines with their signs; where not all changed ones are owed to the same, to what."""
        shared = len({line.by for line in self.lines if line.by}) == 1
        return "\n".join(
            f"{SIGNS[line.kind]} {line.text}"
            + ("" if shared or not line.by else f"  # {', '.join(line.by)}")
            for line in self.lines
        )


def changes(
    before: Experiment, fixes: Iterable[Fix], after: Experiment | None = None, seed: int = 0
) -> tuple[Change, ...]:
    """What the fixes, applied one after the other, change in the script of `before`.

    Args:
        before: The experiment without the fixes.
        fixes: In the order in which they are applied.
        after: What the experiment has become in the end; where it differs from the fixes' result,
            the rest was changed by hand.
        seed: Of the script.

    Returns:
        The changes in the order of the script; () where no line is another.
    """
    titles, steps = [], [before]
    for fix in fixes:
        titles.append(fix.title)
        steps.append(fix.apply(steps[-1]))
    if after is not None and after != steps[-1]:
        titles.append(BY_HAND)
        steps.append(after)
    scripts = [{s.heading: s.lines for s in sections(step, seed)} for step in steps]
    by_section = []
    for heading in HEADINGS:
        lines = _attributed([script.get(heading, ()) for script in scripts], titles)
        by_section += [Change(heading, part) for part in _hunks(lines)]
    return tuple(by_section)


@dataclass(frozen=True)
class _Traced:
    """A line on its way through the steps; origin: its index before the first, None if added."""

    text: str
    origin: int | None
    by: tuple[str, ...] = ()


def _attributed(versions: list[tuple[str, ...]], titles: list[str]) -> list[Line]:
    """The first version's lines and the last one's in one list, each with what changed it."""
    first = versions[0]
    now = [_Traced(text, index) for index, text in enumerate(first)]
    removed: dict[int, tuple[str, ...]] = {}
    for title, wanted in zip(titles, versions[1:], strict=True):
        texts = [line.text for line in now]
        following: list[_Traced] = []
        for tag, a, b, c, d in SequenceMatcher(None, texts, wanted).get_opcodes():
            if tag == "equal":
                following += now[a:b]
                continue
            for line in now[a:b]:
                if line.origin is not None:
                    removed[line.origin] = (title,)
            # A line changed twice is owed to both, and shown once.
            earlier = [line.by for line in now[a:b]] if b - a == d - c else [()] * (d - c)
            following += [
                _Traced(text, None, (*by, title))
                for text, by in zip(wanted[c:d], earlier, strict=True)
            ]
        now = following
    return _merged(first, now, removed)


def _merged(
    first: tuple[str, ...], now: list[_Traced], removed: dict[int, tuple[str, ...]]
) -> list[Line]:
    """Removed lines before those that were added in their place."""
    lines: list[Line] = []
    # Up to here the first version's lines, and those of the last one, are in the list.
    before, after = 0, 0
    kept = [(index, line.origin) for index, line in enumerate(now) if line.origin is not None]
    for index, origin in [*kept, (len(now), len(first))]:
        gone = [Line("removed", first[k], removed[k]) for k in range(before, origin)]
        new = [Line("added", line.text, line.by) for line in now[after:index]]
        lines += _without_undone(gone, new)
        if index < len(now):
            lines.append(Line("same", first[origin]))
        before, after = origin + 1, index + 1
    return lines


def _without_undone(gone: list[Line], new: list[Line]) -> list[Line]:
    """Both, where lines that one step removed and a later one brought back are the same."""
    head = 0
    while head < min(len(gone), len(new)) and gone[head].text == new[head].text:
        head += 1
    tail = 0
    while tail < min(len(gone), len(new)) - head and gone[-1 - tail].text == new[-1 - tail].text:
        tail += 1
    same = [replace(line, kind="same", by=()) for line in gone]
    ends = len(gone) - tail, len(new) - tail
    return [*same[:head], *gone[head : ends[0]], *new[head : ends[1]], *same[ends[0] :]]


def _hunks(lines: list[Line]) -> list[tuple[Line, ...]]:
    """Each run of changed lines, with up to CONTEXT unchanged ones around it."""
    lines = [line for line in lines if line.text]
    near = {
        other
        for index, line in enumerate(lines)
        if line.kind != "same"
        for other in range(index - CONTEXT, index + CONTEXT + 1)
    }
    parts: list[list[Line]] = []
    for index, line in enumerate(lines):
        if index not in near:
            continue
        if index - 1 not in near or not parts:
            parts.append([])
        parts[-1].append(line)
    return [tuple(part) for part in parts]
