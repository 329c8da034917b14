"""What the cases' experiments are made of."""

from __future__ import annotations

from core.experiment import Adam, Blobs, Curve, Data, Dense, Experiment, Model, Training
from core.layers import Layer
from core.optimizers import Optimizer

CLUSTERS = Blobs(bounds=((-1.0, 0.0), (0.2, 1.2)), samples=100)
"""Two separable clusters around 0, which nearly any sound network learns."""
THREE = Data(
    Blobs(bounds=((-1.2, -0.4), (-0.3, 0.5), (0.6, 1.4)), samples=100),
    label_values=(0.0, 1.0, 2.0),
    encoding="index",
)
"""Three clusters in a row, where a constant answer is right in a third of the rows."""
SIGMOID = Dense(1, "sigmoid")
SOFTMAX = Dense(3, "softmax")


def classifier(
    *layers: Layer,
    data: Data | None = None,
    optimizer: Optimizer | None = None,
    epochs: int = 30,
    batch_size: int = 32,
    shuffle: bool = True,
) -> Experiment:
    """Layers trained by the cross-entropy of their outputs, on CLUSTERS where no data are given."""
    model = Model(layers)
    loss = "binary_crossentropy" if model.output.units == 1 else "sparse_categorical_crossentropy"
    training = Training(loss, optimizer or Adam(0.01), batch_size, epochs, shuffle=shuffle)
    return Experiment(data or Data(CLUSTERS), model, training)


def regression(source: Curve, optimizer: Optimizer) -> Experiment:
    """A curve, approximated by 16 tanh units."""
    model = Model((Dense(16, "tanh"), Dense(1)))
    return Experiment(Data(source), model, Training("mean_squared_error", optimizer, epochs=60))
