"""One HTML file of what a problem page shows, to open anywhere: no server and no network.

The template escapes all that is filled in, save what it marks as safe: our own libraries, and what
passes through `_data`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

from jinja2 import Environment, StrictUndefined, Template

from core.data import majority_rate
from core.diagnosis import Finding, verdict
from core.experiment import Experiment
from core.export import to_script
from core.files import versions
from core.fixes import Fix
from core.history import History
from core.problems import PROBLEMS
from core.rates import Rate
from core.script_diff import changes
from pages.elements import figures, findings
from pages.elements.figures import Picture
from pages.elements.headline import headline, others

HERE = Path(__file__).parent
LIBRARIES = ("vega", "vega-lite", "vega-embed")
"""In the order in which they need one another; see `vendor/README.md`."""


@dataclass(frozen=True)
class Report:
    """What a problem page shows.

    problem: its key; summary: the experiment in a line; fixes: what led from the question as asked
    to it, save changes by hand; findings: its findings; history: of this experiment, None before
    training; views: what of the results is looked at; palettes: the colours of the outcomes
    and of further series, by "light" and "dark".
    """

    problem: str
    experiment: Experiment
    summary: str
    seed: int
    target: float
    fixes: tuple[Fix, ...]
    findings: tuple[Finding, ...]
    history: History | None
    views: dict[str, object]
    palettes: dict[str, list[str]]

    def html(self) -> str:
        """The whole file."""
        return _template().render(
            title=PROBLEMS[self.problem].title,
            headline=self._headline(),
            report=self,
            sections=() if self.history is None else self._pictures(self.history),
            failed=None if self.history is None else others(self.history, self.target),
            verdict=verdict(self.findings, self.history, self.target),
            standing=_standing,
            changes=changes(
                PROBLEMS[self.problem].experiment, self.fixes, self.experiment, self.seed
            ),
            script=to_script(self.experiment, self.seed),
            versions=", ".join(f"{name} {number}" for name, number in versions().items()),
            date=date.today().isoformat(),
            libraries=_libraries(),
            themes={name: _theme(name, colors) for name, colors in self.palettes.items()},
        )

    def _headline(self) -> str:
        if self.history is None:
            return "before training"
        return headline(self.history, self.target)

    def _pictures(self, history: History) -> list[tuple[str, list[tuple[Picture, bool]]]]:
        """Each section's heading and its pictures, with whether one takes the whole width."""
        majority = majority_rate(history.experiment.data, history.seed, 0)
        part = figures.part_measured(history, self.views["part"])
        when = self.views["curves"]
        log = figures.logarithmic(history, part, when, self.views["log"])
        picks = figures.picks(history, self.target)
        run = picks.get(self.views["pick"], picks["worst"])
        rate = Rate.of(history.successes(self.target))
        health = figures.health(history, self.views["health"], self.target)
        return [
            (
                "What happened",
                [
                    (figures.accuracy(history, part, when, self.target, majority), False),
                    (figures.loss(history, part, when, self.target, log), False),
                    (figures.rate(rate, self.target), True),
                    (figures.final_accuracies(history, self.target, majority), True),
                ],
            ),
            ("Layer health", [(picture, False) for picture in health]),
            (
                "What the network does",
                [
                    (figures.network(history, run), True),
                    (figures.confusion(history, run), False),
                ],
            ),
        ]


def _standing(finding: Finding) -> str:
    """The finding's badge in words, and how sure it is where it is not certain."""
    label, *_ = findings.badge(finding.severity, finding.is_open)
    return f"{label}, likely" if finding.confidence == "likely" else label


@cache
def _template() -> Template:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    environment.filters["data"] = _data
    return environment.from_string((HERE / "report.html").read_text(encoding="utf-8"))


def _data(plain: object) -> str:
    """JSON for a script element, which no text in it can end."""
    return json.dumps(plain, separators=(",", ":")).replace("<", "\\u003c")


@cache
def _libraries() -> str:
    return "\n".join(
        (HERE / "vendor" / f"{name}.min.js").read_text(encoding="utf-8") for name in LIBRARIES
    )


def _theme(name: str, palette: list[str]) -> dict:
    """Vega's configuration: the page's colours and type on a transparent ground."""
    ink, line = ("#e8edf2", "#2b353f") if name == "dark" else ("#1c2733", "#e1e6ea")
    words = {"labelColor": ink, "titleColor": ink, "labelFontSize": 12, "titleFontSize": 12}
    return {
        "background": "transparent",
        "font": "system-ui, sans-serif",
        "view": {"stroke": "transparent"},
        "axis": {**words, "titleFontWeight": "normal", "gridColor": line, "domainColor": line}
        | {"tickColor": line},
        "axisX": {"grid": False},
        "axisY": {"domain": False, "ticks": False},
        "legend": words,
        "title": {"color": ink},
        "text": {"color": ink},
        "range": {"category": palette},
    }
