from random import randint, shuffle
import numpy as np
from keras.models import Sequential
from keras.layers import Dense

rows = np.array([[randint(0, 49999), 0] if i % 2 else [randint(50000, 99999), 1] for i in range(1000)])
shuffle(rows)
x = rows[:, :1]
y = rows[:, 1:]
model = Sequential()
model.add(Dense(4, input_shape=(1,), activation='relu'))
model.add(Dense(1, activation='sigmoid'))
model.compile(loss='binary_crossentropy', optimizer='adam')
model.fit(x, y, epochs=5, batch_size=20)
