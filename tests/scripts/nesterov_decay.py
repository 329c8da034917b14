import numpy as np
from tensorflow import keras

np.random.seed(35)
x = np.random.randn(96, 2)
y = (x[:, 0] > x[:, 1]).astype(float)
schedule = keras.optimizers.schedules.ExponentialDecay(0.1, decay_steps=100, decay_rate=0.9)
model = keras.Sequential([keras.layers.Dense(4, activation="tanh"), keras.layers.Dense(1, activation="sigmoid")])
model.compile(optimizer=keras.optimizers.SGD(learning_rate=schedule, momentum=0.9, nesterov=True), loss="binary_crossentropy")
model.fit(x, y, epochs=9, batch_size=8)
