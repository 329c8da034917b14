"""The options of a command that say who trains, and the executor that they name."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

from core.sweep.processes import Processes


def add_arguments(parser: argparse.ArgumentParser, default: str) -> None:
    """Add `--processes` and `--dask`; `default` says who trains without them."""
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--processes", type=int, help=f"on this machine (default: {default})")
    where.add_argument("--dask", metavar="tcp://HOST:PORT", help="a scheduler of Dask")


@contextmanager
def chosen_executor(given: argparse.Namespace) -> Iterator[tuple[Executor | None, int | None]]:
    """The executor and the chunks that it should have at once; None for the default of each.

    Raises:
        ImportError: Dask is not installed.
        OSError: The scheduler does not answer.
        ValueError: The scheduler or the processes cannot be used as they are.
    """
    if given.dask:
        with connected(given.dask) as client:
            threads = sum(client.nthreads().values())
            if not threads:
                print(f"{given.dask} has no workers yet.", file=sys.stderr, flush=True)
            # Not pure: a chunk that is asked for again is to be trained again.
            yield client.get_executor(pure=False, retries=2), 2 * max(threads, 1)
    elif given.processes is not None:
        executor = Processes(given.processes)
        try:
            yield executor, None
        finally:
            executor.kill()
    else:
        yield None, None


def connected(address: str, **options: Any) -> Any:
    """A client of the scheduler of Dask at this address.

    Raises:
        ImportError: Dask is not installed.
        OSError: The scheduler does not answer.
        ValueError: It or one of its workers cannot import this repository.
    """
    try:
        from distributed import Client
    except ImportError:
        raise ImportError(
            "Dask is not installed: pip install -r requirements-cluster.txt"
        ) from None
    client = Client(address, **options)

    # Inside a function it travels whole; a function of a module would be imported there.
    def has_core() -> bool:
        return find_spec("core") is not None

    if not all((client.run_on_scheduler(has_core), *client.run(has_core).values())):
        client.close()
        raise ValueError(
            f"the scheduler at {address} or one of its workers cannot import core: start them "
            "with this repository in PYTHONPATH"
        )
    return client
