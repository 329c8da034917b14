"""The record of what came of every claim: tested once, kept as JSON, shown at once.

What a page draws of a claim is a `Tested`, whether it comes from the record or from the worker.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from core.claims import CLAIMS
from core.claims.claim import (
    FAILS,
    HOLDS,
    OURS,
    RULE,
    RUNS,
    SOMETIMES,
    UNTESTABLE,
    UNTESTED,
    WORDS,
    Claim,
    Verdict,
)
from core.claims.criteria import Outcome
from core.diagnosis import Finding, diagnose, verdict
from core.experiment import Experiment
from core.posts import POSTS
from core.rates import Rate
from core.recorded import RecordedFinding, Trained, compact, digest, frozen, lines, read, trained
from core.sweep.dispatch import Chunk, chunks, completed
from core.versions import Versioned, versions

RECORD = Path(__file__).with_name("record.json")


@dataclass(frozen=True)
class Tested:
    """A claim's verdict and what led to it.

    Attributes:
        arms: one for each of the claim's, or none where nothing was trained.
        conclusion, findings: the diagnosis of the last arm.
        confirmed: how many runs of plain `model.fit` met the criterion, where that was tested.
    """

    verdict: Verdict
    arms: tuple[Trained, ...]
    conclusion: str
    findings: tuple[RecordedFinding, ...]
    confirmed: Rate | None = None


@dataclass(frozen=True)
class Record(Versioned):
    """Every testable claim as it was tested, when, with which versions and which seed.

    Attributes:
        claims: fingerprint of the claims that were tested.
        tested: by the claims' keys.
    """

    date: str
    versions: Mapping[str, str]
    runs: int
    seed: int
    claims: str
    tested: Mapping[str, Tested]

    def word(self, key: str) -> str:
        """The verdict on a claim, or that it cannot be tested, or was not yet."""
        tested = self.tested.get(key)
        if tested is not None:
            return tested.verdict.word
        return UNTESTABLE if CLAIMS[key].criterion is None else UNTESTED

    def counts(self, *, ours: bool) -> dict[str, int]:
        """How many claims have each verdict, of the posts' claims or of ours."""
        words = [self.word(key) for key, claim in CLAIMS.items() if (claim.source == OURS) is ours]
        return {word: words.count(word) for word in WORDS}

    def summary(self) -> str:
        """How many claims hold, in a sentence: those of the posts, then ours."""
        posts, own = self.counts(ours=False), self.counts(ours=True)
        return (
            f"Of the {sum(posts.values())} claims in the posts, {posts[HOLDS]} hold, "
            f"{posts[SOMETIMES]} hold sometimes, {posts[FAILS]} do not hold, and "
            f"{posts[UNTESTABLE]} cannot be tested. Of our own {sum(own.values())} claims, "
            f"{own[HOLDS]} hold."
        )

    def frame(self) -> pd.DataFrame:
        """One row per claim: what was reported, what was measured, and the verdict.

        median, smallest, largest: of what `quantity` names, infinite where an epoch never came; of
        a claim that cannot be tested, all that is measured is missing.
        """
        rows = []
        for key, claim in CLAIMS.items():
            row: dict[str, object] = {
                "key": key,
                "claim": claim.text,
                "who": str(claim.source),
                "post": claim.source.post.url if claim.source.post else None,
                "reported": claim.reported,
                "verdict": self.word(key),
            }
            if tested := self.tested.get(key):
                verdict, (smallest, largest) = tested.verdict, tested.verdict.range
                row |= {
                    "criterion": claim.test.text,
                    "runs": verdict.runs,
                    "met": verdict.rate.successes,
                    "rate": verdict.rate.value,
                    "low": verdict.rate.low,
                    "high": verdict.rate.high,
                    "quantity": claim.test.quantity.name,
                    "median": verdict.median,
                    "smallest": smallest,
                    "largest": largest,
                }
            rows.append(row)
        return pd.DataFrame(rows)

    def markdown(self) -> str:
        """The claims, who made them, what was reported, what was measured, and the verdicts."""
        lines = ["| claim | who | reported | measured | verdict |", "|---|---|---|---|---|"]
        for key, claim in CLAIMS.items():
            tested = self.tested.get(key)
            measured = claim.note if tested is None else measured_text(claim, tested.verdict)
            cells = (claim.text, claim.source, claim.reported, measured, f"**{self.word(key)}**")
            lines.append(f"| {' | '.join(map(str, cells))} |")
        return "\n".join(lines)

    def page(self) -> str:
        """The record as a Markdown document, which is docs/claims.md."""
        posts = " and ".join(post.markdown for post in POSTS.values())
        parts = [
            "# The claims",
            f"{self.summary()} The posts are {posts}.",
            self.markdown(),
            f"{RULE} Intervals are Wilson's. Recorded on {self.date} with {self.versions_text}: "
            f"{self.runs:,} runs per experiment, each with its own data and initial weights; "
            f"seed {self.seed}.",
        ]
        confirmed = {key: t.confirmed for key, t in self.tested.items() if t.confirmed}
        if confirmed:
            parts.append("Some claims were also tested with plain `model.fit`, one run at a time:")
            parts.append(
                "\n".join(f"- {CLAIMS[key].text} {rate}." for key, rate in confirmed.items())
            )
        parts.append(
            "To test every claim again and to write this page from the record:\n\n```sh\n"
            "python -m core.claims --processes 2 --fits --out core/claims/record.json\n"
            "python -m core.claims > docs/claims.md\n```"
        )
        return "\n\n".join(parts)


