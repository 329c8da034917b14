"""What the server writes about itself: one line an event, to standard error.

    event=job label="64 runs of the threshold problem" kind=Train price=1.9 seconds=1.4 state=done

Nothing about people: no session, no address, no setting that somebody typed.
"""

from __future__ import annotations

import json
import logging
import sys

LOGGER = logging.getLogger("plateau")


def to_stderr() -> None:
    """Send the lines to standard error; calling it again changes nothing."""
    if not LOGGER.handlers:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
        LOGGER.addHandler(handler)
        LOGGER.setLevel(logging.INFO)
        # Streamlit's own handlers would print every line once more.
        LOGGER.propagate = False


def note(event: str, level: int = logging.INFO, **fields: object) -> None:
    """Log one event as `event=... name=value ...`.

    Args:
        event: what happened, in a word.
        level: of the `logging` module.
        fields: values by name. A float has one digit after the point; text with a blank, a quote
            or a line break is quoted as in JSON.
    """
    LOGGER.log(
        level, " ".join(f"{name}={_text(v)}" for name, v in {"event": event, **fields}.items())
    )


def _text(value: object) -> str:
    text = f"{value:.1f}" if isinstance(value, float) else str(value)
    plain = text.isprintable() and not set(text) & set(' "=') and text
    return text if plain else json.dumps(text)
