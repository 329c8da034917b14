"""How scripts are read: the share of fields that is right, the time, and mutated scripts.

python -m benchmarks.reading                     # the scripts of tests/scripts
python -m benchmarks.reading --mutated 20000     # scripts with random changes as well
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from core.script import read
from core.script.budget import Budget
from core.script.learn import load
from support.mutations import mutated
from support.scripts import PATHS, agrees, fields_of, truth_of


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mutated", type=int, default=0, help="scripts with random changes")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    load(Budget())
    right = wrong = missing = 0
    seconds = []
    for path in PATHS:
        started = time.perf_counter()
        reading = read(path.read_text())
        seconds.append(time.perf_counter() - started)
        for name, (expected, got) in fields_of(reading, truth_of(path)).items():
            if agrees(expected, got):
                right += 1
                continue
            missing, wrong = missing + (got is None), wrong + (got is not None)
            print(f"{path.name}: {name} is {got}, not {expected}")
    total = right + wrong + missing
    print(f"{len(PATHS)} scripts, {total} fields: {right / total:.1%} right", end=", ")
    print(f"{wrong} wrong, {missing} not read; longest {max(seconds):.2f} s")
    if given.mutated:
        fuzz(given.mutated, given.seed)


def fuzz(count: int, seed: int) -> None:
    """Read scripts with random changes, and random bytes."""
    rng = random.Random(seed)
    sources = [path.read_text() for path in PATHS]
    longest, failed = 0.0, 0
    for number in range(count):
        if number % 10:
            source = mutated(rng, sources)
        else:
            source = rng.randbytes(rng.randrange(400)).decode("latin-1")
        started = time.perf_counter()
        try:
            read(source)
        # Whatever it is, a reading must not raise it.
        except Exception as error:
            failed += 1
            print(f"{type(error).__name__}: {error}\n{source}\n{'-' * 40}")
        longest = max(longest, time.perf_counter() - started)
    print(f"{count:,} mutated scripts: {failed} exceptions, longest {longest:.2f} s")


if __name__ == "__main__":
    main()
