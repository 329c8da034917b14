"""The one change to make: verified on the same seeds, or the first suggested with a test of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

import pandas as pd
import streamlit as st

from core.diagnosis import Finding, main_cause
from core.diagnosis.trials import Repair, Trial, expected
from core.experiment import Experiment, InvalidExperiment
from core.history import History
from core.jobs.limits import duration
from core.jobs.requests import TryFixes
from pages.elements import charts, controls, diagnosis, jobs, own, state
from pages.elements.layout import TEXT

RUNS = 32
"""Of each change that is tested."""


def draw(problem: str, experiment: Experiment, history: History | None) -> None:
    """Draw the main cause, what to change, and the button that tests or applies it.

    Args:
        problem: Whose page.
        experiment: To be changed.
        history: Its training; None before the first.
    """
    found = diagnosis.findings_for(experiment, history, state.target(problem))
    repair = tried(problem, experiment)
    # How many runs succeed, the first sentence after a training, stands above.
    told = diagnosis.told(problem, experiment, history, repair)
    start = 0 if history is None else 1
    harmful = diagnosis.harmful(found)
    if not harmful:
        st.markdown(" ".join(told[start:]), width=TEXT)
        return
    st.markdown(" ".join(told[start:2]), width=TEXT)
    st.markdown(f"**{told[-1]}**")
    slot = _slot(problem)
    if repair is None:
        important = [main_cause(found), *harmful]
        _untested(problem, experiment, found, important, history is not None)
    jobs.result(slot, "test", _trying, slot)
    if repair is not None and repair.smallest is not None and not jobs.busy(slot):
        _apply_verified(problem, repair.smallest)


def _untested(
    problem: str,
    experiment: Experiment,
    found: tuple[Finding, ...],
    by_importance: Sequence[Finding],
    trained: bool,
) -> None:
    """Draw a button that tests the suggested fixes, and one that applies the first untested."""
    slot, request = _slot(problem), _request(problem, experiment, found)
    fix = next((fix for finding in by_importance for fix in finding.fixes), None)
    with st.container(horizontal=True):
        st.button(
            f"Test these fixes (about {duration(jobs.expected_seconds(request))})",
            key=f"{problem}-try",
            # Before a training, to train is what comes first.
            type="primary" if trained else "secondary",
            icon=":material/science:",
            disabled=fix is None or not jobs.affordable(request) or jobs.busy(slot),
            on_click=jobs.start,
            args=(slot, "a trial of suggested fixes", request),
            help="Trains this experiment with each suggested fix, and with useful combinations "
            "of them, on the same seeds.",
        )
        if fix is not None:
            st.button(
                "Apply and train",
                key=f"{problem}-apply-first",
                icon=":material/build:",
                on_click=apply,
                args=(problem, fix.title, fix.apply, (fix.key,)),
                help=f"{fix.title}: changes the settings and trains with them.",
            )


def _apply_verified(problem: str, smallest: Trial) -> None:
    """Draw a button that applies the smallest change that matches the best result."""
    st.button(
        "Apply this change and train",
        key=f"{problem}-apply-smallest",
        type="primary",
        icon=":material/build:",
        on_click=apply,
        args=(problem, " + ".join(smallest.titles), lambda _: smallest.experiment, smallest.fixes),
        help="The smallest change that matches the best result, tested on the same seeds. Changes "
        "the settings and trains with them.",
    )


def rates(problem: str, repair: Repair) -> None:
    """Draw how many runs succeed as is and with each change that was tested."""
    if not repair.trials:
        st.caption(repair.note)
        return
    best_first = sorted(repair.trials, key=lambda trial: -trial.rate.value)
    unchanged = repair.experiment == own.problem(problem).experiment
    before = own.unchanged(problem) if unchanged else "As set"
    measured = {before: repair.before} | {" + ".join(t.titles): t.rate for t in best_first}
    frame = pd.DataFrame(
        {
            "label": label,
            "rate": rate.value,
            "low": rate.low,
            "high": rate.high,
            "successes": rate.successes,
            "runs": rate.runs,
            "named": repair.smallest is not None and label == " + ".join(repair.smallest.titles),
        }
        for label, rate in measured.items()
    )
    with st.container(border=True):
        charts.show(
            charts.rate(frame, f"Runs that {repair.passes}"),
            f"Runs that {repair.passes} without and with each change, with 95% intervals.",
        )
        if repair.note:
            st.caption(repair.note)
        if repair.smallest is not None:
            st.caption(f"{charts.NAMED}: the smallest change that matches the best result.")


def test(problem: str, experiment: Experiment, found: tuple[Finding, ...]) -> None:
    """Start the trial of the fixes that findings suggest."""
    request = _request(problem, experiment, found)
    jobs.start(_slot(problem), "a trial of suggested fixes", request)


def clear(problem: str) -> None:
    """Cancel the trial, and forget its result."""
    jobs.clear(_slot(problem))


def testing(problem: str) -> bool:
    """Whether a trial waits or runs."""
    return jobs.busy(_slot(problem))


def tried(problem: str, experiment: Experiment) -> Repair | None:
    """The finished trial of this experiment's fixes; None if there is none."""
    handle = jobs.latest(_slot(problem))
    if handle is None or not isinstance(handle.job.result, Repair):
        return None
    return handle.job.result if handle.job.result.experiment == experiment else None


def apply(
    problem: str, title: str, edit: Callable[[Experiment], Experiment], fixes: tuple[str, ...]
) -> None:
    """Callback: change the settings and train with them.

    Does nothing if a change sent with the same click has made the settings invalid; the page says
    so.

    Args:
        problem: Whose settings.
        title: Of the change.
        edit: Makes the change.
        fixes: Keys of the fixes that it consists of.
    """
    try:
        changed = edit(state.experiment(problem))
    except InvalidExperiment:
        return
    if state.adopt(problem, changed, (*state.chosen(problem), *fixes)):
        controls.train(problem)
    else:
        st.toast(f"{title}: the controls cannot set this.", icon=":material/info:")


def _slot(problem: str) -> str:
    return f"{problem}.tries"


def _request(problem: str, experiment: Experiment, findings: tuple[Finding, ...]) -> TryFixes:
    return TryFixes(
        experiment,
        runs=RUNS,
        seed=state.seed(problem),
        target=state.target(problem),
        likely=_likely(experiment, findings),
    )


@lru_cache(maxsize=64)
def _likely(experiment: Experiment, findings: tuple[Finding, ...]) -> tuple[Experiment, ...]:
    return expected(experiment, findings)


def _trying(handle: jobs.JobHandle, slot: str) -> None:
    events = handle.job.events
    share = events[-1].share if events else 0.0
    doing = (
        f"{events[-1].finished} of {events[-1].of} experiments trained" if share else "Compiling"
    )
    jobs.progress(slot, share, doing)
