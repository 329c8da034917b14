"""The rules by theme; importing this registers them, in the order in which equals are reported."""

from core.diagnosis.rules.rule import RULES, Rule, is_cause, rule, rule_of

from core.diagnosis.rules import output, options, regression, steps  # noqa: F401 isort: skip
from core.diagnosis.rules import pace, data, network, units, unusual, course  # noqa: F401 isort: skip

__all__ = ["RULES", "Rule", "is_cause", "rule", "rule_of"]
