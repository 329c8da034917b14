"""The diagnosis on a page: findings as cards with their evidence and buttons that apply fixes."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
import streamlit as st

from core import inspection
from core.costs import price
from core.data import prepare
from core.diagnosis import RULES, Finding, Severity, diagnose, from_settings, verdict
from core.diagnosis.trials import Repair, expected
from core.experiment import Experiment, InvalidExperiment
from core.fixes import Fix
from core.history import History
from core.jobs.limits import duration
from core.jobs.requests import TryFixes
from pages.elements import charts, controls, figures, jobs, state
from pages.elements.rendering import concluded, once
from pages.elements.settings import VIEWS

BADGES = {
    Severity.FATAL: ("Cannot learn", ":material/block:", "red"),
    Severity.FRAGILE: ("Depends on the seed", ":material/casino:", "orange"),
    Severity.SLOW: ("Slow", ":material/hourglass:", "blue"),
    Severity.COSMETIC: ("Harmless here", ":material/info:", "gray"),
}
OPEN = ("Not known yet", ":material/help:", "gray")
"""The badge of a finding whose effect shows only in training."""
CONFIDENCE = {"likely": "Likely.", "cannot tell": "Cause not known."}
NEVER = {
    "dead": "No unit is dead after any epoch, in any of the {runs} runs: each outputs something "
    "other than 0 for some training sample.",
    "saturated": "No unit is saturated after any epoch, in any of the {runs} runs: none stays "
    "within 1% of a bound of its activation for every training sample.",
}
"""The texts in place of charts that would be empty."""
ANCHOR = "why"
"""The anchor of the heading, for links."""
THRESHOLD = 0.5
"""A single output above it counts as class 1 in Keras's accuracy."""


def draw(problem: str, experiment: Experiment, history: History | None) -> None:
    """Draw a card per finding and the trial of the suggested fixes.

    Before a training it also draws the verdict; afterwards `conclusion` draws it above the results.

    Args:
        problem: Whose page.
        experiment: To be diagnosed.
        history: Its training; None to diagnose the settings alone.
    """
    target = state.target(problem)
    findings = findings_for(experiment, history, target)
    tried = _tried(problem, experiment)
    failed = history is not None and _any_serious(findings)
    st.header("Why runs fail" if failed else "Diagnosis", anchor=ANCHOR)
    if history is None:
        st.markdown(f"**{verdict(findings, None, target)}**")
    pictured = list(_with_pictures(findings, history))
    for finding, picture in pictured:
        if finding.severity is not Severity.COSMETIC:
            _card(problem, finding, picture, history, target, tried)
    minor = [pair for pair in pictured if pair[0].severity is Severity.COSMETIC]
    if minor:
        with st.expander(f"Minor notes ({len(minor)})"):
            for finding, picture in minor:
                _card(problem, finding, picture, history, target, tried)
    if _any_serious(findings):
        _trials(problem, experiment, findings, tried)


def conclusion(history: History, target: float) -> None:
    """Draw the verdict on a training in a sentence, and a link to the evidence and the fixes."""
    findings = findings_for(history.experiment, history, target)
    link = f" [See the evidence and the fixes](#{ANCHOR})" if _any_serious(findings) else ""
    st.markdown(f"**{verdict(findings, history, target)}**{link}", width=760)


def findings_for(
    experiment: Experiment, history: History | None, target: float
) -> tuple[Finding, ...]:
    """The findings of the settings, or of a training if there is one; those are cached."""
    if history is None:
        return from_settings(experiment, target)
    return _after_training(history, target)


@concluded
def _after_training(history: History, target: float) -> tuple[Finding, ...]:
    return diagnose(history.experiment, history, target)


def brief(findings: tuple[Finding, ...], history: History, target: float) -> None:
    """Draw findings with their charts, on a page without settings."""
    for finding, picture in _with_pictures(findings, history):
        with st.container(border=True), _beside(picture, finding, history, target):
            _text(finding)


def health(problem: str, history: History, target: float) -> None:
    """Draw the health of the layers by epoch, for failed and successful runs."""
    st.header("Layer health")
    measure = st.segmented_control(
        VIEWS["health"].label,
        VIEWS["health"].kind.options,
        required=True,
        format_func=figures.MEASURES.get,
        **state.control(problem, "health"),
        help=VIEWS["health"].help,
    )
    _draw_health(history, measure, target)


@once
def _draw_health(history: History, measure: str, target: float) -> None:
    if measure in NEVER and not getattr(history.health, measure).any():
        st.markdown(NEVER[measure].format(runs=history.runs), width=760)
        return
    panels = figures.health(history, measure, target)
    for column, panel in zip(st.columns(len(panels)), panels, strict=True):
        with column, st.container(border=True):
            charts.show(*panel)


def _any_serious(findings: tuple[Finding, ...]) -> bool:
    return any(finding.severity is not Severity.COSMETIC for finding in findings)


def _with_pictures(
    findings: tuple[Finding, ...], history: History | None
) -> Iterator[tuple[Finding, str | None]]:
    """Each finding with its rule's picture (`core.diagnosis.rules.Rule.picture`), or None.

    Of findings with the same picture, only the first has it.
    """
    drawn: set[str | None] = set()
    for finding in findings:
        rule = RULES.get(finding.code)
        picture = None if rule is None or history is None else rule.picture
        yield finding, None if picture in drawn else picture
        drawn.add(picture)


