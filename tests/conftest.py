"""What tests share: a real server and a real browser."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from benchmarks.app import started

CHROMIUM = next(
    (
        found
        for name in ("chromium", "chromium-browser", "google-chrome")
        if (found := shutil.which(name))
    ),
    None,
)
# Without these, Chromium calls its maker's servers, which a closed network refuses one by one.
ARGUMENTS = ["--no-sandbox", "--disable-background-networking", "--disable-quic", "--no-first-run"]


class Server:
    """The app as a person would start it, on a port of its own that it keeps when started again.

    options: for the process, as `subprocess.Popen` takes them.
    """

    def __init__(self, **options):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.address, self.options = f"http://127.0.0.1:{self.port}", options
        self.process: subprocess.Popen | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "streamlit_app.py")]
        command += [f"--server.port={self.port}", "--server.headless=true"]
        command += ["--server.address=127.0.0.1"]
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.DEVNULL, **self.options
        )
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                with urllib.request.urlopen(f"{self.address}/_stcore/health", timeout=1):
                    return
            except OSError:
                time.sleep(0.1)
        self.stop()
        raise RuntimeError("the app does not start")

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=20)

    def children(self) -> list[int]:
        """The processes that it has started (Linux)."""
        tasks = Path(f"/proc/{self.process.pid}/task").glob("*/children")
        return [int(pid) for task in tasks for pid in task.read_text().split()]


@pytest.fixture(scope="session")
def app():
    """The app, started as a person would start it."""
    with started() as running:
        yield running


@pytest.fixture(scope="session")
def server(app):
    """The address of the app."""
    return app.address


@pytest.fixture(scope="session")
def browser():
    """Chromium; skips where there is none, except in CI, which installs one."""
    if CHROMIUM is None:
        if os.environ.get("CI"):
            pytest.fail("CI has to install Chromium")
        pytest.skip("no Chromium on this machine: install the package chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser):
    """A page of a new visitor, as wide as a laptop; fails the test on an error of our scripts."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    opened, errors = context.new_page(), []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    yield opened
    context.close()
    assert not errors
