"""Reading a Keras script without running it, and patching it."""

from core.script.patch import CannotPatch, patch
from core.script.reading import Reading, read
from core.script.saved import read_saved

__all__ = ["CannotPatch", "Reading", "patch", "read", "read_saved"]
