import random
import numpy as np
import keras

random.seed(1)
data = []
for i in range(500):
    data.append([random.randint(0, 49999), 0])
    data.append([random.randint(50000, 100000), 1])
data = np.array(data)
np.random.seed(2)
np.random.shuffle(data)
inputs = data[:, 0].reshape(-1, 1)
labels = data[:, 1]

model = keras.Sequential([
    keras.layers.Input(shape=(1,)),
    keras.layers.Dense(3, activation='relu'),
    keras.layers.Dense(5, activation='relu'),
    keras.layers.Dense(1, activation='relu'),
])
model.compile(optimizer='adam', loss='binary_crossentropy', metrics=['accuracy'])
model.fit(inputs, labels, epochs=10, batch_size=5)
