import numpy as np
from tensorflow import keras

t = np.arange(0, 400)
series = np.sin(0.1 * t) + 0.5 * np.cos(0.05 * t)
window = 12
X, y = [], []
for i in range(len(series) - window):
    X.append(series[i:i + window])
    y.append(series[i + window])
X = np.array(X)
y = np.array(y)
split = int(0.8 * len(X))
X_train, y_train = X[:split], y[:split]
X_test, y_test = X[split:], y[split:]

model = keras.Sequential()
model.add(keras.layers.InputLayer(shape=(window,)))
model.add(keras.layers.Dense(32, activation=keras.activations.tanh))
model.add(keras.layers.Dense(1, activation='relu'))
model.compile(loss=keras.losses.MeanSquaredError(),
              optimizer=keras.optimizers.Adam(learning_rate=3e-3, clipnorm=1.0))
model.fit(X_train, y_train, epochs=60, batch_size=16, validation_data=(X_test, y_test), shuffle=False)
