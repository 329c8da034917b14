"""How the app holds up under many visitors, measured over its own websocket protocol.

    python -m benchmarks.load [--sessions 50] [--seconds 180] [--json FILE]

Starts the app on a port of this machine and measures, in this order: the first paint of every page
and the first result, each on a server that has just started; the first training of a network that
is to be compiled, with the training process at rest; a page change while nobody else is
there, and while somebody else trains without a pause; then `--sessions` visitors at once for
`--seconds`, each of whom opens a page, changes a control, trains, stops or waits for the result,
and changes the page, with time to think in between. A latency is the time until the script has run
and all of the page has arrived; the visitors share the processors with the server. Linux only:
memory is read from /proc.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import threading
import time
from collections import Counter, defaultdict
from datetime import datetime, timezone

import numpy as np
import pandas as pd

from benchmarks.app import App, started
from benchmarks.session import Session

PROBLEMS = {"Threshold_problem": "threshold", "Two_blob_problem": "two-blob"}
PAGES = ("", *PROBLEMS, "Compare_fixes", "Check_the_answers")
THINK = (2.0, 8.0)
"""Seconds between two actions of a visitor, drawn uniformly."""
RUNS, EPOCHS = 16, (5, 40)
"""What a visitor trains; the epochs are drawn."""
CHANGES = 60
"""Page changes for a percentile, on an idle server and beside a training."""
SAMPLE_SECONDS = 2.0
LONG = 120.0
NEW_BATCHES = (6, 7, 8)
"""Batch sizes of the threshold question, each of which takes a program of its own."""


class Journal:
    """What happened, written by all visitors: seconds by kind of action, and failures."""

    def __init__(self):
        self.seconds: dict[str, list[float]] = defaultdict(list)
        self.failures: Counter[str] = Counter()

    def note(self, kind: str, visitor: Session, *seconds: float) -> None:
        """An action and what the page says after it: an exception or an error is a failure."""
        self.seconds[kind].extend(seconds)
        errors = [alert.body for alert in visitor.of("alert") if alert.format == alert.ERROR]
        for text in (*visitor.exceptions, *errors):
            self.failures[f"{kind}: {text}"] += 1

    def rows(self) -> list[dict]:
        return [latency(kind, self.seconds[kind]) for kind in KINDS if self.seconds.get(kind)]


class Leaving(Exception):
    """A visitor's time is over."""


KINDS = (
    "open a page",
    "change the page",
    "open controls",
    "change a control",
    "press Train",
    "redraw while training",
    "from Train to the result",
    "press Stop",
    "from Stop to the result",
)


def latency(kind: str, seconds: list[float]) -> dict:
    milliseconds = 1000 * np.array(seconds)
    p50, p95, p99 = np.percentile(milliseconds, (50, 95, 99))
    return {"action": kind, "count": len(seconds), "p50 ms": p50, "p95 ms": p95, "p99 ms": p99}


def result_shown(visitor: Session) -> bool:
    """A training's result, headed by how its runs ended, or the news that there is none."""
    return any(" ended " in heading.body for heading in visitor.of("heading")) or any(
        "was stopped" in alert.body for alert in visitor.of("alert")
    )


def set_to(visitor: Session, problem: str, group: str, name: str, value) -> tuple[float, float]:
    """Open a group of controls and set one of them; seconds that each took.

    The group is closed by what the visitor presses next.
    """
    opening = visitor.change(f"{problem}-{group}", True)
    changing = visitor.change(f"{problem}.{name}", value)
    visitor.hold(f"{problem}-{group}", False)
    return opening, changing


def visit(address: str, number: int, journal: Journal, end: float) -> None:
    """One visitor until `end`; a visitor whose connection fails comes back as a new one."""
    draw = random.Random(number)

    def think() -> None:
        """Raises Leaving where the time is over: all at once is not how visitors act."""
        time.sleep(max(0.0, min(draw.uniform(*THINK), end - time.monotonic())))
        if time.monotonic() >= end:
            raise Leaving

    while time.monotonic() < end:
        try:
            think()
            with Session(address) as visitor:
                page = draw.choice(tuple(PROBLEMS))
                journal.note("open a page", visitor, visitor.open(page, f"runs={RUNS}"))
                while True:
                    _train_once(visitor, PROBLEMS[page], journal, draw, think)
                    page = draw.choice(tuple(PROBLEMS))
                    for other in (draw.choice(PAGES), page):
                        think()
                        journal.note("change the page", visitor, visitor.go_to(other))
                    set_to(visitor, PROBLEMS[page], "runs", "runs", str(RUNS))
        except Leaving:
            return
        except Exception as error:
            # Whatever ends a visit is what this looks for: a hang, a closed connection, a control
            # that is not there.
            journal.failures[f"{type(error).__name__}: {error}"] += 1


