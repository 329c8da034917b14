"""Train very many runs of an experiment and write what came of them, as JSON and CSV."""

from __future__ import annotations

import argparse
import contextlib
import signal
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from pathlib import Path

from core.experiment import Experiment, InvalidExperiment
from core.jobs.limits import duration
from core.problems import PROBLEMS
from core.rates import Rate
from core.sweep import Processes, Progress, Result, sweep

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
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--processes", type=int, help="on this machine (default: all that fit)")
    where.add_argument("--dask", metavar="tcp://HOST:PORT", help="a scheduler of Dask")
    given = parser.parse_args()
    try:
        experiment = _experiment(given.experiment)
        with _executor(given.dask, given.processes) as (executor, in_flight):
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
    except (OSError, ValueError) as error:  # InvalidExperiment is a ValueError
        sys.exit(f"{parser.prog}: {error}")
    if not result.runs:
        sys.exit("Stopped before the first chunk was finished.")
    print(summary(result))
    if given.out:
        given.out.write_text(result.to_json(), encoding="utf-8")
        given.out.with_suffix(".csv").write_text(result.to_csv(), encoding="utf-8")


def summary(result: Result) -> str:
    """What came of a sweep, in a few lines."""
    task, lines = result.experiment.task, []
    written = task.written(result.target)
    lines.append(f"{_percent(result.rate)} reach {written}.")
    quarter, half, rest = (task.number(result.score(q)) for q in (0.25, 0.5, 0.75))
    lines.append(f"Final {task.score_name}: median {half}, quartiles {quarter} and {rest}.")
    for number, rate in enumerate(result.dead, start=1):
        if rate.successes:
            lines.append(f"All units of dense layer {number} are dead: {_percent(rate)}.")
    if result.not_finite.successes:
        lines.append(f"The loss is not finite: {_percent(result.not_finite)}.")
    lines.append(f"Worst runs: {', '.join(map(str, result.worst))}.")
    if not result.complete:
        lines.append(f"Stopped: {result.asked:,} runs were asked for.")
    return "\n".join(lines)


def _percent(rate: Rate) -> str:
    return (
        f"{rate.successes:,} of {rate.runs:,} runs ({rate.value:.2%}, "
        f"95% interval {rate.low:.2%} to {rate.high:.2%})"
    )


def _experiment(name: str) -> Experiment:
    if name in PROBLEMS:
        return PROBLEMS[name].experiment
    try:
        return Experiment.from_json(Path(name).read_text(encoding="utf-8"))
    except UnicodeDecodeError:
        raise InvalidExperiment("the file", name, "an experiment as JSON") from None


@contextlib.contextmanager
def _executor(dask: str | None, processes: int | None) -> Iterator[tuple[Executor | None, int]]:
    """The executor, None for the default, and how many chunks it has at once, 0 for the default."""
    if dask:
        from distributed import Client

        with Client(dask) as client:
            threads = sum(client.nthreads().values())
            # Workers hold on to a key, so that a pure function would be computed once only.
            yield client.get_executor(pure=False, retries=2), 2 * max(threads, 1)
    elif processes:
        executor = Processes(processes)
        try:
            yield executor, 0
        finally:
            executor.kill()
    else:
        yield None, 0


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
        share = progress.runs / progress.of
        rate = (
            "" if progress.rate is None else f", {_percent(progress.rate).partition(' runs ')[2]}"
        )
        left = "" if progress.left is None else f", about {duration(progress.left)} left"
        text = f"{progress.runs:,} of {progress.of:,} runs ({share:.0%}){rate}{left}"
        if sys.stderr.isatty():
            filled = round(20 * share)
            bar = "\u2588" * filled + "\u2591" * (20 - filled)
            end = "\n" if progress.runs == progress.of else ""
            print(f"\r{bar} {text}\x1b[K", end=end, file=sys.stderr, flush=True)
        elif time.monotonic() - self._last > LINE_SECONDS or progress.runs == progress.of:
            self._last = time.monotonic()
            print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
