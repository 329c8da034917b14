import numpy as np
from keras.models import Sequential
from keras.layers import Dense

x_data = np.array([[i / 10.0] for i in range(100)])
y_data = np.array([1 if i > 50 else 0 for i in range(100)])
model = Sequential()
model.add(Dense(5, input_dim=1, activation='tanh'))
model.add(Dense(1, activation='sigmoid'))
model.compile(optimizer='sgd', loss='binary_crossentropy')
for step in range(20):
    model.fit(x_data, y_data, epochs=5, batch_size=10, verbose=0)
    print(step, model.evaluate(x_data, y_data, verbose=0))