def _train_once(visitor: Session, problem: str, journal: Journal, draw, think) -> None:
    think()
    opening, changing = set_to(visitor, problem, "training", "epochs", draw.randint(*EPOCHS))
    journal.note("open controls", visitor, opening)
    journal.note("change a control", visitor, changing)
    think()
    pressed = time.monotonic()
    journal.note("press Train", visitor, visitor.press(f"{problem}-train"))
    stops = draw.random() < 0.5
    patience = draw.uniform(*THINK) if stops else LONG
    redraws = visitor.watch(lambda: result_shown(visitor), patience)
    journal.note("redraw while training", visitor, *redraws)
    if result_shown(visitor):
        journal.note("from Train to the result", visitor, time.monotonic() - pressed)
        return
    pressed = time.monotonic()
    journal.note("press Stop", visitor, visitor.press(f"{problem}-stop"))
    redraws = visitor.watch(lambda: result_shown(visitor), LONG)
    journal.note("redraw while training", visitor, *redraws)
    if not result_shown(visitor):
        raise TimeoutError("no result after Stop")
    journal.note("from Stop to the result", visitor, time.monotonic() - pressed)


# --- the parts of the measurement ---------------------------------------------------------------


def cold() -> dict:
    """What the first visitor of a server that has just started waits for, in seconds."""
    return {"first pages": [first_page(page) for page in PAGES], "first result": first_result()}


def first_page(page: str) -> dict:
    """One page on a server of its own: its first element, and all of it."""
    start = time.monotonic()
    with started() as app, Session(app.address) as visitor:
        answers = time.monotonic() - start
        whole = visitor.open(page)
        return {
            "page": page or "Home",
            "server answers": answers,
            "first paint": visitor.painted,
            "whole page": whole,
        }


def first_result() -> float:
    """From the server's start to the result of a training that is asked for at once."""
    start = time.monotonic()
    with started() as app, Session(app.address) as visitor:
        visitor.open("Threshold_problem", f"runs={RUNS}")
        visitor.press("threshold-train")
        visitor.watch(lambda: result_shown(visitor), LONG)
        if not result_shown(visitor):
            raise TimeoutError("no first result")
        return time.monotonic() - start


def first_of_a_structure(address: str) -> float:
    """From a press of Train to the result, 64 runs of the threshold question: the median."""
    seconds = []
    with Session(address) as visitor:
        visitor.open("Threshold_problem")
        visitor.press("threshold-train")  # by then all else is compiled and warm
        visitor.watch(lambda: result_shown(visitor), LONG)
        for size in NEW_BATCHES:
            set_to(visitor, "threshold", "training", "batch-size", size)
            pressed = time.monotonic()
            visitor.press("threshold-train")
            visitor.watch(lambda: result_shown(visitor), LONG)
            seconds.append(time.monotonic() - pressed)
    return float(np.median(seconds))


def page_changes(address: str) -> list[float]:
    """Seconds of every page change of one visitor who goes round all pages."""
    with Session(address) as visitor:
        visitor.open()
        return [visitor.go_to(PAGES[number % len(PAGES)]) for number in range(1, CHANGES + 1)]


def beside_a_training(app: App) -> dict:
    """Page changes on an idle server, and while another session trains without a pause."""
    page_changes(app.address)
    idle, over, trained = page_changes(app.address), threading.Event(), []

    def train_on() -> None:
        with Session(app.address) as visitor:
            visitor.open("Threshold_problem")
            while not over.is_set():
                visitor.press("threshold-train")
                visitor.watch(lambda: over.is_set() or result_shown(visitor), LONG)
                trained.append(visitor.exceptions)

    with Session(app.address) as first:  # the compiling is not what is asked about
        first.open("Threshold_problem")
        first.press("threshold-train")
        first.watch(lambda: result_shown(first), LONG)
    trainer = threading.Thread(target=train_on, daemon=True)
    trainer.start()
    time.sleep(1)
    busy = page_changes(app.address)
    over.set()
    trainer.join(LONG)
    rows = [latency("idle server", idle), latency("beside trainings", busy)]
    return {"changes": rows, "trainings": len(trained), "failures": sum(map(bool, trained))}


