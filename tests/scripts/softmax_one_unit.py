import numpy as np
import tensorflow as tf
from tensorflow import keras

np.random.seed(0)
x = np.random.randn(300, 5)
w = np.array([1.0, -2.0, 0.5, 0.0, 3.0])
y = (x.dot(w) > 0).astype('float32')
model = keras.Sequential([
    keras.layers.Dense(20, activation='relu'),
    keras.layers.Dense(1, activation='softmax'),
])
model.compile(loss='binary_crossentropy', optimizer=keras.optimizers.SGD(0.01, momentum=0.9), metrics=['accuracy'])
model.fit(x, y, epochs=40, batch_size=16)
