"""The visitor's trainings, which outlast the session: a page that is loaded again has them.

A session ends with its page. A cookie with a random name therefore connects a browser's sessions,
from its first training on; it holds nothing else, and nobody else can read what it names.
"""

from __future__ import annotations

import re
import secrets

import streamlit as st

from core.jobs.requests import Train
from core.jobs.trainings import Training, Trainings
from pages.elements import browser, jobs, own, state

COOKIE = "plateau"
NAME = re.compile(r"[A-Za-z0-9_-]{22}")
VISITOR = "visitor"
"""The session's key of the visitor's name."""
LONGEST_NAME = 60
"""Characters of the name of a training."""


@st.cache_resource(show_spinner=False)
def _kept() -> Trainings:
    return Trainings()


def _visitor() -> str:
    """The visitor's name: the cookie's, or a new one."""
    if VISITOR not in st.session_state:
        sent = str(st.context.cookies.get(COOKIE, ""))
        known = bool(NAME.fullmatch(sent))
        st.session_state[VISITOR] = sent if known else secrets.token_urlsafe(16)
    return st.session_state[VISITOR]


def keep(problem: str, request: Train) -> None:
    """Keep the training that has just been started on a problem's page."""
    handle = jobs.latest(problem)
    if handle is None or handle.request != request:
        return
    _kept().add(_visitor(), Training(_name(problem), problem, request, handle.job))
    browser.set_cookie(COOKIE, _visitor())


def trainings(problem: str) -> tuple[Training, ...]:
    """The visitor's trainings on a problem's page, the oldest first."""
    return _kept().of(_visitor(), problem)


def forget(problem: str, training: Training) -> None:
    """Callback: forget a training."""
    _kept().remove(_visitor(), training)


def show(problem: str, training: Training) -> None:
    """Show the results of a training on its page, if they are kept."""
    if training.history is not None:
        jobs.take_over(problem, training.job, training.request)


def restore(problem: str, request: Train) -> None:
    """Show the visitor's kept results of a request where the session has none."""
    if jobs.latest(problem) is None:
        for training in trainings(problem):
            if training.request == request:
                show(problem, training)


def found(problem: str, request: Train) -> bool:
    """Show anybody's kept results of a request that a link asks for; whether there are any."""
    job = _kept().find(request)
    if job is not None:
        jobs.take_over(problem, job, request)
    return job is not None


def _name(problem: str) -> str:
    """The settings of a training in a few words: what was changed, the fixes first."""
    fixes = " ".join(f"+ {fix.title}" for fix in state.steps(problem))
    by_hand = [f"{label.lower()} {text}" for label, text in state.changed(problem).items()]
    name = ", ".join([fixes] * bool(fixes) + by_hand) or own.unchanged(problem)
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}\u2026"
