"""Scripts to try: six with a typical fault each, and one without."""

from __future__ import annotations

from pathlib import Path

TITLES = {
    "xor": "XOR",
    "relu_output": "ReLU output",
    "softmax_one_unit": "Softmax of one unit",
    "learning_rate": "Learning rate of 1",
    "zeros": "Zero weights",
    "large_inputs": "Large inputs, with a log",
    "healthy": "A healthy one",
}
"""What each is about, by the name of its file."""


def example(name: str) -> str:
    """The text of an example."""
    return Path(__file__).with_name(f"{name}.txt").read_text(encoding="utf-8")
