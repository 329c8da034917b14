import numpy as np
from tensorflow.keras.layers import Dense, Input
from tensorflow.keras.models import Model
from tensorflow.keras.optimizers import SGD

np.random.seed(4)
X = np.random.rand(150, 2) * 10
labels = np.array([1.0 if a > b else 0.0 for a, b in X])
i = Input(shape=(2,))
o = Dense(3, activation='sigmoid')(i)
o = Dense(1, activation='sigmoid')(o)
m = Model(i, o)
m.compile(SGD(learning_rate=0.1), loss='mse', metrics=['accuracy'])
m.fit(X, labels, epochs=80, verbose=0)
