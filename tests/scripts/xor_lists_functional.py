import numpy as np
from tensorflow import keras
from tensorflow.keras import layers

inputs = keras.Input(shape=(2,))
h = layers.Dense(4, activation="tanh")(inputs)
h = layers.Dense(4, activation="tanh")(h)
out = layers.Dense(1, activation="sigmoid")(h)
net = keras.Model(inputs=inputs, outputs=out)

net.compile(optimizer=keras.optimizers.Adam(learning_rate=0.05), loss="binary_crossentropy")
xs = [[0., 0.], [0., 1.], [1., 0.], [1., 1.]]
ys = [[0.], [1.], [1.], [0.]]
net.fit(np.array(xs), np.array(ys), epochs=200, verbose=2)