def measured_text(claim: Claim, verdict: Verdict) -> str:
    """Such as "728 of 2,048 runs (33.5 to 37.6%); median 69.5%"."""
    return f"{verdict.rate}; median {claim.test.quantity.text(verdict.median)}"


def examine(claim: Claim, outcome: Outcome) -> Tested:
    """The verdict on what a claim's arms came to, their curves, and the last one's diagnosis."""
    arms = tuple(trained(history) for history in outcome.histories)
    return Tested(claim.judge(outcome), arms, *examined(outcome))


def examined(outcome: Outcome) -> tuple[str, tuple[RecordedFinding, ...]]:
    """Conclusion and findings of the diagnosis of the last arm."""
    findings: tuple[Finding, ...] = ()
    conclusion = ""
    if outcome.histories:
        findings = diagnose(outcome.experiments[-1], outcome.last)
        conclusion = verdict(findings, outcome.last)
    return conclusion, tuple(RecordedFinding.of(finding) for finding in findings)


def make(
    runs: int = RUNS,
    seed: int = 0,
    *,
    fits: bool = False,
    executor: Executor | None = None,
    in_flight: int | None = None,
    on_progress: Callable[[int], object] | None = None,
) -> Record:
    """Test every claim that can be tested.

    Args:
        runs: of every experiment; the curves, the values of single runs and the diagnosis are those
            of the first 256.
        fits: repeat the claims that ask for it with plain Keras, in this process.
        executor: trains chunks of the runs; this process does if None.
        in_flight: chunks that the executor has at once; twice its workers if None.
        on_progress: told how many runs are done, after every chunk.
    """
    from core.claims.parts import CHUNK, examine_part, joined, request

    asked = ((chunk, request(seed, *chunk)) for chunk in chunks(runs, CHUNK))
    answers: Iterator[tuple[Chunk, str]]
    if executor is None:
        answers = ((chunk, examine_part(text)) for chunk, text in asked)
    else:
        answers = completed(executor, examine_part, asked, in_flight)
    parts, done = [], 0
    for (_, count), answer in answers:
        parts.append(answer)
        done += count
        if on_progress is not None:
            on_progress(done)
    tested = joined(parts, seed)
    if fits:
        for key in [key for key in tested if CLAIMS[key].fits]:
            tested[key] = _confirmed(CLAIMS[key], tested[key], seed)
    return Record(date.today().isoformat(), versions(), runs, seed, fingerprint(), tested)


