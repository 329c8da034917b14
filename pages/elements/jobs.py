"""This session's training jobs: submitting them to the worker, their progress and their results.

A slot is the name of a part of a page that has one job at a time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import pyarrow
import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx
from threadpoolctl import threadpool_limits

from core import log
from core.jobs import memory, sharing
from core.jobs.job import Job
from core.jobs.limits import Limits, OverBudget, check, duration, price_within
from core.jobs.requests import Request
from core.jobs.worker import Worker

REFRESH_SECONDS, WAITING_SECONDS = 0.4, 2.0
"""The interval between updates of a job that runs, and of one that waits."""
KEPT = 64
"""Prices of the latest requests, for the whole server."""


@st.cache_resource(show_spinner=False)
def worker() -> Worker:
    """The server's only training process, which the first call starts in the background."""
    log.to_stderr()
    # A diagnosis is a matter of milliseconds, but of seconds where NumPy's threads wait for cores
    # that train.
    threadpool_limits(1)
    memory.keep_little()
    # Arrow's own pool does not return freed memory, and `keep_little` does not affect it.
    pyarrow.set_memory_pool(pyarrow.system_memory_pool())
    # Streamlit opens a browser on one's own machine, and none on a server.
    hosted = st.get_option("server.headless")
    return Worker(processes=sharing.processes(hosted))


def workers() -> int:
    """How many share a long training, for its price."""
    return worker().limits.workers


def expected_seconds(request: Request) -> float:
    """About how long a request takes here."""
    return _seconds_within(request, worker().limits)


@lru_cache(KEPT)
def _seconds_within(request: Request, limits: Limits) -> float:
    """Kept, as a page asks again whenever it is drawn, and planning a search takes 10 ms."""
    return price_within(request, limits).seconds


@dataclass(frozen=True)
class JobHandle:
    """A job and its request."""

    job: Job
    request: Request


def _cancel_all(handles: dict[str, JobHandle]) -> None:
    for handle in handles.values():
        handle.job.cancel()


@st.cache_resource(show_spinner=False, scope="session", on_release=_cancel_all)
def _handles() -> dict[str, JobHandle]:
    """This session's latest job by slot; closing the tab cancels them."""
    return {}


def affordable(request: Request) -> bool:
    """Whether a request is within the server's limits; a warning says why if it is not."""
    key, limits = f"affordable.{type(request).__name__}", worker().limits
    checked, refusal = st.session_state.get(key, (None, None))
    if checked != (request, limits):
        # Estimating the cost can take as long as drawing a chart, and a page is drawn often.
        refusal = _refusal(request)
        st.session_state[key] = ((request, limits), refusal)
    if refusal is not None:
        st.warning(refusal, icon=":material/hourglass_disabled:")
    return refusal is None


def _refusal(request: Request) -> str | None:
    try:
        check(request, worker().limits)
    except OverBudget as error:
        return str(error)
    return None


def start(slot: str, label: str, request: Request) -> None:
    """Submit a job in a slot and cancel the previous one.

    Args:
        slot: Of the job.
        label: What it is in a few words, which other viewers may read in the queue.
        request: To be trained.
    """
    session = get_script_run_ctx().session_id
    try:
        job = worker().submit(session, label, request)
    except OverBudget as error:
        # The button would be disabled if its page had been drawn after the settings changed.
        st.toast(str(error), icon=":material/hourglass_disabled:")
        return
    stop(slot)
    _handles()[slot] = JobHandle(job, request)


def take_over(slot: str, job: Job, request: Request) -> None:
    """Make a job that has ended the latest of a slot, such as one of an earlier session."""
    stop(slot)
    _handles()[slot] = JobHandle(job, request)


def stop(slot: str) -> None:
    """Cancel the job of a slot, if there is one."""
    if handle := latest(slot):
        handle.job.cancel()


def clear(slot: str) -> None:
    """Cancel the job of a slot and remove it."""
    stop(slot)
    _handles().pop(slot, None)


def latest(slot: str) -> JobHandle | None:
    """The latest job of a slot, which may be waiting, running or ended."""
    return _handles().get(slot)


def busy(slot: str) -> bool:
    """Whether the job of a slot waits or runs."""
    handle = latest(slot)
    return handle is not None and not handle.job.ended


def result(slot: str, noun: str, draw: Callable[..., None], *arguments: object) -> Any:
    """The result of the job of a slot; None if there is none yet.

    While the job has not ended, its progress is drawn repeatedly. If it ended without a result, a
    message says why.

    Args:
        slot: Of the job.
        noun: What the message calls the job, such as "training".
        draw: Draws the progress as `draw(handle, *arguments)`.
        *arguments: Of `draw`.
    """
    handle = latest(slot)
    if handle is None:
        return None
    if not handle.job.ended:
        _watch(slot, draw, *arguments)
        return None
    if handle.job.result is None:
        _no_result(handle.job, noun)
    return handle.job.result


def _watch(slot: str, draw: Callable[..., None], *arguments: object) -> None:
    """Draw the progress of a job repeatedly, and the whole page once it has ended."""
    waiting = latest(slot).job.state == "waiting"

    def again() -> None:
        handle = latest(slot)
        if handle is None or handle.job.ended or (waiting and handle.job.state != "waiting"):
            st.rerun()
        draw(handle, *arguments)

    st.fragment(again, run_every=WAITING_SECONDS if waiting else REFRESH_SECONDS)()


def _no_result(job: Job, noun: str) -> None:
    """Draw the reason why a job has ended without a result."""
    if job.state == "cancelled":
        st.info(f"The {noun} was stopped; there is nothing to show.", icon=":material/stop_circle:")
    else:
        st.error(job.error, icon=":material/error:")


def progress(slot: str, share: float, activity: str) -> None:
    """Draw a progress bar for the job of a slot, with the remaining time and a button to stop it.

    Args:
        slot: Of the job.
        share: Fraction of its work that is done, from 0 to 1.
        activity: The current step, in words.
    """
    job = latest(slot).job
    with st.container(horizontal=True, vertical_alignment="center"):
        if job.state == "waiting":
            first, *others = job.ahead or ("another training",)
            more = f" and {len(others)} more in the queue" if others else ""
            left = f", about {duration(job.expected_wait)}"
            st.progress(0.0, f"Waiting for: {first}{more}{left}")
        elif job.cancelling:
            st.progress(share, f"Stopping after this step. {activity}")
        else:
            st.progress(share, f"{activity}, {_left(job, share)}")
        st.button(
            "Stop training",
            key=f"{slot}-stop",
            icon=":material/stop:",
            disabled=job.cancelling,
            on_click=stop,
            args=(slot,),
            width="content",
            help="Stops after the current epoch.",
        )


def _left(job: Job, share: float) -> str:
    """The remaining time of a job in words: from its price at first, from its own pace later."""
    by_price = max(job.price.seconds - job.seconds, 1.0)
    by_pace = job.seconds * (1 - share) / share if share else by_price
    return f"about {duration((1 - share) * by_price + share * by_pace)} left"
