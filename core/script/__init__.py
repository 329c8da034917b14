"""Reading a Keras script without running it, and patching it."""

from core.script.reading import Reading, read

__all__ = ["Reading", "read"]
