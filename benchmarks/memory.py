"""Whether memory stays flat: many trainings of different structures in a row through one worker.

    python -m benchmarks.memory [--count 200] [--json]

This process stands in for the server: it holds the pages' libraries and the latest results, as a
session does. Every training has another structure, so that each compiles a program of its own, the
part that TensorFlow never gives back. Prints the memory of both processes together, sampled ten
times a second, and how often the training process was replaced. Linux only: it reads /proc.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import threading
import time
from collections import deque
from dataclasses import replace
from pathlib import Path

import altair  # noqa: F401
import numpy as np
import streamlit  # noqa: F401

from core.costs import MEGABYTE
from core.experiment import Dense, Model
from core.fixes import with_training
from core.jobs.requests import Train
from core.jobs.worker import Worker
from core.problems import PROBLEMS

HIGHEST = 1_500
"""Megabytes that both processes may hold together."""
SESSIONS = 10
"""Latest results that are held, as by so many viewers."""


def resident(pid: int) -> float:
    """Megabytes that a process holds; 0 for one that is gone."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except OSError:
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / MEGABYTE


class Samples:
    """The memory of this process and the worker's, taken in the background; the latest peak."""

    def __init__(self, worker: Worker):
        self.worker, self.peak, self.pids = worker, 0.0, set()
        threading.Thread(target=self._sample, daemon=True).start()

    def now(self) -> tuple[float, float]:
        pid = self.worker.pid
        if pid is None:
            return resident(os.getpid()), 0.0
        self.pids.add(pid)
        return resident(os.getpid()), resident(pid)

    def latest_peak(self) -> float:
        """The most since this was last called."""
        peak, self.peak = self.peak, 0.0
        return peak

    def _sample(self) -> None:
        while True:
            self.peak = max(self.peak, sum(self.now()))
            time.sleep(0.1)


def structures():
    """Networks of one and two hidden layers, each another one."""
    baseline = with_training(epochs=3, batch_size=32)(PROBLEMS["two-blob"].experiment)
    output = baseline.model.output
    for first, second in itertools.product(range(2, 18), range(2, 18)):
        layers = (Dense(first, "relu"), Dense(second, "tanh"), output)
        yield replace(baseline, model=Model(layers))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--count", type=int, default=200, help="trainings, at most 256")
    parser.add_argument("--json", action="store_true", help="for machines, with every training")
    options = parser.parse_args()
    worker, held, rows = Worker(), deque(maxlen=SESSIONS), []
    samples, started = Samples(worker), time.monotonic()
    for number, experiment in enumerate(itertools.islice(structures(), options.count), 1):
        job = worker.submit(f"viewer {number % SESSIONS}", "a training", Train(experiment, 64))
        job.wait()
        if job.error:
            raise SystemExit(job.error)
        held.append(job.result)
        server, process = samples.now()
        rows.append({"training": number, "server MB": server, "worker MB": process})
        rows[-1] |= {"peak MB": samples.latest_peak(), "seconds": job.seconds}
        if not options.json and number % 10 == 0:
            print(f"{number:4}: server {server:5.0f} MB, worker {process:5.0f} MB", flush=True)
    worker.close()
    peaks = [row["peak MB"] for row in rows]
    half = rows[len(rows) // 2 :]
    slope = np.polyfit(range(len(half)), [row["server MB"] + row["worker MB"] for row in half], 1)
    report = {
        "trainings": len(rows),
        "minutes": (time.monotonic() - started) / 60,
        "highest MB": max(peaks),
        "highest MB, first and second half": [
            max(peaks[: len(peaks) // 2]),
            max(peaks[len(peaks) // 2 :]),
        ],
        "trend over the second half, MB a training": float(slope[0]),
        "server MB, at the start and at the end": [rows[0]["server MB"], rows[-1]["server MB"]],
        "times the process was replaced": len(samples.pids) - 1,
        "met": max(peaks) <= HIGHEST,
    }
    if options.json:
        report["rows"] = rows
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
