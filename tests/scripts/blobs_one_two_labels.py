import numpy as np
from keras.models import Sequential
from keras.layers import Dense
from keras.utils import to_categorical

rng = np.random.RandomState(7)
a = rng.uniform(0.2, 0.4, size=(200, 2))
b = rng.uniform(0.5, 0.7, size=(200, 2))
X = np.vstack((a, b))
y = np.concatenate([np.ones(200), 2 * np.ones(200)])
model = Sequential()
model.add(Dense(2, input_dim=2, activation='sigmoid'))
model.add(Dense(1, activation='sigmoid'))
model.compile(loss='binary_crossentropy', optimizer='adam', metrics=['accuracy'])
model.fit(X, y, epochs=50)
