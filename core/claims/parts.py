"""Testing every claim in chunks of runs, each in whichever process gets it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from core.claims import CLAIMS
from core.claims.claim import Verdict
from core.claims.record import Tested, arm_key, examined
from core.history import TARGET
from core.rates import Rate
from core.recorded import RecordedFinding, Trained, frozen, trained
from core.sweep.chunk import one_at_a_time, set_environment

CHUNK = 256
"""Runs of each experiment that are trained together."""


def request(seed: int, first: int, runs: int) -> str:
    """What `examine_part` takes, for runs `first` to `first` + `runs` - 1."""
    return json.dumps({"seed": seed, "first": first, "runs": runs})


def examine_part(text: str) -> str:
    """Test every claim that can be tested on a chunk of runs.

    Args:
        text: From `request`.

    Returns:
        JSON for `joined`: what each run came to, and of run 0's chunk also what is drawn of it and
        its diagnosis.
    """
    set_environment()
    from core.training import train_all

    asked = json.loads(text)
    seed, first, runs = asked["seed"], asked["first"], asked["runs"]
    testable = [claim for claim in CLAIMS.values() if claim.criterion is not None]
    arms = [arm.experiment for claim in testable if claim.test.trains for arm in claim.arms]
    distinct = list(dict.fromkeys(arms))
    with one_at_a_time:
        # Nothing stops it, so that there is a history of each.
        of_all = train_all(distinct, runs, seed, first=first) or ()
    histories = dict(zip(distinct, of_all, strict=True))
    claims: dict[str, Any] = {}
    for claim in testable:
        own = [histories[arm.experiment] for arm in claim.arms] if claim.test.trains else []
        outcome = claim.outcome_of(own, runs, seed, first)
        met, values = claim.test.judge(outcome)
        claims[claim.key] = {
            "met": met.tolist(),
            "values": [None if np.isnan(value) else float(value) for value in values],
        }
        if first == 0:
            conclusion, findings = examined(outcome)
            claims[claim.key] |= {
                "conclusion": conclusion,
                "findings": [vars(finding) for finding in findings],
            }
    final = {
        arm_key(experiment): {
            "scores": [float(score) for score in history.final_score],
            "learned": int(history.successes(TARGET).sum()),
            "drawn": vars(trained(history)) if first == 0 else None,
        }
        for experiment, history in histories.items()
    }
    return json.dumps({"first": first, "runs": runs, "claims": claims, "arms": final})


def joined(parts: Sequence[str], seed: int) -> dict[str, Tested]:
    """What came of each claim, by key.

    Args:
        parts: From `examine_part`, of all runs from 0 on, in any order.
        seed: Of the runs.
    """
    ordered = sorted(map(json.loads, parts), key=lambda part: part["first"])
    tested = {}
    for key, begun in ordered[0]["claims"].items():
        own = [part["claims"][key] for part in ordered]
        claim = CLAIMS[key]
        keys = [arm_key(arm.experiment) for arm in claim.arms] if claim.test.trains else []
        tested[key] = Tested(
            Verdict.of(
                key,
                seed,
                np.concatenate([np.array(each["met"], bool) for each in own]),
                np.concatenate([np.array(each["values"], float) for each in own]),
            ),
            tuple(_joined([part["arms"][name] for part in ordered]) for name in keys),
            begun["conclusion"],
            tuple(RecordedFinding(**finding) for finding in begun["findings"]),
        )
    return tested


def _joined(parts: Sequence[dict[str, Any]]) -> Trained:
    """What is kept of an arm: the counts of all runs, and the curves of the first ones."""
    scores = np.concatenate([np.array(part["scores"], np.float32) for part in parts])
    drawn = {name: frozen(value) for name, value in parts[0]["drawn"].items()}
    rate = Rate(sum(part["learned"] for part in parts), len(scores))
    return Trained(
        **drawn
        | {
            "runs": rate.runs,
            "learned": rate.successes,
            "median_accuracy": round(float(np.median(scores)), 4),
        }
    )
