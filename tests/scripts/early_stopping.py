import numpy as np
from keras.models import Sequential
from keras.layers import Dense
from keras.callbacks import EarlyStopping

np.random.seed(33)
x = np.random.randn(200, 2)
y = (x[:, 0] * x[:, 1] > 0).astype(int)
model = Sequential()
model.add(Dense(16, activation='relu', input_dim=2))
model.add(Dense(1, activation='sigmoid'))
model.compile(optimizer='adam', loss='binary_crossentropy', metrics=['accuracy'])
stop = EarlyStopping(monitor='val_loss', patience=5, restore_best_weights=True)
model.fit(x, y, epochs=100, batch_size=16, validation_split=0.2, callbacks=[stop])
