"""The app as a person would start it, for whoever drives it from outside: tests and benchmarks."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 60
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
"""The browser that opens it; None where there is none."""
# Without these, Chromium calls its maker's servers, which a closed network refuses one by one.
ARGUMENTS = ["--no-sandbox", "--disable-background-networking", "--disable-quic", "--no-first-run"]


class App:
    """The server on a port of its own, which it keeps when it is started again.

    Args:
        options: for the process, as `subprocess.Popen` takes them.

    Attributes:
        address: where it answers, as `http://127.0.0.1:<port>`.
        process: the server; the process that trains is its child.
    """

    def __init__(self, **options):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        self.address = f"http://127.0.0.1:{self._port}"
        self.process: subprocess.Popen | None = None
        # A file, not a pipe: nobody has to read it for the server to go on. Appended to, so that
        # reading it does not move where the server writes.
        self._words = tempfile.TemporaryFile("a+", errors="replace")  # noqa: SIM115, for its life
        self._options = {"stdout": self._words, "stderr": subprocess.STDOUT, **options}

    def start(self) -> None:
        """Start it and wait until it answers. Raises RuntimeError where it does not."""
        command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "streamlit_app.py")]
        command += [f"--server.port={self._port}", "--server.address=127.0.0.1"]
        command += ["--server.headless=true"]
        # Compiled modules are kept, as they are wherever nobody has switched that off.
        environment = {**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": ""}
        self.process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            **self._options,
        )
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"{self.address}/_stcore/health", timeout=1).close()
                return
            time.sleep(0.05)
        self.stop()
        raise RuntimeError("the app does not start")

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=20)

    def words(self) -> str:
        """What the server and its child have printed so far, on either stream."""
        self._words.seek(0)
        return self._words.read()

    def children(self) -> list[int]:
        """The processes that it has started; Linux only."""
        pids: list[int] = []
        for children in Path(f"/proc/{self.process.pid}/task").glob("*/children"):
            with contextlib.suppress(OSError):  # a thread may end while it is looked at
                pids += map(int, children.read_text().split())
        return pids

    def memory(self) -> tuple[float, float]:
        """Resident memory of the server and of its children, in MB (1e6 bytes); Linux only."""
        return _resident(self.process.pid), sum(map(_resident, self.children()))

    def has_loaded(self, library: str) -> bool:
        """Whether the server itself has mapped a library with this in its path; Linux only."""
        return library in Path(f"/proc/{self.process.pid}/maps").read_text()


@contextlib.contextmanager
def started(**options) -> Iterator[App]:
    """The app for the time of a `with` block."""
    app = App(**options)
    app.start()
    try:
        yield app
    finally:
        app.stop()


def _resident(pid: int) -> float:
    with contextlib.suppress(OSError):  # it may end while it is looked at
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024 / 1e6
    return 0.0
