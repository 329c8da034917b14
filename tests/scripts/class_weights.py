import numpy as np
from keras.models import Sequential
from keras.layers import Dense

np.random.seed(32)
x = np.random.randn(400, 3)
y = (x[:, 0] > 1.5).astype(int)
model = Sequential()
model.add(Dense(8, activation='relu', input_dim=3))
model.add(Dense(1, activation='sigmoid'))
model.compile('adam', loss='binary_crossentropy', metrics=['accuracy'])
model.fit(x, y, epochs=12, batch_size=20, class_weight={0: 1.0, 1: 10.0})
