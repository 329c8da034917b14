"""With whom the training process shares long trainings, as two variables of the environment say.

PLATEAU_PROCESSES: how many processes of this machine train, the training process among them.
PLATEAU_DASK: the address of a scheduler of Dask, on whose workers they are trained instead.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping

from core.jobs.limits import Limits
from core.log import note
from core.sweep.processes import most_processes

PROCESSES, DASK = "PLATEAU_PROCESSES", "PLATEAU_DASK"


def processes(hosted: bool, environment: Mapping[str, str] = os.environ) -> int:
    """How many processes of this machine train.

    Args:
        hosted: Whether the server is for others; without the variable it then trains in one
            process, and otherwise in as many as cores and memory allow.
        environment: Values by the names of the variables; one that is no whole number above 0 is
            logged.
    """
    text = environment.get(PROCESSES)
    default = 1 if hosted else most_processes()
    if text is None:
        return default
    try:
        count = int(text)
    except ValueError:
        count = 0
    if count > 0:
        return count
    note(
        "setting",
        logging.WARNING,
        variable=PROCESSES,
        problem="it should be a whole number above 0; the default holds",
        default=default,
    )
    return default


def begin(limits: Limits, environment: Mapping[str, str] = os.environ) -> None:
    """Make the crew of this process, where the variables name one.

    Args:
        limits: Of which `resident` holds for each process.
        environment: As for `processes`.
    """
    from core import parts
    from core.jobs.crew import Crew
    from core.jobs.helper import Helper

    if address := environment.get(DASK):
        try:
            from core.jobs.cluster import Cluster

            parts.crew = Crew(Cluster(address).places, here=False)
        except (ImportError, OSError, ValueError) as error:
            note(
                "setting",
                logging.WARNING,
                variable=DASK,
                problem=f"no trainings there: {error}",
            )
        else:
            return
    count = processes(hosted=True, environment=environment)
    if count > 1:
        helpers = [Helper(limits.resident) for _ in range(count - 1)]
        parts.crew = Crew(lambda: helpers)


def workers() -> tuple[int, bool]:
    """How many parts of a training are trained at once, and whether elsewhere."""
    from core import parts

    if parts.crew is None:
        return 1, False
    return parts.crew.workers, parts.crew.elsewhere
