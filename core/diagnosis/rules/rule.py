"""The registry of rules."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from core.diagnosis.findings import COSMETIC, Finding
from core.diagnosis.observations import Observations

Find = Callable[[Observations], Finding | None]


@dataclass(frozen=True)
class Rule:
    """What makes one finding, and how that finding is treated.

    Args:
        code: Of the finding.
        find: From the observations to the finding, or None where there is none.
        symptom: It is seen in a history whatever the cause, and goes away with the cause.
        keeps_severity: A symptom that is as severe as it looks, whatever its cause.
        by_run: A finding that is counted by run, so that it may depend on the seed where all fail.
        always: It holds whatever the runs score, as their score then means nothing.
        unless: Codes of findings that say the same with more certainty, and replace this one.
        follows: Codes of the causes that bring it about, where they are found as well.
        picture: What is drawn beside it: a figure of `core.history.Health`, "outputs" for the
            distribution of the outputs, "decisions" for the same with the threshold between the
            classes; None for nothing.
    """

    code: str
    find: Find
    symptom: bool = False
    keeps_severity: bool = False
    by_run: bool = False
    always: bool = False
    unless: tuple[str, ...] = ()
    follows: tuple[str, ...] = ()
    picture: str | None = None

    def finding(self, obs: Observations) -> Finding | None:
        """What it finds, with its code; None where there is nothing."""
        found = self.find(obs)
        return None if found is None else replace(found, code=self.code)


RULES: dict[str, Rule] = {}
"""Every rule by its code, in the order in which equally severe findings are reported."""
NO_RULE = Rule("", lambda obs: None)


def rule(
    code: str,
    *,
    symptom: bool = False,
    keeps_severity: bool = False,
    by_run: bool = False,
    always: bool = False,
    unless: tuple[str, ...] = (),
    follows: tuple[str, ...] = (),
    picture: str | None = None,
) -> Callable[[Find], Find]:
    """Register a function as a rule; see `Rule`."""

    def register(find: Find) -> Find:
        RULES[code] = Rule(
            code, find, symptom, keeps_severity, by_run, always, unless, follows, picture
        )
        return find

    return register


def rule_of(finding: Finding) -> Rule:
    """The rule that made the finding; "unexplained" comes from none."""
    return RULES.get(finding.code, NO_RULE)


def is_cause(finding: Finding) -> bool:
    """It does harm, and is no symptom of something else."""
    return finding.severity is not COSMETIC and not rule_of(finding).symptom
