"""Reading a Keras script without running it, and patching it."""

from core.script.blame import line_of
from core.script.patch import CannotPatch, mended, patch, unified
from core.script.reading import Reading, read
from core.script.saved import read_saved

__all__ = [
    "CannotPatch",
    "Reading",
    "line_of",
    "mended",
    "patch",
    "read",
    "read_saved",
    "unified",
]
