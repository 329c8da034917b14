"""The registry of optimizers, with Keras's defaults and update formulas in NumPy.

The fields have the names of Keras's arguments. The NumPy formulas let the diagnosis simulate
updates in a process without TensorFlow.
"""

from core.optimizers.adaptive import Adadelta, Adagrad, Ftrl, RMSprop
from core.optimizers.base import CLIPPING, OPTIMIZERS, RATE, Arrays, Optimizer, rate_field
from core.optimizers.follower import Follower
from core.optimizers.gradient import SGD, Lion
from core.optimizers.moments import Adam, Adamax, AdamW, Nadam

__all__ = [
    "CLIPPING",
    "OPTIMIZERS",
    "RATE",
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Arrays",
    "Follower",
    "Ftrl",
    "Lion",
    "Nadam",
    "Optimizer",
    "RMSprop",
    "rate_field",
]

for _kind in (
    *(SGD, RMSprop, Adam, AdamW, Nadam, Adamax),
    *(Adagrad, Adadelta, Ftrl, Lion),
):
    OPTIMIZERS[_kind.__name__] = _kind
