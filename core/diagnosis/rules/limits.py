"""What is said where the best possible score is known only from what other models reach."""

from __future__ import annotations

from core.diagnosis.findings import COSMETIC, LIKELY, Finding
from core.diagnosis.observations import Observations


def of_other_models(obs: Observations) -> Finding:
    """A finding on the target, which no model is known to reach."""
    goal, rows, best = obs.goal, obs.rows, obs.rows.best_known
    assert best is not None, "the goal is estimated"
    task = obs.experiment.task
    which = "other models" if rows.baselines is not None else "simple models"
    evidence = (
        f"Of {which} {best.name} does best, with {task.phrased(best.score)} (standard error "
        f"{task.stated(best.error)}) on rows that it has not seen; always predicting "
        f"{task.constant} has {task.stated(rows.drawn_baseline(task))}. {goal.enough}"
    )
    more = "Collect more rows" + (
        ", or compare with a random forest." if rows.baselines is None else ", or other inputs."
    )
    what = "targets" if goal.regression else "labels"
    return Finding(
        COSMETIC,
        "What is possible cannot be told" if goal.is_unknown else "The target may be out of reach",
        evidence,
        f"Either these inputs say little about the {what}, or it takes a model of another kind to "
        "see it. A network that does no worse than the best of the others need not be at fault.",
        (),
        LIKELY,
        more,
    )
