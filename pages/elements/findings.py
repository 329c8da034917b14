"""Why it is stuck, on a page: findings as cards with their evidence, and the fix one click away."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import streamlit as st

from core import view
from core.data import prepare
from core.diagnosis import Finding, Severity, diagnose, from_settings, verdict
from core.experiment import Experiment, InvalidExperiment
from core.history import History
from core.problems import Fix
from core.repair import Repair, TryFixes
from pages.elements import charts, controls, jobs, pictures, state
from pages.elements.drawn import concluded, once
from pages.elements.settings import VIEWS

BADGES = {
    Severity.FATAL: ("Cannot learn", ":material/block:", "red"),
    Severity.FRAGILE: ("Depends on the seed", ":material/casino:", "orange"),
    Severity.SLOW: ("Slow", ":material/hourglass:", "blue"),
    Severity.COSMETIC: ("Harmless here", ":material/info:", "gray"),
}
PICTURES = {
    "dead-units": ("dead", "Dead units"),
    "saturated-units": ("saturated", "Saturated units"),
    "vanishing-gradient": ("gradient_norm", "Gradient norm"),
    "exploding-gradient": ("gradient_norm", "Gradient norm"),
}
"""Which figure of the layers' health stands beside a finding."""
OUTPUTS = ("output-not-probability", "constant-prediction", "accuracy-frozen", "output-range")
"""Findings whose picture is the distribution of the outputs."""


def draw(problem: str, experiment: Experiment, history: History | None) -> None:
    """The verdict, a card a finding, and the trial of the suggested fixes."""
    target = state.target(problem)
    found = found_in(experiment, history, target)
    tried = _tried(problem, experiment)
    st.header("Why it is stuck" if _any_serious(found) else "Diagnosis")
    st.markdown(f"**{verdict(found, history, target)}**")
    for finding in found:
        if finding.severity is not Severity.COSMETIC:
            _card(problem, finding, history, target, tried)
    harmless = [finding for finding in found if finding.severity is Severity.COSMETIC]
    if harmless:
        with st.expander(f"Worth knowing, but harmless here ({len(harmless)})"):
            for finding in harmless:
                _card(problem, finding, history, target, tried)
    if _any_serious(found):
        _trials(problem, experiment, tried)


def found_in(experiment: Experiment, history: History | None, target: float) -> tuple[Finding, ...]:
    """The findings, for each experiment and training once."""
    return from_settings(experiment, target) if history is None else _found_in(history, target)


@concluded
def _found_in(history: History, target: float) -> tuple[Finding, ...]:
    return diagnose(history.experiment, history, target)


def brief(found: tuple[Finding, ...], history: History, target: float) -> None:
    """Findings with their pictures, for a page where nothing can be changed."""
    for finding in found:
        with st.container(border=True), _beside_its_picture(finding, history, target):
            _text(finding)


def health(problem: str, history: History, target: float) -> None:
    """The layers over the epochs, for the runs that are stuck against those that are not."""
    st.header("Layer health")
    measure = st.segmented_control(
        VIEWS["health"].label,
        VIEWS["health"].kind.options,
        required=True,
        format_func=pictures.MEASURES.get,
        **state.control(problem, "health"),
        help=VIEWS["health"].help,
    )
    _draw_health(history, measure, target)


@once
def _draw_health(history: History, measure: str, target: float) -> None:
    panels = pictures.health(history, measure, target)
    for column, panel in zip(st.columns(len(panels)), panels, strict=True):
        with column, st.container(border=True):
            charts.show(*panel)


def _any_serious(found: tuple[Finding, ...]) -> bool:
    return any(finding.severity is not Severity.COSMETIC for finding in found)


def _card(problem, finding: Finding, history, target: float, tried: Repair | None) -> None:
    with st.container(border=True), _beside_its_picture(finding, history, target):
        _text(finding)
        with st.container(horizontal=True):
            for fix in finding.fixes:
                _fix(problem, finding, fix, tried)


def _beside_its_picture(finding: Finding, history: History | None, target: float):
    """Where a finding's words go; its picture, if it has one, is drawn to the right of it."""
    if history is None or finding.code not in (*PICTURES, *OUTPUTS):
        return st.container()
    words, beside = st.columns([2, 1])
    with beside:
        _draw_picture(finding.code, f"{finding.title}: {finding.evidence}", history, target)
    return words


def words(severity: Severity, title: str, evidence: str, cause: str) -> None:
    """A finding's badge and title, what was measured, and what goes wrong."""
    label, icon, color = BADGES[severity]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(label, icon=icon, color=color)
        st.markdown(f"**{title}**")
    st.markdown(evidence)
    st.caption(cause)


def _text(finding: Finding) -> None:
    words(finding.severity, finding.title, finding.evidence, finding.cause)
    if finding.settle and finding.confidence != "certain":
        st.caption(f":material/help: {finding.confidence.capitalize()}. {finding.settle}")


