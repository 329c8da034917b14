"""A row of the table of settings: a control, a parameter of the URL and a value of the draft."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from core.draft import Draft, Path
from core.fields import Setting

DATA, NETWORK, TRAINING, RUNS = GROUPS = ("Data", "Network", "Training", "Runs")
NAMES = {("data", "label_values"): "labels", ("training", "shuffle"): "reshuffle"}
"""The names of parameters that differ from the name of their field."""


@dataclass(frozen=True)
class Control:
    """One row of the table.

    Attributes:
        name: Of the URL's parameter; the widget's key ends with it.
        group: One of GROUPS.
        setting: Its kind, label and help.
        read: Returns its value in a draft.
        write: Returns the draft with another value; raises InvalidExperiment if it is not allowed.
        matters: Whether it has an effect with the other settings as they are.
        chooses: Whether it decides which other settings there are, all at their defaults.
    """

    name: str
    group: str
    setting: Setting
    read: Callable[[Draft], Any]
    write: Callable[[Draft, Any], Draft]
    matters: bool = True
    chooses: bool = False


def of_field(
    group: str, path: Path, setting: Setting, matters: bool = True, name: str | None = None
) -> Control:
    """The control of the value at a path."""
    return Control(
        (name or NAMES.get(path[-2:]) or str(path[-1])).replace("_", "-"),
        group,
        setting,
        lambda draft: draft.value(path),
        lambda draft, value: draft.put(path, value),
        matters,
    )
