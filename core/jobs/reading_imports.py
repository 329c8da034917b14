"""Imported by the reading process first: what takes long to import and most readings need."""

from __future__ import annotations

import core.script.tree  # noqa: F401
from core.script.budget import Budget
from core.script.learn import load

load(Budget())
