"""The registry of rules."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from core.diagnosis.findings import Finding
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
        by_run: A cause that is counted by run, so that it may depend on the seed where all fail.
        picture: What is drawn beside it: a figure of `core.history.Health`, "outputs" for the
            distribution of the outputs, "decisions" for the same with the threshold between the
            classes; None for nothing.
    """

    code: str
    find: Find
    symptom: bool = False
    keeps_severity: bool = False
    by_run: bool = False
    picture: str | None = None


RULES: dict[str, Rule] = {}
"""Every rule by its code, in the order in which equally severe findings are reported."""


def rule(
    code: str,
    *,
    symptom: bool = False,
    keeps_severity: bool = False,
    by_run: bool = False,
    picture: str | None = None,
) -> Callable[[Find], Find]:
    """Register a function as a rule; see `Rule`."""

    def register(find: Find) -> Find:
        RULES[code] = Rule(code, find, symptom, keeps_severity, by_run, picture)
        return find

    return register