def _card(
    problem: str, finding: Finding, picture, history, target: float, tried: Repair | None
) -> None:
    with st.container(border=True), _beside(picture, finding, history, target):
        _text(finding)
        with st.container(horizontal=True):
            for fix in finding.fixes:
                _fix(problem, finding, fix, tried)


def _beside(picture: str | None, finding: Finding, history: History | None, target: float):
    """The container for a finding's text; its picture, if any, is drawn to the right of it."""
    if picture is None:
        return st.container()
    text, chart = st.columns([2, 1])
    with chart:
        alt = f"{finding.title}: {finding.evidence}"
        _draw_picture(picture, finding.run, alt, history, target)
    return text


def badge(severity: Severity, is_open: bool) -> tuple[str, str, str]:
    """The label, icon and colour of a finding's badge."""
    return OPEN if is_open else BADGES[severity]


def words(
    severity: Severity, title: str, evidence: str, cause: str, *, is_open: bool = False
) -> None:
    """Draw a finding's badge, title, evidence and cause."""
    label, icon, color = badge(severity, is_open)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(label, icon=icon, color=color)
        st.markdown(f"**{title}**")
    st.markdown(evidence)
    st.caption(cause)


def _text(finding: Finding) -> None:
    words(
        finding.severity,
        finding.title,
        finding.evidence,
        finding.cause,
        is_open=finding.is_open,
    )
    if finding.settle:
        confidence = (
            "Only training shows whether this matters here."
            if finding.is_open
            else CONFIDENCE[finding.confidence]
        )
        check = finding.settle[0].lower() + finding.settle[1:]
        st.caption(f":material/help: {confidence} To check, {check}")


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


@once
def _draw_picture(picture: str, run: int | None, alt: str, history: History, target: float) -> None:
    """Draw the evidence as a small chart, of `run` or, if None, of the first run that fails."""
    failed = ~history.successes(target)
    if picture in ("outputs", "decisions"):
        if run is None:
            run = int(np.flatnonzero(failed)[0]) if failed.any() else 0
        rows = prepare(history.experiment.data, history.seed, run)
        out = inspection.outputs(history.experiment.model, history.weights_at(-1, run), rows.x)[-1]
        decides = picture == "decisions" and out.shape[1] <= 2
        chart = charts.outputs(out[:, -1], run, THRESHOLD if decides else None)
    else:
        layers = inspection.layer_health(history, picture, ~failed)
        last = layers[layers["epoch"] == layers["epoch"].max()]
        chart = charts.by_layer(last, picture, figures.MEASURES[picture])
    charts.show(chart, alt)


# --- trying the fixes ---------------------------------------------------------------------------


def _slot(problem: str) -> str:
    return f"{problem}.tries"


def _tried(problem: str, experiment: Experiment) -> Repair | None:
    """The finished trial of this experiment's fixes; None if there is none."""
    handle = jobs.latest(_slot(problem))
    if handle is None or not isinstance(handle.job.result, Repair):
        return None
    return handle.job.result if handle.job.result.experiment == experiment else None


def _trials(
    problem: str, experiment: Experiment, findings: tuple[Finding, ...], tried: Repair | None
) -> None:
    slot = _slot(problem)
    with st.container(border=True):
        st.markdown("**Do the suggested fixes help?**")
        request = _request(problem, experiment, findings)
        st.button(
            f"Test these fixes (about {duration(price(request).seconds)})",
            key=f"{problem}-try",
            icon=":material/science:",
            disabled=not jobs.affordable(request) or jobs.busy(slot),
            on_click=jobs.start,
            args=(slot, "a trial of suggested fixes", request),
            help="Trains this experiment with each suggested fix, and with useful combinations "
            "of them, on the same seeds.",
        )
        jobs.result(slot, "test", _trying, slot)
        if tried is not None and not jobs.busy(slot):
            _outcome(problem, tried)


def _request(problem: str, experiment: Experiment, findings: tuple[Finding, ...]) -> TryFixes:
    return TryFixes(
        experiment,
        runs=32,
        seed=state.seed(problem),
        target=state.target(problem),
        likely=expected(experiment, findings),
    )


def _trying(handle: jobs.JobHandle, slot: str) -> None:
    events = handle.job.events
    share = events[-1].share if events else 0.0
    doing = (
        f"{events[-1].finished} of {events[-1].of} experiments trained" if share else "Compiling"
    )
    jobs.progress(slot, share, doing)


def _outcome(problem: str, tried: Repair) -> None:
    if tried.smallest is None:
        st.markdown(
            f"No fix improves the success rate significantly. As is, {tried.before} {tried.passes}."
        )
    else:
        names = " + ".join(tried.smallest.titles)
        st.markdown(
            f"The smallest change that matches the best result: **{names}**. "
            f"{tried.smallest.rate} {tried.passes} with it, {tried.before} without it."
        )
    if tried.note:
        st.caption(tried.note)
    if not tried.trials:
        return
    frame = pd.DataFrame(
        {
            "label": ["As is", *(" + ".join(trial.titles) for trial in tried.trials)],
            "rate": [tried.before.value, *(trial.rate.value for trial in tried.trials)],
            "low": [tried.before.low, *(trial.rate.low for trial in tried.trials)],
            "high": [tried.before.high, *(trial.rate.high for trial in tried.trials)],
            "successes": [tried.before.successes, *(t.rate.successes for t in tried.trials)],
            "runs": [tried.before.runs, *(t.rate.runs for t in tried.trials)],
        }
    )
    charts.show(charts.rate(frame), "Success rate as is and with each change, with 95% intervals.")
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
