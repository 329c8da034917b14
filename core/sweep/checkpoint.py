"""The finished chunks of a sweep in a file of JSON Lines, from which it goes on after anything."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from core.sweep.statistics import Statistics


class Checkpoint:
    """A file whose first line says what is trained, and each other one what came of a chunk.

    A line that was cut off when the writing process died is overwritten, and any other one that
    cannot be read is left out.

    Args:
        path: Of the file, which is made where there is none.
        sweep: What decides every chunk, as values of JSON.

    Raises:
        ValueError: If the file is of another sweep, or no checkpoint at all.
    """

    def __init__(self, path: Path, sweep: Mapping[str, Any]):
        mode = "r+b" if path.exists() else "w+b"
        self._file: IO[bytes] = open(path, mode)  # noqa: SIM115
        header = self._file.readline()
        if not header.endswith(b"\n"):
            if header and not header.startswith(b'{"sweep":'):
                self._file.close()
                raise ValueError(f"{path} is no checkpoint of a sweep")
            self._file.seek(0)
            self._file.truncate()
            self._write({"sweep": dict(sweep)})
            return
        try:
            found = dict(json.loads(header)["sweep"])
        except (ValueError, KeyError, TypeError):
            self._file.close()
            raise ValueError(f"{path} is no checkpoint of a sweep") from None
        if found != dict(sweep):
            self._file.close()
            other = [name for name in sweep if found.get(name) != sweep[name]]
            raise ValueError(
                f"{path} is the checkpoint of another sweep: it differs in {', '.join(other)}. "
                "Name another file, or delete this one."
            )

    def finished(self) -> Iterator[tuple[int, int, Statistics]]:
        """First run, number of runs and statistics of every chunk in the file; reads it once."""
        end = self._file.tell()
        for line in iter(self._file.readline, b""):
            if not line.endswith(b"\n"):
                break
            end = self._file.tell()
            try:
                chunk = json.loads(line)
                first, runs = int(chunk["first"]), int(chunk["runs"])
                statistics = Statistics.restored(chunk["statistics"])
            except (ValueError, KeyError, TypeError):
                continue
            if statistics.runs == runs:
                yield first, runs, statistics
        self._file.seek(end)
        self._file.truncate()

    def add(self, first: int, runs: int, statistics: Statistics) -> None:
        """Write a chunk to the disk."""
        self._write({"first": first, "runs": runs, "statistics": statistics.plain()})

    def _write(self, line: Mapping[str, Any]) -> None:
        self._file.write(json.dumps(line, separators=(",", ":")).encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def __enter__(self) -> Checkpoint:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()
