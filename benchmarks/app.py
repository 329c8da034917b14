"""The app as a person would start it, for whoever drives it from outside: tests and benchmarks."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 60


@dataclass(frozen=True)
class App:
    """A server that runs.

    address: where it answers, as `http://127.0.0.1:<port>`.
    process: the server; the process that trains is its child.
    """

    address: str
    process: subprocess.Popen
    _words: IO[str]

    def words(self) -> str:
        """What the server and its child have printed so far, on either stream."""
        self._words.seek(0)
        return self._words.read()

    def memory(self) -> tuple[float, float]:
        """Resident memory of the server and of its children, in MB (1e6 bytes); Linux only."""
        pid = self.process.pid
        children = [
            child
            for task in Path(f"/proc/{pid}/task").iterdir()
            for child in (task / "children").read_text().split()
        ]
        return _resident(pid), sum(map(_resident, children))

    def has_loaded(self, library: str) -> bool:
        """Whether the server itself has mapped a library with this in its path; Linux only."""
        return library in Path(f"/proc/{self.process.pid}/maps").read_text()


@contextlib.contextmanager
def started() -> Iterator[App]:
    """The app on a free port of this machine, for the time of a `with` block."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "streamlit_app.py")]
    command += [f"--server.port={port}", "--server.address=127.0.0.1", "--server.headless=true"]
    # A file, not a pipe: nobody has to read it for the server to go on. Appended to, so that
    # reading it does not move where the server writes.
    with tempfile.TemporaryFile("a+", errors="replace") as words:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            stdout=words,
            stderr=subprocess.STDOUT,
        )
        try:
            address = f"http://127.0.0.1:{port}"
            _wait_until_up(f"{address}/_stcore/health", process)
            yield App(address, process, words)
        finally:
            process.terminate()
            process.wait(timeout=20)


def _wait_until_up(address: str, process: subprocess.Popen) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError):
            urllib.request.urlopen(address, timeout=1).close()
            return
        time.sleep(0.05)
    raise RuntimeError("the app does not start")


def _resident(pid: int | str) -> float:
    with contextlib.suppress(OSError):  # it may end while it is looked at
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024 / 1e6
    return 0.0
