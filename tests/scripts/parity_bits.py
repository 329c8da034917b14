import itertools
import numpy as np
from keras.models import Sequential
from keras.layers import Dense

bits = 4
X = np.array([[(i >> b) & 1 for b in range(bits)] for i in range(2 ** bits)])
Y = X.sum(axis=1) % 2
model = Sequential()
model.add(Dense(bits * 2, input_dim=bits, activation='relu'))
model.add(Dense(1, activation='sigmoid'))
model.compile(loss='binary_crossentropy', optimizer='adam', metrics=['binary_accuracy'])
model.fit(X, Y, epochs=400, batch_size=1)
