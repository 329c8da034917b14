"""Print the record of the gallery as a Markdown table, or train all its cases again."""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

from core.gallery import record


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m core.gallery", description=__doc__)
    parser.add_argument(
        "--runs", type=int, help=f"runs of every experiment (recorded: {record.RUNS})"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="where to record it; without it, nothing is kept")
    given = parser.parse_args()
    if given.runs or given.out:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        started = time.perf_counter()
        made = record.make(runs=given.runs or record.RUNS, seed=given.seed)
        print(f"Trained in {time.perf_counter() - started:.0f} s.", file=sys.stderr)
        if given.out:
            record.save(made, given.out)
    else:
        made = record.load()
    print(record.table(made))


if __name__ == "__main__":
    main()
