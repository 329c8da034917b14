"""What fixes change in an experiment's script, line by line, and which fix changed which line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from difflib import SequenceMatcher

from core.experiment import Experiment
from core.export import HEADINGS, sections
from core.problems import Fix

CONTEXT = 2
"""Unchanged lines shown on each side of a change."""
BY_HAND = "Changed by hand"
SIGNS = {"same": " ", "removed": "-", "added": "+"}


@dataclass(frozen=True)
class Line:
    """A line of the script before ("same", "removed") or after ("same", "added") the changes.

    by: titles of what changed it, in the order in which they did; () for the same line.
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

    after: what the experiment has become in the end; where it differs from the fixes' result, the
    rest was changed by hand. () where no line is another.
    """
    steps = [(None, before)]
    for fix in fixes:
        steps.append((fix.title, fix.apply(steps[-1][1])))
    if after is not None and after != steps[-1][1]:
        steps.append((BY_HAND, after))
    scripts = [{s.heading: s.lines for s in sections(step, seed)} for _, step in steps]
    titles = [title for title, _ in steps[1:]]
    found = []
    for heading in HEADINGS:
        lines = _attributed([script.get(heading, ()) for script in scripts], titles)
        found += [Change(heading, part) for part in _hunks(lines)]
    return tuple(found)


@dataclass(frozen=True)
class _Traced:
    """A line on its way through the steps; origin: its place before the first, None if added."""

    text: str
    origin: int | None
    by: tuple[str, ...] = ()


def _attributed(versions: list[tuple[str, ...]], titles: list[str]) -> list[Line]:
    """The first version's lines and the last one's in one list, each with what changed it."""
    first = versions[0]
    now = [_Traced(text, place) for place, text in enumerate(first)]
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
    found: list[Line] = []
    seen, start = 0, 0
    for stop in [*(k for k, line in enumerate(now) if line.origin is not None), len(now)]:
        end = now[stop].origin if stop < len(now) else len(first)
        gone = [Line("removed", first[k], removed[k]) for k in range(seen, end)]
        new = [Line("added", line.text, line.by) for line in now[start:stop]]
        found += _without_undone(gone, new)
        if stop < len(now):
            found.append(Line("same", first[end]))
        seen, start = end + 1, stop + 1
    return found


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
    """The changed lines with up to CONTEXT unchanged ones around them, in one part a place."""
    lines = [line for line in lines if line.text]
    near = {
        other
        for place, line in enumerate(lines)
        if line.kind != "same"
        for other in range(place - CONTEXT, place + CONTEXT + 1)
    }
    parts: list[list[Line]] = []
    for place, line in enumerate(lines):
        if place not in near:
            continue
        if place - 1 not in near or not parts:
            parts.append([])
        parts[-1].append(line)
    return [tuple(part) for part in parts]
