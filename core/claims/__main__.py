"""Print the record of the claims as Markdown, or test them all again."""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

from core.claims import record
from core.claims.claim import RUNS
from core.sweep.executors import add_arguments, chosen_executor


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m core.claims", description=__doc__)
    parser.add_argument("--runs", type=int, help=f"runs of every experiment (default: {RUNS:,})")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="where to record it; without it, nothing is kept")
    parser.add_argument("--fits", action="store_true", help="repeat a sample with model.fit")
    add_arguments(parser, "this process alone")
    given = parser.parse_args()
    if given.runs or given.out or given.fits:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        started, runs = time.perf_counter(), given.runs or RUNS

        def report(done: int) -> None:
            print(f"{done:,} of {runs:,} runs", file=sys.stderr, flush=True)

        try:
            with chosen_executor(given) as (executor, in_flight):
                tested = record.make(
                    runs,
                    given.seed,
                    fits=given.fits,
                    executor=executor,
                    in_flight=in_flight,
                    on_progress=report,
                )
        except (ImportError, OSError, RuntimeError, ValueError) as error:
            sys.exit(f"{parser.prog}: {error}")
        print(f"Tested in {time.perf_counter() - started:.0f} s.", file=sys.stderr)
        if given.out:
            record.save(tested, given.out)
    else:
        tested = record.load()
    print(tested.page())


if __name__ == "__main__":
    main()
