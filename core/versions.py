"""The installed versions of the libraries that determine the figures."""

from __future__ import annotations

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