def load(app: App, sessions: int, seconds: float) -> dict:
    """All visitors at once; memory of the server and of its child over time."""
    journal, start = Journal(), time.monotonic()
    end = start + seconds
    visitors = [
        threading.Thread(target=visit, args=(app.address, number, journal, end), daemon=True)
        for number in range(sessions)
    ]
    for visitor in visitors:
        visitor.start()
    memory = []
    while any(visitor.is_alive() for visitor in visitors) and time.monotonic() < end + LONG:
        memory.append((time.monotonic() - start, *app.memory()))
        time.sleep(SAMPLE_SECONDS)
    hanging = sum(visitor.is_alive() for visitor in visitors)
    if hanging:
        journal.failures["a visitor that never came to an end"] += hanging
    names = ("second", "server MB", "worker MB")
    return {
        "latencies": journal.rows(),
        "actions": sum(map(len, journal.seconds.values())),
        "failures": dict(journal.failures),
        "memory": [dict(zip(names, row, strict=True)) for row in memory],
    }


def targets(report: dict) -> list[dict]:
    """What should hold, what was measured, and whether that is enough."""
    idle, busy = (row["p95 ms"] for row in report["beside a training"]["changes"])
    ratio = busy / idle
    most = max(row["server MB"] for row in report["load"]["memory"])
    paint = max(row["first paint"] for row in report["cold"]["first pages"])
    result = report["cold"]["first result"]
    fresh = report["first of a structure"]
    failed = sum(report["load"]["failures"].values())
    rows = (
        ("no failure under load", failed, failed == 0),
        ("first paint of every page within 1.5 s on a cold server (s)", paint, paint < 1.5),
        ("first result within 20 s of a cold start (s)", result, result < 20),
        ("64 runs of a new structure within 2 s of the press (s)", fresh, fresh < 2),
        ("p95 of a page change beside trainings at most 2 x idle", ratio, bool(ratio <= 2)),
        (f"server below 250 MB with {report['sessions']} sessions (MB)", most, most < 250),
        ("the server has not loaded TensorFlow", "-", not report["tensorflow in the server"]),
    )
    return [dict(zip(("target", "measured", "met"), row, strict=True)) for row in rows]


def table(rows: list[dict]) -> str:
    """The rows under their keys; numbers to three figures."""

    def text(value: object) -> str:
        if isinstance(value, bool):
            return "met" if value else "NOT met"
        if isinstance(value, float):
            return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
        return str(value)

    return pd.DataFrame(rows, dtype=object).map(text).to_string(index=False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sessions", type=int, default=50, help="visitors at once")
    parser.add_argument("--seconds", type=float, default=180, help="how long they stay")
    parser.add_argument("--json", metavar="FILE", help="write all figures to a file as well")
    options = parser.parse_args()
    report = {
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "cpus": os.cpu_count(),
        "load average before": os.getloadavg()[0],
        "sessions": options.sessions,
        "seconds": options.seconds,
        "cold": cold(),
    }
    with started() as app:
        report["first of a structure"] = first_of_a_structure(app.address)
        report["beside a training"] = beside_a_training(app)
        report["load"] = load(app, options.sessions, options.seconds)
        report["tensorflow in the server"] = app.has_loaded("tensorflow")
        report["printed"] = app.words().splitlines()
    report["targets"] = targets(report)
    if options.json:
        with open(options.json, "w") as file:
            json.dump(report, file, indent=1)
    memory = report["load"]["memory"]
    print(f"{report['date']}, {report['cpus']} CPUs, load average {report['load average before']}")
    print(f"\nCold start, in seconds:\n{table(report['cold']['first pages'])}")
    print(f"The first result, from the server's start: {report['cold']['first result']:.1f} s")
    print(f"64 runs of a new structure: {report['first of a structure']:.1f} s after the press")
    print(f"\nPage changes:\n{table(report['beside a training']['changes'])}")
    print(f"{report['beside a training']['trainings']} trainings ran meanwhile.")
    print(f"\n{options.sessions} visitors for {options.seconds:g} s:")
    print(table(report["load"]["latencies"]))
    print(f"{report['load']['actions']} actions; failures: {report['load']['failures'] or 'none'}")
    print(f"Memory:\n{table(memory[:: max(1, len(memory) // 8)])}")
    print(*report["printed"], sep="\n")
    print(f"\n{table(report['targets'])}")


if __name__ == "__main__":
    main()