def fingerprint() -> str:
    """Changes with every claim's criterion and experiments, which decide what is recorded."""
    parts = [
        [c.key, repr(c.criterion), *(arm.experiment.to_json() for arm in c.arms)]
        for c in CLAIMS.values()
    ]
    return digest(json.dumps(parts))


def _confirmed(claim: Claim, tested: Tested, seed: int) -> Tested:
    """With the claim's last arm trained by `model.fit`, run by run."""
    from core.reference import fit

    experiment = claim.arms[-1].experiment
    met = [
        claim.test.judge(Outcome((experiment,), (fit(experiment, seed, run=run),), 1, seed))[0]
        for run in range(claim.fits)
    ]
    return replace(tested, confirmed=Rate.of(np.ravel(met)))


# --- as JSON ------------------------------------------------------------------------------------


def save(record: Record, path: Path = RECORD) -> None:
    """One line an arm and one a claim; an arm that several claims share is written once."""
    arms: dict[str, Trained] = {}
    claims = {}
    for key, tested in record.tested.items():
        verdict = tested.verdict
        own = CLAIMS[key].arms[: len(tested.arms)]
        arms |= {arm_key(a.experiment): t for a, t in zip(own, tested.arms, strict=True)}
        claims[key] = {
            "rate": vars(verdict.rate),
            "median": _finite(verdict.median, 6),
            "range": [_finite(end, 6) for end in verdict.range],
            "met": np.asarray(verdict.met, int).tolist(),
            "values": [_finite(value) for value in verdict.values],
            "conclusion": tested.conclusion,
            "findings": [vars(finding) for finding in tested.findings],
            "confirmed": vars(tested.confirmed) if tested.confirmed else None,
        }
    head = {
        "date": record.date,
        "versions": dict(record.versions),
        "runs": record.runs,
        "seed": record.seed,
        "claims": record.claims,
    }
    parts = [f'"{name}": {compact(value)}' for name, value in head.items()]
    parts += [f'"arms": {lines({k: vars(t) for k, t in arms.items()})}']
    parts += [f'"tested": {lines(claims)}']
    path.write_text("{\n" + ",\n".join(parts) + "\n}\n", encoding="utf-8")


def load(path: Path = RECORD) -> Record:
    """The record as `save` wrote it. Raises KeyError where it has a claim that there is not."""
    plain = read(path)
    arms = {
        key: Trained(**{name: frozen(value) for name, value in fields.items()})
        for key, fields in plain.pop("arms").items()
    }
    tested = {}
    for key, fields in plain.pop("tested").items():
        met = np.array(fields["met"], bool)
        values = np.array([np.nan if v is None else v for v in fields["values"]])
        own = (arm_key(arm.experiment) for arm in CLAIMS[key].arms)
        confirmed = fields["confirmed"]
        tested[key] = Tested(
            Verdict(
                key,
                plain["seed"],
                Rate(**fields["rate"]),
                _or_never(fields["median"]),
                (_or_never(fields["range"][0]), _or_never(fields["range"][1])),
                met,
                values,
            ),
            tuple(arms[name] for name in own) if CLAIMS[key].test.trains else (),
            fields["conclusion"],
            tuple(RecordedFinding(**finding) for finding in fields["findings"]),
            Rate(**confirmed) if confirmed else None,
        )
    return Record(**plain, tested=tested)


def _finite(value: float, digits: int = 4) -> float | None:
    """A value, rounded; None for an epoch that never came."""
    return round(float(value), digits) if np.isfinite(value) else None


def _or_never(value: float | None) -> float:
    return np.inf if value is None else value


def arm_key(experiment: Experiment) -> str:
    """What an arm is called in the record."""
    return experiment.digest[:12]
