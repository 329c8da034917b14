from keras import optimizers
from keras.models import Sequential
from keras.layers import Dense
import numpy as np

sgd = optimizers.SGD(learning_rate=0.5, momentum=0.8)
rms = optimizers.RMSprop(learning_rate=0.002)
adam = optimizers.Adam(learning_rate=0.0005)

X = np.arange(-10, 10, 0.1).reshape(-1, 1)
y = (np.abs(X) > 5).astype(int)
model = Sequential()
model.add(Dense(12, input_dim=1, activation="relu"))
# model.add(Dense(12, activation="relu"))
model.add(Dense(1, activation="sigmoid"))
model.compile(loss="binary_crossentropy", optimizer=rms, metrics=["accuracy"])
model.fit(x=X, y=y, epochs=60, batch_size=25, verbose=1)
