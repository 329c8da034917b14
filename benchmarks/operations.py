"""Which operations of the compiled programs take how long: the engine's, and JAX's beside it.

    python -m benchmarks.operations [--network 1] [--runs 16] [--most 12]

Trains one of the networks of `benchmarks.engine` (0: 8-12-8-1, 1: 20-64-64-1, 2: 64-128-10,
3: 784-128-64-10) for ten epochs under the profiler of either library, and prints the operations
that take most, with µs a step: those of the loop of steps, and others, as the evaluation after each
epoch is, spread over the steps. Watching costs some 10% of the time. JAX is left out where it is
not installed (`benchmarks/requirements.txt`).
"""

from __future__ import annotations

import argparse
import os
import re
import tempfile
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from importlib.util import find_spec
from pathlib import Path

from core.engine.flags import xla_environment

# NPROC is what XLA's CPU client, which is JAX's, reads the number of its threads from.
os.environ |= {"TF_CPP_MIN_LOG_LEVEL": "3", "NPROC": "1", **xla_environment()}

import pandas as pd
import tensorflow as tf
from tensorflow.tsl.profiler.protobuf import xplane_pb2

from benchmarks.engine_sizes import EPOCHS, SIZES, _jax, epochs_alone, network

OPERATION = re.compile(r"(MatMul|dot|copy|concat|wrapped|\w*fusion)[\w.]*")
"""The names of operations; loops and calls, which contain them, are named otherwise."""
LEVEL = 3
"""Of the profiler, from which on it notes each operation of a compiled program."""


def watched(
    measure: Callable[[], float], profiler: Callable[[str], AbstractContextManager]
) -> Counter[str]:
    """Microseconds of each operation of what `measure` runs, by its name.

    Args:
        measure: Runs compiled programs.
        profiler: Writes a profile into a folder for as long as it is entered.
    """
    for _ in range(3):
        measure()
    with tempfile.TemporaryDirectory() as folder:
        with profiler(folder):
            measure()
        space = xplane_pb2.XSpace()
        space.ParseFromString(next(Path(folder).rglob("*.xplane.pb")).read_bytes())
    took: Counter[str] = Counter()
    for plane in space.planes:
        for line in plane.lines:
            for event in line.events:
                took[plane.event_metadata[event.metadata_id].name] += event.duration_ps / 1e6
    return took


def _of_tensorflow(folder: str) -> AbstractContextManager:
    return tf.profiler.experimental.Profile(
        folder, tf.profiler.experimental.ProfilerOptions(host_tracer_level=LEVEL)
    )


def _of_jax(folder: str) -> AbstractContextManager:
    import jax

    options = jax.profiler.ProfileOptions()
    options.host_tracer_level, options.python_tracer_level = LEVEL, 0
    return jax.profiler.trace(folder, profiler_options=options)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--network", type=int, choices=range(len(SIZES)), default=1)
    parser.add_argument("--runs", type=int, default=16)
    parser.add_argument("--most", type=int, default=12, help="operations (default: 12)")
    asked = parser.parse_args()
    size = SIZES[asked.network]
    steps = EPOCHS * -(-size[4] // size[3])
    ways = {"engine": (epochs_alone(network(*size), asked.runs), _of_tensorflow)}
    if find_spec("jax"):
        ways["JAX"] = (_jax(network(*size), asked.runs), _of_jax)
    for name, (measure, profiler) in ways.items():
        rows = watched(measure, profiler).most_common()
        inner = [(op, us / steps) for op, us in rows if OPERATION.fullmatch(op)]
        table = pd.DataFrame(inner[: asked.most], columns=[f"{name}'s operation", "µs a step"])
        print(f"\n{table.to_string(index=False, float_format='{:.1f}'.format)}")
        print(f"all operations: {sum(us for _, us in inner):.0f} µs a step")


if __name__ == "__main__":
    main()
