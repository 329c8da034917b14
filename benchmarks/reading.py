"""How scripts are read: the share of fields that is right, the time, and mutated scripts.

python -m benchmarks.reading                     # the scripts of tests/scripts
python -m benchmarks.reading --mutated 20000     # scripts with random changes as well
python -m benchmarks.reading --hostile           # pastes that would take all time or memory

Times are those of the process itself, so that a busy machine does not change them.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from core.jobs.reading import NotRead, Reader
from core.script import read
from core.script.budget import Budget
from core.script.learn import load
from support.hostile import HOSTILE, pasted
from support.mutations import mutated
from support.scripts import PATHS, agrees, fields_of, truth_of


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mutated", type=int, default=0, help="scripts with random changes")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--hostile", action="store_true", help="pastes that would do harm")
    given = parser.parse_args()
    load(Budget())
    right = wrong = missing = 0
    seconds = []
    for path in PATHS:
        started = time.process_time()
        reading = read(path.read_text())
        seconds.append(time.process_time() - started)
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
    if given.hostile:
        hostile()


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
        started = time.process_time()
        try:
            read(source)
        # Whatever it is, a reading must not raise it.
        except Exception as error:
            failed += 1
            print(f"{type(error).__name__}: {error}\n{source}\n{'-' * 40}")
        longest = max(longest, time.process_time() - started)
    print(f"{count:,} mutated scripts: {failed} exceptions, longest {longest:.2f} s")


def hostile() -> None:
    """Read hostile pastes in the process for it, and print what it takes. Linux only."""
    reader = Reader()
    reader.read(pasted("made", "mark"))
    most, longest, refused = 0.0, 0.0, 0
    for name in HOSTILE:
        pid = reader.pid
        held, used = _memory(pid, "VmRSS"), _seconds(pid)
        Path(f"/proc/{pid}/clear_refs").write_text("5")  # the peak of memory starts anew
        try:
            reader.read(pasted(name, "mark"))
        except NotRead:
            refused += 1
        if reader.pid == pid:
            most = max(most, _memory(pid, "VmHWM") - held)
            longest = max(longest, _seconds(pid) - used)
        else:
            print(f"{name}: the process was replaced")
    reader.close()
    print(f"{len(HOSTILE)} hostile pastes: {refused} refused, the others read without their rows;")
    print(f"at most {longest:.2f} s and {most:.0f} MB beyond what the process held")


def _memory(pid: int | None, name: str) -> float:
    """A figure of a process's memory in MB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name)) / 1_024


def _seconds(pid: int | None) -> float:
    """The time that a process has used."""
    figures = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(figures[11]) + int(figures[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
