"""Reading a Keras script without running it, and patching it."""

from core.script.patch import CannotPatch, patch
from core.script.reading import Reading, read

__all__ = ["CannotPatch", "Reading", "patch", "read"]
