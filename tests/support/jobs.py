"""Waiting for jobs of a worker, and a Python beside the tests' own."""

import os
import subprocess
import sys
import time
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
"""On the path of a process that has to unpickle `support.requests`."""
PATIENCE = 20
"""Seconds that a wait may take before the test fails; nothing waits that long if all is well."""


def until(condition, seconds=PATIENCE):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.005)


def ended(job):
    assert job.wait(PATIENCE), job.state
    return job


def started(job):
    until(lambda: job.events)
    return job


def run_elsewhere(code, folder):
    """Start a Python with this code; its current folder is not the repository."""
    path = os.pathsep.join([str(TESTS.parent), str(TESTS)])
    return subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
