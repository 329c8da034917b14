import numpy as np
from keras.models import Sequential
from keras.layers import Dense

np.random.seed(3)
X = np.vstack([np.random.rand(80, 2), np.random.rand(80, 2) + 0.5])
y = np.array([0] * 80 + [1] * 80)
perm = np.random.permutation(len(X))
X, y = X[perm], y[perm]
split = int(0.75 * len(X))
X_train, X_test = X[:split], X[split:]
y_train, y_test = y[:split], y[split:]
model = Sequential()
model.add(Dense(5, input_dim=2, activation='tanh'))
model.add(Dense(1, activation='sigmoid'))
model.compile(loss='binary_crossentropy', optimizer='sgd', metrics=['accuracy'])
model.fit(X_train, y_train, epochs=50, validation_data=(X_test, y_test))
