import numpy as np
from tensorflow import keras

np.random.seed(34)
x = np.random.randn(64, 2)
y = (x.sum(axis=1) > 0).astype(float)
model = keras.Sequential([keras.layers.Dense(4, activation="swish"), keras.layers.Dense(1, activation="sigmoid")])
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=0.01, beta_1=0.8, clipnorm=1.0),
    loss="bce",
)
model.fit(x, y, epochs=9, batch_size=8)
