import numpy as np
from keras.models import Sequential
from keras.layers import Dense, Activation, LeakyReLU, BatchNormalization

np.random.seed(6)
X = np.random.randn(128, 4)
y = (np.linalg.norm(X, axis=1) > 2).astype(int)
model = Sequential()
model.add(Dense(16, input_shape=(4,)))
model.add(BatchNormalization())
model.add(Activation('relu'))
model.add(Dense(8))
model.add(LeakyReLU())
model.add(Dense(1))
model.add(Activation('sigmoid'))
model.compile(loss='binary_crossentropy', optimizer='adam', metrics=['accuracy'])
model.fit(X, y, epochs=30, batch_size=32)
