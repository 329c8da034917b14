"""The outcomes of a training in words, for the top of the results and of the report."""

from __future__ import annotations

from core.history import IMPROVING, LOST, STUCK, SUCCEEDED, History, counted
from core.tasks import Task


def outcomes_help(task: Task) -> str:
    """What the outcomes of runs mean."""
    return (
        f"Stuck: in the last third of the epochs, neither loss nor {task.score_name} improved. "
        "Still improving: one of them did, so more epochs may help. Lost again: an earlier epoch "
        "reached the target."
    )


def headline(history: History, target: float) -> str:
    """The number of runs that end at the target or above, in words."""
    succeeded, runs = int(history.successes(target).sum()), history.runs
    written = history.experiment.task.written(target)
    if runs == 1 and not succeeded:
        return f"The run ended below {written}"
    extremes = {0: f"None of {runs} runs", runs: f"All {runs} runs" if runs > 1 else "The run"}
    subject = extremes.get(succeeded, f"{succeeded} of {runs} runs")
    return f"{subject} ended at {written} or above"


def others(history: History, target: float) -> str | None:
    """The outcomes of the runs that failed, in words; None if none did."""
    counts = counted(history.outcomes(target))
    succeeded = counts.pop(SUCCEEDED, 0)
    if not counts:
        return None
    lost = f"reached {history.experiment.task.written(target)} and lost it again"
    words = {STUCK: ("is stuck", "are stuck"), LOST: (lost, lost)}
    words[IMPROVING] = "is still improving", "are still improving"
    phrases = [(count, words[name][count > 1]) for name, count in counts.items()]
    if len(phrases) > 1:
        *first, last = [f"{count} {word}" for count, word in phrases]
        whole = f"{'the other' if succeeded else 'all'} {sum(counts.values())}"
        return f"Of {whole}, {', '.join(first)} and {last}."
    ((count, word),) = phrases
    if history.runs == 1:
        return f"It {word}."
    if succeeded:
        return f"The other {'one' if count == 1 else count} {word}."
    return f"All {count} {word}."
