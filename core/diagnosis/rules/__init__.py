"""The rules by theme; importing this registers them, in the order in which equals are reported."""

from core.diagnosis.findings import RULES

from core.diagnosis.rules import output, pace, data, network, units, course  # isort: skip

__all__ = ["RULES", "course", "data", "network", "output", "pace", "units"]
