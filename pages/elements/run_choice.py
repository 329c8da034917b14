"""The kind of a value that names a run."""

from __future__ import annotations

from dataclasses import dataclass

from core.fields import Choice

MOST_DIGITS = 6
"""Of the number of a run."""


@dataclass(frozen=True, eq=False)
class RunChoice(Choice):
    """One of several names for runs, or the number of a run."""

    @property
    def expected(self) -> str:
        return f"{super().expected}, or the number of a run"

    def parse(self, text: str) -> str:
        if text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS:
            return str(int(text))
        return super().parse(text)
