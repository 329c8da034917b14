"""A report of a problem page as one HTML file, which needs neither a server nor a network.

The template escapes all values except those that it marks as safe: the vendored libraries and the
results of `_data`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

from jinja2 import Environment, StrictUndefined, Template

from core.data import baseline
from core.diagnosis import Finding, verdict
from core.experiment import Experiment
from core.export import to_script
from core.files import versions
from core.fixes import Fix
from core.history import History
from core.problems import Problem
from core.rates import Rate
from core.script_diff import changes
from pages.elements import baselines, figures, findings
from pages.elements.figures import Picture
from pages.elements.headline import headline, others

HERE = Path(__file__).parent
LIBRARIES = ("vega", "vega-lite", "vega-embed")
"""In order of dependency; see `vendor/README.md`."""


@dataclass(frozen=True)
class Report:
    """The contents of a problem page.

    Attributes:
        problem: Whose page; itself, as the file is made outside of the session.
        experiment: The current one.
        summary: The experiment in one line.
        seed: Of the runs.
        target: The score at which a run succeeds.
        fixes: Those that lead from the question as asked to the experiment, without changes by
            hand.
        findings: Of the experiment and its training.
        history: The training of this experiment; None before training.
        views: The values of `settings.VIEWS`, by name.
        palettes: The colours of the outcomes and of further series, by "light" and "dark".
        link: Opens the page with these settings; "" for none.
    """

    problem: Problem
    experiment: Experiment
    summary: str
    seed: int
    target: float
    fixes: tuple[Fix, ...]
    findings: tuple[Finding, ...]
    history: History | None
    views: dict[str, object]
    palettes: dict[str, list[str]]
    link: str = ""

    def html(self) -> str:
        """The whole file."""
        return _template().render(
            title=self.problem.title,
            headline=self._headline(),
            report=self,
            sections=() if self.history is None else self._pictures(self.history),
            failed=None if self.history is None else others(self.history, self.target),
            verdict=self._verdict(),
            standing=_standing,
            changes=changes(self.problem.experiment, self.fixes, self.experiment, self.seed),
            script=to_script(self.experiment, self.seed),
            versions=", ".join(f"{name} {number}" for name, number in versions().items()),
            date=date.today().isoformat(),
            libraries=_libraries(),
            themes={name: _theme(name, colors) for name, colors in self.palettes.items()},
        )

    def _verdict(self) -> str:
        others = None if self.history is None else baselines.deciding(self.experiment)
        return verdict(self.findings, self.history, self.target, baselines=others)

    def _headline(self) -> str:
        if self.history is None:
            return "before training"
        return headline(self.history, self.target)

    def _pictures(self, history: History) -> list[tuple[str, list[tuple[Picture, bool]]]]:
        """The heading of each section and its pictures, each with whether it has the full width."""
        constant = baseline(history.experiment, history.seed, 0)
        part = figures.part_measured(history, self.views["part"])
        when = self.views["curves"]
        log = figures.logarithmic(history, part, when, self.views["log"])
        picks = figures.picks(history, self.target, str(self.views["pick"]))
        run = picks.get(self.views["pick"], picks["worst"])
        rate = Rate.of(history.successes(self.target))
        health = figures.health(
            history, figures.shown_health(history, self.views["health"]), self.target
        )
        return [
            (
                "What happened",
                [
                    (figures.score(history, part, when, self.target, constant), False),
                    (figures.loss(history, part, when, self.target, log), False),
                    (figures.rate(rate), True),
                    (figures.final_scores(history, self.target, constant), True),
                ],
            ),
            *([("Layer health", [(picture, False) for picture in health])] if health else ()),
            (
                "What the network does",
                [
                    (figures.diagram(history, run), True),
                    *((picture, width > 1) for picture, width in figures.of_network(history, run)),
                ],
            ),
        ]


def _standing(finding: Finding) -> str:
    """The label of the finding's badge, with "likely" if the finding is."""
    label, *_ = findings.badge(finding.severity, finding.is_open)
    return f"{label}, likely" if finding.confidence == "likely" else label


@cache
def _template() -> Template:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    environment.filters["data"] = _data
    return environment.from_string((HERE / "report.html").read_text(encoding="utf-8"))


def _data(plain: object) -> str:
    """JSON for a script element, escaped so that no text in it can end the element."""
    return json.dumps(plain, separators=(",", ":")).replace("<", "\\u003c")


@cache
def _libraries() -> str:
    return "\n".join(
        (HERE / "vendor" / f"{name}.min.js").read_text(encoding="utf-8") for name in LIBRARIES
    )


def _theme(name: str, palette: list[str]) -> dict:
    """Vega's configuration: the page's colours and fonts and background."""
    ink, line = ("#e8edf2", "#2b353f") if name == "dark" else ("#1c2733", "#e1e6ea")
    paper = "#11161c" if name == "dark" else "#ffffff"
    words = {"labelColor": ink, "titleColor": ink, "labelFontSize": 12, "titleFontSize": 12}
    return {
        "background": paper,
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
