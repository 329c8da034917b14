"""Scripts with random changes, for tests and benchmarks of the reading."""

from __future__ import annotations

import random
from collections.abc import Sequence

PIECES = (
    *("(", ")", "[", "]", "{", "}", "'", '"', ":", ",", "=", "**", "*", "<<", "\n", "    ", "#"),
    *("None", "0", "-1", "1e309", "10**9", "lambda x: x", "model", "X", "y", "np", "for i in X:"),
    *("del X", "X = X", "import os", "__class__", "return", "yield", "await x", "@x", "...", "\\"),
    *("model.fit(X, y)", "model = Sequential()", "X = X[::-1]", "y = y[:0]", "%time", ">>> "),
)


def mutated(rng: random.Random, sources: Sequence[str]) -> str:
    """One of the scripts with one to eight changes: pieces cut, copied, swapped or put in."""
    text = rng.choice(sources)
    for _ in range(rng.randint(1, 8)):
        lines = text.split("\n")
        where, other = rng.randrange(len(lines)), rng.randrange(len(lines))
        kind = rng.randrange(6)
        if kind == 0:
            del lines[where]
        elif kind == 1:
            lines.insert(where, lines[other])
        elif kind == 2:
            lines[where], lines[other] = lines[other], lines[where]
        elif kind == 3:
            place = rng.randrange(len(lines[where]) + 1)
            lines[where] = lines[where][:place] + rng.choice(PIECES) + lines[where][place:]
        elif kind == 4 and lines[where]:
            place = rng.randrange(len(lines[where]))
            lines[where] = lines[where][:place] + lines[where][place + rng.randint(1, 5) :]
        else:
            lines[where] = rng.choice(rng.choice(sources).split("\n"))
        text = "\n".join(lines)
    return text
