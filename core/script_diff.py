"""A line-by-line diff of an experiment's script before and after fixes, with the fix per line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from difflib import SequenceMatcher

from core.experiment import Experiment, InvalidExperiment
from core.export import HEADINGS, sections
from core.fixes import Fix

CONTEXT = 2
"""Unchanged lines shown on each side of a change."""
BY_HAND = "Changed by hand"
SIGNS = {"same": " ", "removed": "-", "added": "+"}


@dataclass(frozen=True)
class Line:
    """A line of the script before ("same", "removed") or after ("same", "added") the changes.

    Attributes:
        kind: "same", "removed" or "added".
        text: The line.
        by: Titles of the changes to it, in order; () for an unchanged line.
    """

    kind: str
    text: str
    by: tuple[str, ...] = ()


@dataclass(frozen=True)
class Change:
    """Neighbouring changed lines of one section, with the unchanged lines around them.

    Attributes:
        heading: Of the section.
        lines: In order, removed lines before added ones.
    """

    heading: str
    lines: tuple[Line, ...]

    @property
    def by(self) -> tuple[str, ...]:
        """Titles of the changes to any of its lines."""
        return tuple(dict.fromkeys(title for line in self.lines for title in line.by))

    @property
    def diff(self) -> str:
        """The lines with their signs, and a comment with the titles where these differ by line."""
        shared = len({line.by for line in self.lines if line.by}) == 1
        return "\n".join(
            f"{SIGNS[line.kind]} {line.text}"
            + ("" if shared or not line.by else f"  # {', '.join(line.by)}")
            for line in self.lines
        )


def changes(
    before: Experiment, fixes: Iterable[Fix], after: Experiment | None = None, seed: int = 0
) -> tuple[Change, ...]:
    """The lines that fixes, applied one after the other, change in the script of `before`.

    Args:
        before: The experiment without the fixes.
        fixes: In the order in which they are applied; one that does not fit what those before it
            give changes nothing.
        after: The final experiment; any difference from the fixes' result counts as changed by
            hand. None for the fixes' result.
        seed: Of the script.

    Returns:
        The changes in the order of the script; () if no line differs.
    """
    titles, steps = [], [before]
    for fix in fixes:
        titles.append(fix.title)
        try:
            steps.append(fix.apply(steps[-1]))
        except InvalidExperiment:
            steps.append(steps[-1])
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
    """A line after some of the steps; origin: its index in the first script, None if added."""

    text: str
    origin: int | None
    by: tuple[str, ...] = ()


def _attributed(versions: list[tuple[str, ...]], titles: list[str]) -> list[Line]:
    """The lines of the first and the last version in one list, each with what changed it."""
    first = versions[0]
    current = [_Traced(text, index) for index, text in enumerate(first)]
    removed: dict[int, tuple[str, ...]] = {}
    for title, version in zip(titles, versions[1:], strict=True):
        texts = [line.text for line in current]
        following: list[_Traced] = []
        for tag, a, b, c, d in SequenceMatcher(None, texts, version).get_opcodes():
            if tag == "equal":
                following += current[a:b]
                continue
            for line in current[a:b]:
                if line.origin is not None:
                    removed[line.origin] = (title,)
            # A line that was changed twice is shown once, with both titles.
            earlier = [line.by for line in current[a:b]] if b - a == d - c else [()] * (d - c)
            following += [
                _Traced(text, None, (*by, title))
                for text, by in zip(version[c:d], earlier, strict=True)
            ]
        current = following
    return _merged(first, current, removed)


def _merged(
    first: tuple[str, ...], last: list[_Traced], removed: dict[int, tuple[str, ...]]
) -> list[Line]:
    """Both versions' lines in one list, removed lines before the ones added in their place."""
    lines: list[Line] = []
    # The first version's lines up to `before`, and the last one's up to `after`, are in the list.
    before, after = 0, 0
    kept = [(index, line.origin) for index, line in enumerate(last) if line.origin is not None]
    for index, origin in [*kept, (len(last), len(first))]:
        old = [Line("removed", first[k], removed[k]) for k in range(before, origin)]
        new = [Line("added", line.text, line.by) for line in last[after:index]]
        lines += _without_undone(old, new)
        if index < len(last):
            lines.append(Line("same", first[origin]))
        before, after = origin + 1, index + 1
    return lines


def _without_undone(old: list[Line], new: list[Line]) -> list[Line]:
    """Old and new lines; those that one step removed and a later one restored are "same"."""
    head = 0
    while head < min(len(old), len(new)) and old[head].text == new[head].text:
        head += 1
    tail = 0
    while tail < min(len(old), len(new)) - head and old[-1 - tail].text == new[-1 - tail].text:
        tail += 1
    same = [replace(line, kind="same", by=()) for line in old]
    ends = len(old) - tail, len(new) - tail
    return [*same[:head], *old[head : ends[0]], *new[head : ends[1]], *same[ends[0] :]]


def _hunks(lines: list[Line]) -> list[tuple[Line, ...]]:
    """The groups of changed lines, each with up to CONTEXT unchanged lines around it."""
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
