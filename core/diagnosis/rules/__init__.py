"""The rules by theme; importing this registers them, in the order in which equals are reported."""

from core.diagnosis.rules.rule import RULES, Rule, rule

from core.diagnosis.rules import output, regression, steps, pace, data, network, units, course  # noqa: F401 isort: skip

__all__ = ["RULES", "Rule", "rule"]
