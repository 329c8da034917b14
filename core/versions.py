"""The installed versions of the libraries that determine the figures."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from importlib import metadata

LIBRARIES = (("keras",), ("numpy",), ("tensorflow", "tensorflow-cpu"))
"""The libraries that determine the figures, each by the packages that may provide it."""


def versions() -> dict[str, str]:
    """The installed version of each of LIBRARIES, by its first name, without importing any."""
    versions = {}
    for names in LIBRARIES:
        for name in names:
            try:
                versions[names[0]] = metadata.version(name)
                break
            except metadata.PackageNotFoundError:
                continue
    return versions


class Versioned:
    """What was recorded with certain versions of the libraries, in `versions` by their names."""

    versions: Mapping[str, str]

    @cached_property
    def versions_text(self) -> str:
        """Such as "keras 3.15.1, numpy 2.4.6"."""
        return ", ".join(f"{name} {number}" for name, number in self.versions.items())
