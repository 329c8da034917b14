"""The diagnosis on a page: findings as cards with their evidence and buttons that apply fixes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import streamlit as st

from core import inspection, network
from core.diagnosis import RULES, Finding, Severity
from core.diagnosis.harmless import without_harm
from core.diagnosis.trials import Repair
from core.experiment import Experiment
from core.fixes import Fix
from core.history import History
from core.recorded import RecordedFinding
from pages.elements import change, charts, diagnosis, figures, state
from pages.elements.layout import TEXT
from pages.elements.rendering import once

BADGES = {
    Severity.FATAL: ("Cannot learn", ":material/block:", "red"),
    Severity.FRAGILE: ("Depends on the seed", ":material/casino:", "orange"),
    Severity.SLOW: ("Slow", ":material/hourglass:", "blue"),
    Severity.COSMETIC: ("Harmless here", ":material/info:", "gray"),
}
OPEN = ("Not known yet", ":material/help:", "gray")
"""The badge of a finding whose effect shows only in training."""
CONFIDENCE = {"likely": "Likely.", "cannot tell": "Cause not known."}
COMPARED_RUNS, COMPARED_ROWS = 128, 256
"""The most runs, and about the rows, among which one is chosen for a picture of its outputs."""
THRESHOLD = 0.5
"""A single output above it counts as class 1 in Keras's accuracy."""


def draw(problem: str, experiment: Experiment, history: History | None) -> None:
    """Draw a card per finding and, once they are tested, the rates of the suggested fixes.

    Before a training it also says what to change; afterwards the answer does.

    Args:
        problem: Whose page.
        experiment: To be diagnosed.
        history: The last training. If it is of another experiment, or None, the settings alone
            are diagnosed.
    """
    target = state.target(problem)
    trained = history if history is not None and history.experiment == experiment else None
    found = diagnosis.findings_for(experiment, trained, target)
    tried = change.tried(problem, experiment)
    if trained is None:
        change.draw(problem, experiment, None)
    if diagnosis.harmful(found):
        # What stands between the main cause and what to do first, which are in the answer.
        follows = diagnosis.told(problem, experiment, trained, tried)[2:-1]
        st.markdown(" ".join(follows), width=TEXT)
    if tried is not None:
        change.rates(problem, tried)
    pictured = list(_with_pictures(judged(problem, experiment, trained), trained))
    for finding, picture in pictured:
        if finding.severity is not Severity.COSMETIC:
            _card(problem, finding, picture, trained, target, tried)
    minor = [pair for pair in pictured if pair[0].severity is Severity.COSMETIC]
    if minor:
        with st.expander(f"Minor notes ({len(minor)})"):
            for finding, picture in minor:
                _card(problem, finding, picture, trained, target, tried)


def judged(problem: str, experiment: Experiment, history: History | None) -> tuple[Finding, ...]:
    """The findings in the light of the trial of their fixes, if there was one.

    Args:
        problem: Whose page.
        experiment: What is diagnosed.
        history: Its training; None for what the settings show.
    """
    found = diagnosis.findings_for(experiment, history, state.target(problem))
    tried = change.tried(problem, experiment)
    return found if tried is None else without_harm(found, tried)


def brief(findings: tuple[Finding, ...], history: History, target: float) -> None:
    """Draw findings with their charts, on a page without settings."""
    for finding, picture in _with_pictures(findings, history):
        with st.container(border=True), _beside(picture, finding, history, target):
            _text(finding)


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
        with st.container(horizontal=True, vertical_alignment="center"):
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
    st.markdown(evidence, width=TEXT)
    st.caption(cause, width=TEXT)


def recorded(finding: RecordedFinding) -> None:
    """Draw a finding of a record in a card."""
    with st.container(border=True):
        words(Severity(finding.severity), finding.title, finding.evidence, finding.cause)


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
        st.markdown(f"~~{fix.title}~~: {trial.rate.count}")
        return
    st.button(
        fix.title if trial is None else f"{fix.title}: {trial.rate.count}",
        key=f"{problem}-fix-{finding.code}-{fix.key}",
        icon=":material/build:" if trial is None else ":material/verified:",
        on_click=change.apply,
        args=(problem, fix.title, fix.apply, (fix.key,)),
        help=f"{fix.why} Applies it and trains again.",
    )


@once
def _draw_picture(picture: str, run: int | None, alt: str, history: History, target: float) -> None:
    """Draw the evidence as a small chart, of `run` or, if None, of a run that fails."""
    failed = ~history.successes(target)
    if picture in ("outputs", "decisions"):
        if run is None:
            run = typical(history, failed) if picture == "decisions" else int(failed.argmax())
        model, weights = history.experiment.model, history.weights_at(-1, run)
        out = inspection.outputs(model, weights, history.rows(run).x)[-1]
        decides = picture == "decisions" and out.shape[1] <= 2
        chart = charts.outputs(out[:, -1], run, THRESHOLD if decides else None)
    else:
        layers = inspection.layer_health(history, picture, ~failed)
        last = layers[layers["epoch"] == layers["epoch"].max()]
        chart = charts.by_layer(last, picture, figures.MEASURES[picture])
    charts.show(chart, alt)


def typical(history: History, failed: np.ndarray) -> int:
    """A failed run that shows the same output for every row: at best 0, which findings name."""
    runs = np.flatnonzero(failed)[:COMPARED_RUNS]
    if not len(runs):
        return 0
    x = history.rows(int(runs[0])).x
    x = x[:: max(1, len(x) // COMPARED_ROWS)]
    weights = network.run_first(history.weights, -1, runs)
    with np.errstate(all="ignore"):
        out = network.forward(
            history.experiment.model, weights, x[None].repeat(len(runs), 0)
        ).output
    same, zero = (out == out[:, :1]).all(axis=(1, 2)), (out == 0).all(axis=(1, 2))
    return int(runs[np.argmax(np.where(zero, 2, same))])
