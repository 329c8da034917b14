"""What a trial of the fixes shows to do no harm, though it is often named as the fault."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from core.diagnosis._diagnose import from_settings
from core.diagnosis.findings import CERTAIN, COSMETIC, Finding
from core.diagnosis.rules import rule_of
from core.diagnosis.search import ENOUGH

if TYPE_CHECKING:
    from core.diagnosis.trials import Repair


def without_harm(findings: tuple[Finding, ...], repair: Repair) -> tuple[Finding, ...]:
    """The findings, those that do no harm as cosmetic ones, with the figures that show it.

    A finding does none where enough runs pass with a change that leaves it as it is, and where none
    of its own fixes helps alone.

    Args:
        findings: Of the experiment.
        repair: The outcome of trying their fixes.
    """
    best = repair.smallest
    if best is None or best.rate.value < ENOUGH:
        return findings
    left = {finding.code for finding in from_settings(best.experiment)}

    def judged(finding: Finding) -> Finding:
        keys = [fix.key for fix in finding.fixes]
        trials = [trial for key in keys if (trial := repair.trial(key)) is not None]
        helps = any(trial.helps for trial in trials) or not set(keys).isdisjoint(best.fixes)
        rule = rule_of(finding)
        if helps or not keys or rule.symptom or rule.always or finding.code not in left:
            return finding
        title = " + ".join(f"“{each}”" for each in best.titles)
        told = f"It does no harm here: {best.rate} {repair.passes} with {title}, which leaves it."
        same = next((trial for trial in trials if trial.rate.runs == repair.before.runs), None)
        if same is not None:
            told += (
                f" Alone, “{same.titles[0]}” takes the mean {repair.task.score_name} from "
                f"{repair.task.stated(repair.score)} to {repair.task.stated(same.score)}."
            )
        return replace(
            finding,
            severity=COSMETIC,
            evidence=f"{finding.evidence} {told}",
            confidence=CERTAIN,
            settle=None,
        )

    return tuple(sorted(map(judged, findings), key=lambda finding: finding.severity.rank))
