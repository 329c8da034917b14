"""Why a training is stuck: findings with evidence, and the fixes that verifiably help."""

from core.diagnosis._diagnose import diagnose, from_settings, main_cause, verdict
from core.diagnosis.findings import Finding, Severity
from core.diagnosis.refusal import refusal
from core.diagnosis.rules import RULES
from core.diagnosis.summary import summary
from core.diagnosis.trials import repair

__all__ = [
    "RULES",
    "Finding",
    "Severity",
    "diagnose",
    "from_settings",
    "main_cause",
    "refusal",
    "repair",
    "summary",
    "verdict",
]
