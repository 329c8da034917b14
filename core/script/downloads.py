"""Data sets that a script downloads: digits stand in for two, and the shape of others is known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from core.script import learn
from core.script.values import Array, Unknown

if TYPE_CHECKING:
    from core.script.evaluate import Evaluator

IMAGES = {"mnist": "MNIST", "fashion_mnist": "Fashion-MNIST"}
"""28 x 28 pixels in ten classes, for which enlarged digits stand in."""


class Known(NamedTuple):
    """What is known of a data set.

    Attributes:
        rows: Trained on.
        features: Numbers of a row; None where rows are texts.
        classes: 0 for a quantity.
    """

    rows: int
    features: int | None
    classes: int


KNOWN = {
    "mnist": Known(60_000, 784, 10),
    "fashion_mnist": Known(60_000, 784, 10),
    "cifar10": Known(50_000, 3_072, 10),
    "cifar100": Known(50_000, 3_072, 100),
    "boston_housing": Known(404, 13, 0),
    "boston": Known(506, 13, 0),
    "california_housing": Known(20_640, 8, 0),
    "imdb": Known(25_000, None, 2),
    "reuters": Known(8_982, None, 46),
    "covtype": Known(581_012, 54, 7),
    "mnist_784": Known(70_000, 784, 10),
}
"""By the names that Keras and scikit-learn give them."""


def loaded(script: Evaluator, name: str, line: int) -> Any:
    """What `load_data` of a data set of Keras gives."""
    if name not in IMAGES:
        script.wanted.append((name or "the data set", line))
        return Unknown(f"the data set {name} is not here", line)
    learn.load(script.budget)
    from sklearn.datasets import load_digits

    digits = load_digits()
    # 8 x 8 pixels from 0 to 16 become 28 x 28 from 0 to 255, with a margin of 2 as in MNIST.
    images = np.pad(np.kron(digits.images, np.ones((3, 3))), ((0, 0), (2, 2), (2, 2)))
    images = np.round(images * 255 / 16).astype(np.uint8)
    labels = digits.target.astype(np.uint8)
    words = f"8 x 8 digits, enlarged, in place of {IMAGES[name]}"
    parts = (slice(0, 1_437), slice(1_437, None))
    return tuple((Array.of(images[p], words), Array.of(labels[p], words)) for p in parts)
