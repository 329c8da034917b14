"""One HTML file of what a problem page shows, to open anywhere: no server and no network.

Everything in it that is not ours passes through `html.escape`, or as JSON through `_data`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path
from string import Template

from core.changes import changes
from core.data import majority_rate
from core.diagnosis import Finding, verdict
from core.download import versions
from core.experiment import Experiment
from core.export import to_script
from core.history import History
from core.problems import PROBLEMS, Fix
from core.statistics import Rate
from pages.elements import findings, pictures
from pages.elements.headline import headline, others
from pages.elements.pictures import Picture

HERE = Path(__file__).parent
LIBRARIES = ("vega", "vega-lite", "vega-embed")
"""In the order in which they need one another; see `vendor/README.md`."""


@dataclass(frozen=True)
class Report:
    """What a problem page shows.

    problem: its key; summary: the experiment in a line; fixes: what led from the question as asked
    to it, save changes by hand; found: its findings; history: of this experiment, None before
    training; views: what of the results is looked at; palettes: the colours of the outcomes
    and of further series, by "light" and "dark".
    """

    problem: str
    experiment: Experiment
    summary: str
    seed: int
    target: float
    fixes: tuple[Fix, ...]
    found: tuple[Finding, ...]
    history: History | None
    views: dict[str, object]
    palettes: dict[str, list[str]]

    def html(self) -> str:
        """The whole file."""
        template = Template((HERE / "report.html").read_text(encoding="utf-8"))
        return template.substitute(
            title=escape(f"{PROBLEMS[self.problem].title} · Plateau"),
            body="\n".join(self._parts()),
            libraries=_libraries(),
            themes=_data({name: _theme(name, colors) for name, colors in self.palettes.items()}),
        )

    def _parts(self) -> list[str]:
        parts = [
            f"<h1>{escape(PROBLEMS[self.problem].title)}: {escape(self._headline())}</h1>",
            f"<p>{escape(self.summary)}</p>",
        ]
        if self.history is not None:
            parts += self._results(self.history)
        parts += self._why()
        parts += self._changes()
        parts += ["<h2>The script</h2>", _code(to_script(self.experiment, self.seed))]
        parts += [
            "<h2>The experiment as JSON</h2>",
            "<p>Saved to a file, this can be loaded on the page again.</p>",
            _code(self.experiment.to_json(), "wrap"),
        ]
        used = ", ".join(f"{name} {number}" for name, number in versions().items())
        return [*parts, f"<footer>Made by Plateau; seed {self.seed}, {escape(used)}.</footer>"]

    def _headline(self) -> str:
        if self.history is None:
            return "before training"
        return headline(self.history, self.target)

    def _rate(self, history: History) -> Rate:
        return Rate(int(history.successes(self.target).sum()), history.runs)

    def _results(self, history: History) -> list[str]:
        majority = majority_rate(history.experiment.data, history.seed, 0)
        part = pictures.part_measured(history, self.views["part"])
        when = self.views["curves"]
        log = pictures.logarithmic(history, part, when, self.views["log"])
        picks = pictures.picks(history, self.target)
        run = picks.get(self.views["pick"], picks["worst"])
        curves = [
            pictures.accuracy(history, part, when, self.target, majority),
            pictures.loss(history, part, when, self.target, log),
        ]
        wide = [
            pictures.rate(self._rate(history), self.target),
            pictures.final_accuracies(history, self.target, majority),
        ]
        health = pictures.health(history, self.views["health"], self.target)
        failed = others(history, self.target)
        return [
            "<h2>What happened</h2>",
            *([f"<p>{escape(failed)}</p>"] if failed else []),
            _figures([*(_figure(p) for p in curves), *(_figure(p, wide=True) for p in wide)]),
            "<h2>Layer health</h2>",
            _figures([_figure(p) for p in health]),
            "<h2>What the network does</h2>",
            _figures(
                [
                    _figure(pictures.network(self.problem, history, run), wide=True),
                    _figure(pictures.confusion(history, run)),
                ]
            ),
        ]

    def _why(self) -> list[str]:
        said = verdict(self.found, self.history, self.target)
        parts = ["<h2>Why</h2>", f"<p><strong>{escape(said)}</strong></p>"]
        for finding in self.found:
            fixes = "; ".join(fix.title for fix in finding.fixes)
            parts.append(
                f'<div class="finding"><p><strong>{escape(finding.title)}</strong> '
                f'<span class="soft">{escape(_standing(finding))}</span></p>'
                f"<p>{escape(finding.evidence)}</p>"
                f'<p class="soft">{escape(finding.cause)}</p>'
                + (f"<p>What helps: {escape(fixes)}.</p>" if fixes else "")
                + "</div>"
            )
        return parts

    def _changes(self) -> list[str]:
        asked = PROBLEMS[self.problem].experiment
        found = changes(asked, self.fixes, self.experiment, self.seed)
        parts = ["<h2>What changed</h2>"]
        if not found:
            return [*parts, "<p>Nothing: this is the question as asked.</p>"]
        for change in found:
            parts.append(f"<h3>{escape(change.heading)}: {escape(', '.join(change.by))}</h3>")
            parts.append(_code(change.diff))
        return parts


def _standing(finding: Finding) -> str:
    """The finding's badge in words, and how sure it is where it is not certain."""
    label, *_ = findings.badge(finding.severity, finding.is_open)
    return f"{label}, likely" if finding.confidence == "likely" else label


def _code(text: str, style: str = "") -> str:
    return f'<pre class="{style}"><code>{escape(text)}</code></pre>'


def _figures(figures: list[str]) -> str:
    return f'<div class="figures">{"".join(figures)}</div>'


def _figure(picture: Picture, wide: bool = False) -> str:
    described = escape(picture.alt)
    return (
        f'<figure{" class=wide" if wide else ""}><div class="chart" role="img" '
        f'aria-label="{described}"></div><figcaption>{described}</figcaption>'
        f'<script type="application/json">{_data(picture.chart.to_dict())}</script></figure>'
    )


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
