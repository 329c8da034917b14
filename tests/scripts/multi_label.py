import numpy as np
from tensorflow import keras

np.random.seed(36)
x = np.random.rand(120, 4)
y = (x[:, :3] > 0.5).astype(int)
model = keras.Sequential([keras.layers.Dense(8, activation="relu"), keras.layers.Dense(3, activation="sigmoid")])
model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
model.fit(x, y, epochs=11, batch_size=12)
