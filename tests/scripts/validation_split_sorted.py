import numpy as np
from keras.models import Sequential
from keras.layers import Dense

np.random.seed(9)
class_a = np.random.normal(-1, 1, size=(100, 3))
class_b = np.random.normal(1, 1, size=(100, 3))
X = np.vstack([class_a, class_b])
y = np.hstack([np.zeros(100), np.ones(100)])
model = Sequential()
model.add(Dense(6, input_shape=(3,), activation='relu'))
model.add(Dense(1, activation='sigmoid'))
model.compile(optimizer='adam', loss='binary_crossentropy', metrics=['accuracy'])
history = model.fit(X, y, validation_split=0.2, epochs=25, batch_size=16)
