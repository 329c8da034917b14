"""Many runs of an experiment in chunks, through any executor of `concurrent.futures`.

from core.sweep import sweep
result = sweep(experiment, runs=100_000)             # on the cores of this machine
result.rate, result.curve(0.5), result.worst

python -m core.sweep EXPERIMENT.json --runs 100000 --out RESULT.json

On this machine the chunks are trained by new processes, which import the script that calls `sweep`:
keep the call below `if __name__ == "__main__":`.
"""

from core.sweep.processes import Processes
from core.sweep.result import Result
from core.sweep.schedule import Progress, sweep

__all__ = ["Processes", "Progress", "Result", "sweep"]
