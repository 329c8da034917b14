"""Handing out chunks of runs to an executor, again where a worker dies."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from concurrent.futures.process import BrokenProcessPool

from core.experiment import InvalidExperiment

ATTEMPTS = 3
"""Times that a chunk is tried: a worker can die of something that has nothing to do with it."""
IN_FLIGHT = 64
"""Chunks that an executor has at once if it does not tell how many workers it has."""
WAIT_SECONDS = 0.2

Chunk = tuple[int, int]
"""Number of the first run, and number of runs."""


def chunks(runs: int, size: int) -> Iterator[Chunk]:
    """The chunks of runs 0 to `runs` - 1, in order; the last one can be smaller."""
    for first in range(0, runs, size):
        yield first, min(size, runs - first)


def completed(
    executor: Executor,
    work: Callable[[str], str],
    requests: Iterable[tuple[Chunk, str]],
    in_flight: int | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Generator[tuple[Chunk, str], None, None]:
    """Every chunk with what came of it, in the order in which they are done.

    Args:
        executor: Which does the work.
        work: A function of a module, so that it can travel.
        requests: The chunks with what `work` takes; read as they are handed out.
        in_flight: Chunks that the executor has at once; twice its workers if None.
        should_stop: Asked several times a second; True ends it.

    Raises:
        InvalidExperiment: As `work` does.
        RuntimeError: If a chunk failed ATTEMPTS times.
    """
    limit = in_flight or 2 * _workers(executor)
    waiting, again = iter(requests), deque[tuple[Chunk, str]]()
    attempts: dict[Chunk, int] = {}
    running: dict[Future[str], tuple[Chunk, str]] = {}
    try:
        while should_stop is None or not should_stop():
            while len(running) < limit:
                request = again.popleft() if again else next(waiting, None)
                if request is None:
                    break
                running[executor.submit(work, request[1])] = request
            if not running:
                return
            ended, _ = wait(running, timeout=WAIT_SECONDS, return_when=FIRST_COMPLETED)
            for future in ended:
                chunk, text = running.pop(future)
                try:
                    answer = future.result()
                except InvalidExperiment:
                    raise
                except Exception as error:
                    attempts[chunk] = attempts.get(chunk, 0) + 1
                    if attempts[chunk] == ATTEMPTS:
                        raise _with_chunk(error, chunk) from error
                    again.append((chunk, text))
                else:
                    attempts.pop(chunk, None)
                    yield chunk, answer
    finally:
        for future in running:
            future.cancel()


def _with_chunk(error: Exception, chunk: Chunk) -> RuntimeError:
    """The error of a chunk that failed each time, with what failed."""
    first, runs = chunk
    what = f"runs {first:,} to {first + runs - 1:,} failed {ATTEMPTS} times"
    if isinstance(error, BrokenProcessPool):
        return RuntimeError(
            f"{what}: their process died. It may have run out of memory: fewer runs in a chunk "
            "need less."
        )
    return RuntimeError(f"{what}: {type(error).__name__}: {error}")


def _workers(executor: Executor) -> int:
    """How many workers an executor has, where it tells."""
    for name in ("count", "_max_workers"):
        if isinstance(count := getattr(executor, name, None), int):
            return count
    return IN_FLIGHT // 2
