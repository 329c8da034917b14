"""The options of a command that say who trains, and the executor that they name."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager

from core.sweep.processes import Processes


def add_arguments(parser: argparse.ArgumentParser, default: str) -> None:
    """Add `--processes` and `--dask`; `default` says who trains without them."""
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--processes", type=int, help=f"on this machine (default: {default})")
    where.add_argument("--dask", metavar="tcp://HOST:PORT", help="a scheduler of Dask")


@contextmanager
def chosen_executor(given: argparse.Namespace) -> Iterator[tuple[Executor | None, int | None]]:
    """The executor and the chunks that it should have at once; None for the default of each."""
    if given.dask:
        from distributed import Client

        with Client(given.dask) as client:
            threads = sum(client.nthreads().values())
            # Not pure: a chunk that is asked for again is to be trained again.
            yield client.get_executor(pure=False, retries=2), 2 * max(threads, 1)
    elif given.processes:
        executor = Processes(given.processes)
        try:
            yield executor, None
        finally:
            executor.kill()
    else:
        yield None, None
