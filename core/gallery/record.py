"""The record of the gallery: every case trained once, kept as JSON, shown at once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from core.diagnosis import Severity, diagnose, main_cause, summary
from core.diagnosis.observations import final_state
from core.gallery import CASES
from core.gallery.case import Case
from core.history import TARGET, History
from core.rates import paired_gain
from core.recorded import (
    RecordedFinding,
    Trained,
    compact,
    digest,
    frozen,
    lines,
    read,
    trained,
)
from core.versions import Versioned, versions

RECORD = Path(__file__).with_name("record.json")
RUNS = 256


@dataclass(frozen=True)
class Recorded:
    """What came of a case.

    Attributes:
        before, after: The case as asked and with its change, over the same seeds.
        gain: Difference of the two rates, and the ends of its 95% interval for paired runs.
        passes: What the runs do that count as successes, as a verb in the plural.
        goal: The score that counts as success.
        baseline: The score of the best constant answer.
        summary: The diagnosis of the case as asked, in sentences.
        main: The code of its main finding; None where nothing is wrong.
        findings: The most severe first.
    """

    before: Trained
    after: Trained
    gain: tuple[float, float, float]
    passes: str
    goal: float
    baseline: float
    summary: tuple[str, ...]
    main: str | None
    findings: tuple[RecordedFinding, ...]

    def figures(self, case: Case) -> dict[str, str]:
        """The figures that the texts of a case name: rates and median final scores.

        before, after: such as "3 of 256 runs (0 to 3%)"; passes: what these do.
        score, score_after: the median final score, such as "50.5%".
        baseline: the score of the best constant answer.
        """
        number = case.experiment.task.number
        return {
            "passes": self.passes,
            "before": str(self.before.rate),
            "after": str(self.after.rate),
            "score": number(self.before.median_accuracy),
            "score_after": number(self.after.median_accuracy),
            "baseline": number(self.baseline),
        }


@dataclass(frozen=True)
class Record(Versioned):
    """Every case as it was trained, when, with which versions and which seed.

    Attributes:
        cases: Fingerprint of the experiments that were trained.
        recorded: By the cases' keys.
    """

    date: str
    versions: dict[str, str]
    runs: int
    seed: int
    cases: str
    recorded: dict[str, Recorded]


def examine(case: Case, before: History, after: History) -> Recorded:
    """What came of a case, from the histories of its two experiments over the same seeds."""
    ends = [final_state(history, TARGET) for history in (before, after)]
    passed = [end.passed for end in ends]
    goal, findings = ends[0].goal, diagnose(case.experiment, before)
    # What to try comes last; the change of a case is what was tried.
    harm = any(finding.severity is not Severity.COSMETIC for finding in findings)
    return Recorded(
        trained(before, passed[0]),
        trained(after, passed[1]),
        paired_gain(*passed),
        goal.passes,
        round(goal.score, 4),
        round(goal.rows.drawn_baseline(case.experiment.task), 4),
        summary(findings, before)[: -1 if harm else None],
        main_cause(findings).code if harm else None,
        tuple(RecordedFinding.of(finding) for finding in findings),
    )


def make(cases: Sequence[Case] | None = None, runs: int = RUNS, seed: int = 0) -> Record:
    """Train cases, as asked and changed; None for all."""
    from core.training import train_all

    cases = tuple(CASES.values()) if cases is None else cases
    experiments = [each for case in cases for each in (case.experiment, case.changed)]
    # Nothing stops it, so that there is a history of each.
    histories = train_all(experiments, runs, seed) or []
    pairs = zip(cases, histories[::2], histories[1::2], strict=True)
    recorded = {case.key: examine(case, *pair) for case, *pair in pairs}
    return Record(date.today().isoformat(), versions(), runs, seed, fingerprint(), recorded)


def fingerprint() -> str:
    """Changes with every case's experiments, which decide what is recorded."""
    parts = [[c.key, c.experiment.to_json(), c.changed.to_json()] for c in CASES.values()]
    return digest(json.dumps(parts))


def save(record: Record, path: Path = RECORD) -> None:
    """One line a case."""
    head = {name: value for name, value in vars(record).items() if name in _HEAD}
    cases = {
        key: {
            **vars(recorded),
            "before": vars(recorded.before),
            "after": vars(recorded.after),
            "gain": [round(value, 4) for value in recorded.gain],
            "findings": [vars(finding) for finding in recorded.findings],
        }
        for key, recorded in record.recorded.items()
    }
    parts = [f'"{name}": {compact(value)}' for name, value in head.items()]
    parts.append(f'"recorded": {lines(cases)}')
    path.write_text("{\n" + ",\n".join(parts) + "\n}\n", encoding="utf-8")


_HEAD = ("date", "versions", "runs", "seed", "cases")


def load(path: Path = RECORD) -> Record:
    """The record as `save` wrote it."""
    plain = read(path)
    recorded = {}
    for key, fields in plain.pop("recorded").items():
        for part in ("before", "after"):
            values = {name: frozen(value) for name, value in fields[part].items()}
            fields[part] = Trained(**values)
        fields |= {name: frozen(fields[name]) for name in ("gain", "summary")}
        fields["findings"] = tuple(RecordedFinding(**finding) for finding in fields["findings"])
        recorded[key] = Recorded(**fields)
    return Record(**plain, recorded=recorded)


def table(record: Record) -> str:
    """The cases with their rates, as Markdown."""
    rows = ["| case | as asked | change | with it |", "|---|---|---|---|"]
    for key, recorded in record.recorded.items():
        case = CASES[key]
        change = " + ".join(fix.title for fix in case.fixes)
        rows.append(f"| {case.title} | {recorded.before.rate} | {change} | {recorded.after.rate} |")
    return "\n".join(rows)
