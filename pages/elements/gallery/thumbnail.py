"""The picture on a card: the curves before and after the change, as an image."""

from __future__ import annotations

from urllib.parse import quote

import numpy as np

from core.recorded import Trained
from core.tasks import Task
from pages.elements.charts import GREY
from pages.elements.charts.spec import FLOOR

SUCCEEDED, FAILED = "#2f8fce", "#dd6a1c"
"""The colours of the outcomes between their light and their dark shade, since an image has one."""
WIDTH, HEIGHT, GAP, MARGIN = 150, 84, 20, 5
RUNS, EPOCHS = 20, 16
"""How much of the curves an image draws."""


def thumbnail(before: Trained, after: Trained, task: Task) -> str:
    """The score by epoch of some runs before and after, side by side, as an SVG data URL."""
    left, right = _panel(before, task, 0), _panel(after, task, WIDTH + GAP)
    middle, at = WIDTH + GAP / 2, HEIGHT / 2
    arrow = (
        f'<path d="M{middle - 5} {at}h9m-4 -4l4 4l-4 4" fill="none" stroke="{GREY}" '
        'stroke-width="1.5"/>'
    )
    size = f'width="{2 * (2 * WIDTH + GAP)}" viewBox="0 0 {2 * WIDTH + GAP} {HEIGHT}"'
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{left}{arrow}{right}</svg>'
    return "data:image/svg+xml;utf8," + quote(svg, safe="=/:,;")


def _panel(trained: Trained, task: Task, x: int) -> str:
    """One frame with a line a run."""
    low = 0.0 if task.share else FLOOR
    scores = np.clip(np.array(trained.accuracy[:RUNS]), low, 1)
    columns = np.unique(np.linspace(0, scores.shape[1] - 1, EPOCHS).round().astype(int))
    across = x + MARGIN + (WIDTH - 2 * MARGIN) * (columns / max(columns[-1], 1))
    down = HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * (scores[:, columns] - low) / (1 - low)
    groups = {FAILED: "", SUCCEEDED: ""}
    for run, succeeded in zip(down, trained.success, strict=False):
        points = [f"{a:.0f},{b:.0f}" for a, b in zip(across, run, strict=True) if np.isfinite(b)]
        groups[SUCCEEDED if succeeded else FAILED] += f"M{'L'.join(points)}" if points else ""
    lines = "".join(
        f'<path d="{path}" fill="none" stroke="{color}" stroke-width="1.2" opacity="0.8"/>'
        for color, path in groups.items()
        if path
    )
    frame = (
        f'<rect x="{x + 0.5}" y="0.5" width="{WIDTH - 1}" height="{HEIGHT - 1}" rx="4" '
        f'fill="none" stroke="{GREY}" opacity="0.5"/>'
    )
    return frame + lines
