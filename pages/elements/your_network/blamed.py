"""The findings before any training, each with the line of the script that it is about."""

from __future__ import annotations

import streamlit as st

from core.diagnosis import Finding, Severity, from_settings
from core.script import line_of
from core.script.result import Reading
from pages.elements import findings
from pages.elements.layout import TEXT


def draw(
    reading: Reading,
    target: float,
    *,
    proposed: bool = False,
    folded: bool = False,
    trained: tuple[Finding, ...] | None = None,
) -> None:
    """Draw the findings of the script as it was read.

    Args:
        reading: With an experiment.
        target: The score at which a run succeeds.
        proposed: Whether it has the proposed answers to questions that are open.
        folded: Whether a training has more to say, below.
        trained: The findings with a training of that experiment; None before one. Of what was found
            before, those are drawn that are among them, with the figures of its runs.
    """
    found = from_settings(reading.experiment, target)
    if trained is not None:
        before = {each.code for each in found}
        found = tuple(each for each in trained if each.code in before)
    serious = [each for each in found if each.severity is not Severity.COSMETIC]
    minor = [each for each in found if each not in serious]
    heading = "Wrong before any training" if serious else "Before any training"
    box = (
        st.expander(f"{heading} ({len(serious or minor)})")
        if folded
        else st.container(border=True, gap="small")
    )
    with box:
        if not folded:
            st.markdown(f"**{heading}**")
        if proposed:
            st.caption("With the proposed answers; yours may change it.")
        unknown = "; ".join(each.title for each in minor if each.is_open)
        if not serious and unknown:
            st.markdown(f"Nothing is certain to stop it. What may matter: {unknown}.", width=TEXT)
        elif not serious:
            harmless = "Nothing found before training does harm here."
            st.markdown(harmless if trained and minor else "Nothing wrong found before training.")
        for each in serious:
            _finding(reading, each)
        if minor:
            with st.expander(f"May matter, or harmless ({len(minor)})"):
                for each in minor:
                    _finding(reading, each)


def _finding(reading: Reading, finding: Finding) -> None:
    findings.words(
        finding.severity, finding.title, finding.evidence, finding.cause, is_open=finding.is_open
    )
    number = line_of(reading, finding.fixes, finding.layer)
    if 0 < number <= len(reading.lines):
        st.code(
            f"{number}  {reading.lines[number - 1].text.strip()}",
            language="python",
            wrap_lines=True,
        )
