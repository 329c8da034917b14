import numpy as np
from keras.models import Sequential
from keras.layers import Dense

np.random.seed(14)
x = np.random.uniform(0, 2 * np.pi, 400)
y = np.sin(x) * 50 + 100
model = Sequential()
model.add(Dense(20, input_dim=1, activation='relu'))
model.add(Dense(20, activation='relu'))
model.add(Dense(1, activation='relu'))
model.compile(loss='mse', optimizer='adam', metrics=['mae'])
model.fit(x, y, epochs=100, batch_size=40)
