"""Train very many runs of an experiment and write what came of them, as JSON and CSV."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from core.experiment import Experiment
from core.jobs.limits import duration
from core.problems import PROBLEMS
from core.sweep import Progress, sweep
from core.sweep.executors import add_arguments, chosen_executor
from core.sweep.summary import lines

LINE_SECONDS = 10
"""Between two lines of progress where the output is no terminal."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m core.sweep", description=__doc__)
    parser.add_argument(
        "experiment", help=f"a file of Experiment as JSON, or one of {', '.join(PROBLEMS)}"
    )
    parser.add_argument("--runs", type=int, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--target", type=float, help="the score at which a run succeeds")
    parser.add_argument("--chunk", type=int, default=512, help="runs that are trained together")
    parser.add_argument(
        "--until", type=float, help="stop at an interval of the rate of plus or minus this"
    )
    parser.add_argument("--checkpoint", type=Path, help="file from which to go on after anything")
    parser.add_argument("--out", type=Path, help="where to write the JSON; the CSV is beside it")
    add_arguments(parser, "all that fit")
    given = parser.parse_args()
    try:
        experiment = _experiment(given.experiment)
        _check_files(given)
        with chosen_executor(given) as (executor, in_flight):
            result = sweep(
                experiment,
                given.runs,
                given.seed,
                executor,
                given.chunk,
                given.until,
                target=given.target,
                checkpoint=given.checkpoint,
                on_progress=_Line(),
                should_stop=_interrupted(),
                in_flight=in_flight,
            )
        if not result.runs:
            sys.exit("Stopped before the first chunk was finished.")
        print("\n".join(lines(result)))
        if not result.complete and (kept := _kept(given.checkpoint)):
            print(kept)
        if given.out:
            given.out.write_text(result.to_json(), encoding="utf-8")
            given.out.with_suffix(".csv").write_text(result.to_csv(), encoding="utf-8")
    except RuntimeError as error:
        sys.exit(f"{parser.prog}: {error}\n{_kept(given.checkpoint)}".strip())
    except (ImportError, OSError, ValueError) as error:  # InvalidExperiment is a ValueError
        sys.exit(f"{parser.prog}: {error}")
    except KeyboardInterrupt:
        sys.exit(f"Interrupted.\n{_kept(given.checkpoint)}".strip())


def _experiment(name: str) -> Experiment:
    if name in PROBLEMS:
        return PROBLEMS[name].experiment
    text = Path(name).read_bytes()
    try:
        kind = json.loads(text)["kind"]
    except (ValueError, KeyError, TypeError):
        kind = None
    if kind != "Experiment":
        raise ValueError(
            f"{name} is no experiment as JSON, as Experiment as JSON on a page or to_json() "
            "writes it"
        )
    return Experiment.from_json(text.decode())


def _check_files(given: argparse.Namespace) -> None:
    """Raise ValueError where the result could not be written: hours later it would be lost."""
    if given.out is None:
        return
    written = given.out, given.out.with_suffix(".csv")
    if written[0] == written[1]:
        raise ValueError("--out names the JSON, and the CSV is written beside it; name a .json")
    read = {path.resolve() for path in (Path(given.experiment), given.checkpoint) if path}
    for path in written:
        if path.resolve() in read:
            raise ValueError(f"--out would overwrite {path}")
        if not os.access(path if path.exists() else path.parent, os.W_OK) or path.is_dir():
            raise ValueError(f"{path} cannot be written")


def _kept(checkpoint: Path | None) -> str:
    """What is left of a sweep that did not come to its end, as a line; "" for nothing."""
    if checkpoint is None or not checkpoint.exists():
        return ""
    return f"The finished chunks are in {checkpoint}; the same command goes on from them."


def _interrupted() -> Callable[[], bool]:
    """Whether Ctrl+C was pressed; pressed again, it ends the process as always."""
    pressed: list[int] = []

    def press(number: int, _: object) -> None:
        pressed.append(number)
        signal.signal(signal.SIGINT, signal.default_int_handler)

    signal.signal(signal.SIGINT, press)
    return lambda: bool(pressed)


class _Line:
    """Progress on standard error: one line that is rewritten in a terminal, else one at times."""

    def __init__(self) -> None:
        self._last = float("-inf")

    def __call__(self, progress: Progress) -> None:
        done = progress.runs / progress.of
        rate = progress.rate
        if rate is None:
            succeed = ""
        else:
            succeed = f", {rate.value:.2%} succeed ({rate.low:.2%} to {rate.high:.2%})"
        left = f", about {duration(progress.left)} left" if progress.left else ""
        text = f"{progress.runs:,} of {progress.of:,} runs ({done:.0%}){succeed}{left}"
        if sys.stderr.isatty():
            filled = round(20 * done)
            bar = "\u2588" * filled + "\u2591" * (20 - filled)
            end = "\n" if progress.runs == progress.of else ""
            print(f"\r{bar} {text}\x1b[K", end=end, file=sys.stderr, flush=True)
        elif time.monotonic() - self._last > LINE_SECONDS or progress.runs == progress.of:
            self._last = time.monotonic()
            print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
