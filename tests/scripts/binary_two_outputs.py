import numpy as np
import keras
from keras.layers import Dense

np.random.seed(42)
x_train = np.random.random((200, 10))
y_train = keras.utils.to_categorical(np.random.randint(2, size=(200, 1)), num_classes=2)
model = keras.models.Sequential()
model.add(Dense(64, activation='relu', input_dim=10))
model.add(keras.layers.Dropout(0.5))
model.add(Dense(2, activation='sigmoid'))
model.compile(loss='binary_crossentropy', optimizer=keras.optimizers.SGD(learning_rate=0.01), metrics=['accuracy'])
model.fit(x_train, y_train, epochs=20, batch_size=128)