def _fix(problem: str, finding: Finding, fix: Fix, tried: Repair | None) -> None:
    trial = None if tried is None else tried.trial(fix.key)
    if trial is not None and not trial.helps:
        st.markdown(f"~~{fix.title}~~: {tried.before.successes} → {trial.rate}")
        return
    st.button(
        fix.title if trial is None else f"{fix.title}: {trial.rate.value:.0%}",
        key=f"{problem}-fix-{finding.code}-{fix.key}",
        icon=":material/build:" if trial is None else ":material/verified:",
        on_click=_apply,
        args=(problem, fix.title, fix.apply, (fix.key,)),
        help=f"{fix.why} Applies it and trains again.",
    )


def _apply(
    problem: str, title: str, edit: Callable[[Experiment], Experiment], fixes: tuple[str, ...]
) -> None:
    """Callback: change the settings by an edit that these fixes make, and train with them.

    One that was changed by the same click may have made them impossible; the page says so.
    """
    try:
        changed = edit(state.experiment(problem))
    except InvalidExperiment:
        return
    if state.adopt(problem, changed, (*state.chosen(problem), *fixes)):
        controls.train(problem)
    else:
        st.toast(f"{title}: this goes beyond what the controls can set.", icon=":material/info:")


@once
def _draw_picture(code: str, said: str, history: History, target: float) -> None:
    """The evidence as a small chart."""
    stuck = ~history.successes(target)
    if code in PICTURES:
        measure, title = PICTURES[code]
        layers = view.layer_health(history, measure, ~stuck)
        last = layers[layers["epoch"] == layers["epoch"].max()]
        picture = charts.by_layer(last, measure, title)
    else:
        run = int(np.flatnonzero(stuck)[0]) if stuck.any() else 0
        rows = prepare(history.experiment.data, history.seed, run)
        out = view.outputs(history.experiment.model, history.weights_at(-1, run), rows.x)[-1]
        picture = charts.outputs(out[:, -1], run)
    charts.show(picture, said)


# --- trying the fixes ---------------------------------------------------------------------------


def _place(problem: str) -> str:
    return f"{problem}.tries"


def _tried(problem: str, experiment: Experiment) -> Repair | None:
    """The finished trial of this very experiment's fixes, if there is one."""
    ticket = jobs.latest(_place(problem))
    if ticket is None or not isinstance(ticket.job.result, Repair):
        return None
    return ticket.job.result if ticket.job.result.experiment == experiment else None


def _trials(problem: str, experiment: Experiment, tried: Repair | None) -> None:
    place = _place(problem)
    ticket = jobs.latest(place)
    with st.container(border=True):
        st.markdown("**Do the suggested fixes help?**")
        request = _request(problem, experiment)
        st.button(
            "Try the fixes",
            key=f"{problem}-try",
            icon=":material/science:",
            disabled=not jobs.affordable(request) or jobs.busy(place),
            on_click=jobs.start,
            args=(place, "a trial of suggested fixes", request),
            help="Trains this experiment with each suggested fix, and with the useful "
            "combinations of them, over the same seeds.",
        )
        if ticket is not None and not ticket.job.ended:
            jobs.watch(place, _trying, place)
        elif ticket is not None and ticket.job.error:
            st.error(ticket.job.error, icon=":material/error:")
        elif tried is not None:
            _outcome(problem, tried)


def _request(problem: str, experiment: Experiment) -> TryFixes:
    values = state.values(problem)
    return TryFixes(experiment, runs=32, seed=values["seed"], target=values["target"])


def _trying(ticket: jobs.Ticket, place: str) -> None:
    events = ticket.job.events
    share = events[-1].share if events else 0.0
    doing = f"{events[-1].finished} of {events[-1].of} changes trained" if events else "Training"
    jobs.progress(place, share, doing)


def _outcome(problem: str, tried: Repair) -> None:
    if tried.smallest is None:
        st.markdown(f"None of them raises the rate beyond chance; as it is, {tried.before} learn.")
    else:
        names = " + ".join(tried.smallest.titles)
        st.markdown(
            f"The smallest change that helps: **{names}**. {tried.smallest.rate} learn with it, "
            f"and {tried.before} without."
        )
    if not tried.trials:
        return
    frame = pd.DataFrame(
        {
            "label": ["As it is", *(" + ".join(trial.titles) for trial in tried.trials)],
            "rate": [tried.before.value, *(trial.rate.value for trial in tried.trials)],
            "low": [tried.before.low, *(trial.rate.low for trial in tried.trials)],
            "high": [tried.before.high, *(trial.rate.high for trial in tried.trials)],
            "successes": [tried.before.successes, *(t.rate.successes for t in tried.trials)],
            "runs": tried.before.runs,
        }
    )
    charts.show(
        charts.rate(frame), "Success rate as it is and with each change, with 95 % intervals."
    )
    if tried.smallest is not None:
        st.button(
            "Apply the smallest change and train",
            key=f"{problem}-apply-smallest",
            type="primary",
            icon=":material/build:",
            on_click=_apply,
            args=(problem, names, lambda _: tried.smallest.experiment, tried.smallest.fixes),
            help="Changes the settings and trains with them.",
        )
