import numpy as np
from tensorflow.keras.models import Sequential
from tensorflow.keras.layers import Dense

N = 100  # points per class
D, K = 2, 3
X = np.zeros((N * K, D))
y = np.zeros(N * K, dtype='uint8')
np.random.seed(5)
for j in range(K):
    ix = range(N * j, N * (j + 1))
    r = np.linspace(0.0, 1, N)
    t = np.linspace(j * 4, (j + 1) * 4, N) + np.random.randn(N) * 0.2
    X[ix] = np.c_[r * np.sin(t), r * np.cos(t)]
    y[ix] = j

model = Sequential()
model.add(Dense(100, input_shape=(D,), activation='relu'))
model.add(Dense(K, activation='softmax'))
model.compile(loss='sparse_categorical_crossentropy', optimizer='adam', metrics=['accuracy'])
model.fit(X, y, epochs=25, batch_size=len(X))
