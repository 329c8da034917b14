"""This session's training jobs: submitted to the worker, watched while they run, then kept.

A slot is a name for a part of a page that has one job at a time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pyarrow
import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from core import log
from core.jobs import memory
from core.jobs.job import Job
from core.jobs.limits import OverBudget, check, duration
from core.jobs.requests import Request
from core.jobs.worker import Worker

REFRESH_SECONDS, WAITING_SECONDS = 0.4, 2.0
"""How often a job is looked at while it runs, and while it waits for its turn."""


@st.cache_resource(show_spinner=False)
def worker() -> Worker:
    """The server's one training process, started in the background by whoever asks first."""
    log.to_stderr()
    memory.return_large()
    # Arrow's own pool keeps what it frees, out of the reach of `return_large`.
    pyarrow.set_memory_pool(pyarrow.system_memory_pool())
    return Worker()


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
    """This session's latest job of every slot; closing the tab cancels them."""
    return {}


def affordable(request: Request) -> bool:
    """Whether a training is within the limits here; where it is not, a warning says why."""
    key = f"affordable.{type(request).__name__}"
    checked, refusal = st.session_state.get(key, (None, None))
    if checked != request:
        # Pricing some requests takes as long as drawing a chart, and a page is drawn often.
        refusal = _refusal(request)
        st.session_state[key] = (request, refusal)
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
    """Submit a job in a slot, in the place of the one before it.

    Args:
        label: what it is, in a few words that other viewers may read.
    """
    session = get_script_run_ctx().session_id
    try:
        job = worker().submit(session, label, request)
    except OverBudget as error:
        # The button should have been off: its page was drawn before the settings changed.
        st.toast(str(error), icon=":material/hourglass_disabled:")
        return
    stop(slot)
    _handles()[slot] = JobHandle(job, request)


def stop(slot: str) -> None:
    """Cancel the job of a slot, if there is one."""
    if handle := latest(slot):
        handle.job.cancel()


def clear(slot: str) -> None:
    """Cancel the job of a slot and forget it."""
    stop(slot)
    _handles().pop(slot, None)


def latest(slot: str) -> JobHandle | None:
    """The job of a slot, whether it waits, runs or has ended."""
    return _handles().get(slot)


def busy(slot: str) -> bool:
    """Whether the job of a slot waits or runs."""
    handle = latest(slot)
    return handle is not None and not handle.job.ended


def result(slot: str, noun: str, draw: Callable[..., None], *arguments: object) -> Any:
    """What came of the job of a slot; None while there is nothing.

    Until it ends it is drawn again and again; where it ended without a result, a message says why.

    Args:
        noun: what it is called in that message, such as "training".
        draw: draws it as `draw(handle, *arguments)`.
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
    """Draw an unfinished job again and again; when it has ended, the page is drawn anew."""
    waiting = latest(slot).job.state == "waiting"

    def again() -> None:
        handle = latest(slot)
        if handle is None or handle.job.ended or (waiting and handle.job.state != "waiting"):
            st.rerun()
        draw(handle, *arguments)

    st.fragment(again, run_every=WAITING_SECONDS if waiting else REFRESH_SECONDS)()


def _no_result(job: Job, noun: str) -> None:
    """Why a job that has ended left no result."""
    if job.state == "cancelled":
        st.info(f"The {noun} was stopped; there is nothing to show.", icon=":material/stop_circle:")
    else:
        st.error(job.error, icon=":material/error:")


def progress(slot: str, share: float, activity: str) -> None:
    """A bar with what the job of a slot does and how long it still takes, and a button to stop it.

    Args:
        share: of its work that is done, from 0 to 1.
        activity: what it does now.
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
    """About how long a job still takes: by its price at first, by its own pace later."""
    priced = max(job.price.seconds - job.seconds, 1.0)
    paced = job.seconds * (1 - share) / share if share else priced
    return f"about {duration((1 - share) * priced + share * paced)} left"
