"""This session's trainings: given to the worker process, watched while they run, then kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pyarrow
import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from core import log
from core.jobs import memory
from core.jobs.limits import OverBudget, check, duration
from core.jobs.worker import Job, Request, Worker

REFRESH_SECONDS, WAITING_SECONDS = 0.4, 2.0
"""How often a job is looked at while it runs, and while it waits for its turn."""


@st.cache_resource(show_spinner=False)
def worker() -> Worker:
    """The server's one training process, started in the background by whoever asks first."""
    log.to_stderr()
    memory.keep_small()
    # Arrow's own pool keeps what it frees, out of the reach of `keep_small`.
    pyarrow.set_memory_pool(pyarrow.system_memory_pool())
    return Worker()


@dataclass(frozen=True)
class Ticket:
    """A job and what it was asked to do."""

    job: Job
    request: Request


def _cancel_all(tickets: dict[str, Ticket]) -> None:
    for ticket in tickets.values():
        ticket.job.cancel()


@st.cache_resource(show_spinner=False, scope="session", on_release=_cancel_all)
def _tickets() -> dict[str, Ticket]:
    """This session's latest job of every place; closing the tab cancels them."""
    return {}


def affordable(request: Request) -> bool:
    """Whether a training is within the limits here; where it is not, why, and what would be."""
    memo = st.session_state.get(f"affordable.{type(request).__name__}")
    if memo is None or memo[0] != request:
        # Pricing some requests takes as long as drawing a chart, and a page is drawn often.
        memo = (request, _refusal(request))
        st.session_state[f"affordable.{type(request).__name__}"] = memo
    if memo[1] is not None:
        st.warning(memo[1], icon=":material/hourglass_disabled:")
    return memo[1] is None


def _refusal(request: Request) -> str | None:
    try:
        check(request, worker().limits)
    except OverBudget as error:
        return str(error)
    return None


def start(place: str, label: str, request: Request) -> None:
    """Ask for a training in the name of a place on a page, in the stead of the one before it."""
    session = get_script_run_ctx().session_id
    try:
        job = worker().submit(session, label, request)
    except OverBudget as error:
        # The button should have been off: its page was drawn before the settings changed.
        st.toast(str(error), icon=":material/hourglass_disabled:")
        return
    stop(place)
    _tickets()[place] = Ticket(job, request)


def stop(place: str) -> None:
    if ticket := latest(place):
        ticket.job.cancel()


def clear(place: str) -> None:
    """Cancel the job of a place and forget it."""
    stop(place)
    _tickets().pop(place, None)


def latest(place: str) -> Ticket | None:
    return _tickets().get(place)


def busy(place: str) -> bool:
    ticket = latest(place)
    return ticket is not None and not ticket.job.ended


def watch(place: str, draw: Callable[..., None], *arguments: object) -> None:
    """Draw an unfinished job of this place again and again, as `draw(ticket, *arguments)`.

    When it has ended, the page is drawn anew.
    """
    waiting = latest(place).job.state == "waiting"

    def again() -> None:
        ticket = latest(place)
        if ticket is None or ticket.job.ended or (waiting and ticket.job.state != "waiting"):
            st.rerun()
        draw(ticket, *arguments)

    st.fragment(again, run_every=WAITING_SECONDS if waiting else REFRESH_SECONDS)()


def progress(place: str, share: float, doing: str) -> None:
    """A bar with what the job of a place does, how long it still takes, and the button to stop it.

    share: of its work that is done, from 0 to 1.
    """
    job = latest(place).job
    with st.container(horizontal=True, vertical_alignment="center"):
        if job.state == "waiting":
            first, *others = job.ahead or ("another training",)
            more = f" and {len(others)} more in the queue" if others else ""
            left = f", about {duration(job.expected_wait)}"
            st.progress(0.0, f"Waiting for: {first}{more}{left}")
        elif job.cancelling:
            st.progress(share, f"Stopping after this step. {doing}")
        else:
            st.progress(share, f"{doing}, {_left(job, share)}")
        st.button(
            "Stop training",
            key=f"{place}-stop",
            icon=":material/stop:",
            disabled=job.cancelling,
            on_click=stop,
            args=(place,),
            width="content",
            help="Stops after the current epoch.",
        )


def _left(job: Job, share: float) -> str:
    """About how long a job still takes: by its price at first, by its own pace later."""
    priced = max(job.price.seconds - job.seconds, 1.0)
    paced = job.seconds * (1 - share) / share if share else priced
    return f"about {duration((1 - share) * priced + share * paced)} left"


def nothing_came(job: Job, what: str) -> None:
    """Why a job that has ended left no result."""
    if job.state == "cancelled":
        st.info(f"The {what} was stopped; there is nothing to show.", icon=":material/stop_circle:")
    else:
        st.error(job.error, icon=":material/error:")
