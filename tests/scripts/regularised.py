import numpy as np
from tensorflow.keras import layers, models, regularizers

np.random.seed(31)
x = np.random.rand(100, 5)
y = (x[:, 0] > 0.5).astype(int)
model = models.Sequential([
    layers.Input(shape=(5,)),
    layers.Dense(16, activation='relu', kernel_regularizer=regularizers.l2(0.01)),
    layers.Dense(1, activation='sigmoid'),
])
model.compile(optimizer='adam', loss='binary_crossentropy', metrics=['accuracy'])
model.fit(x, y, epochs=20, batch_size=10)
