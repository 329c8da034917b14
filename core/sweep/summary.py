"""What came of a sweep, in words."""

from __future__ import annotations

from core.rates import Rate
from core.sweep.result import Result


def lines(result: Result) -> list[str]:
    """What came of a sweep, a sentence each, the rate first."""
    task, said = result.experiment.task, []
    said.append(f"{share(result.rate)} reach {task.written(result.target)}.")
    quarter, half, rest = (task.number(result.score(q)) for q in (0.25, 0.5, 0.75))
    said.append(f"Final {task.score_name}: median {half}, quartiles {quarter} and {rest}.")
    for number, rate in enumerate(result.dead, start=1):
        if rate.successes:
            said.append(f"All units of dense layer {number} are dead in {share(rate)}.")
    if result.not_finite.successes:
        said.append(f"The loss is not finite in {share(result.not_finite)}.")
    said.append(f"Worst runs: {', '.join(map(str, result.worst))}.")
    if not result.complete:
        said.append(f"Stopped: {result.asked:,} runs were asked for.")
    return said


def share(rate: Rate) -> str:
    """A rate of very many runs, with its count and interval to a hundredth of a percent."""
    return (
        f"{rate.successes:,} of {rate.runs:,} runs ({rate.value:.2%}, "
        f"95% interval {rate.low:.2%} to {rate.high:.2%})"
    )
