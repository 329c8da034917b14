"""Flags of XLA with which it compiles the stack to faster programs, where it knows them.

Without TensorFlow: it belongs into the environment of a process that is yet to import it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib import metadata

FASTER = (
    # One core computes a stack, so its operations are not to be ordered for several.
    "--xla_cpu_enable_concurrency_optimized_scheduler=false",
    # The widest vectors of a processor that has them. They can sum in another order, so a seed's
    # figures can differ in their last digits from those of a processor without.
    "--xla_cpu_prefer_vector_width=512",
)
KNOWN_TO = ("2.21",)
"""Releases of TensorFlow that know them: XLA ends a process at a flag that it does not."""


def xla_environment(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """XLA_FLAGS with FASTER before its own, so that its own decide; {} where unknown.

    Args:
        environment: variables that are set so far.
    """
    if not any(_release(name) in KNOWN_TO for name in ("tensorflow-cpu", "tensorflow")):
        return {}
    return {"XLA_FLAGS": " ".join((*FASTER, environment.get("XLA_FLAGS", ""))).strip()}


def _release(package: str) -> str:
    """ "2.21" of 2.21.0, "" where it is not installed."""
    try:
        return ".".join(metadata.version(package).split(".")[:2])
    except metadata.PackageNotFoundError:
        return ""
