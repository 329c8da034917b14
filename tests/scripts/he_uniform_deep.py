import numpy as np
import tensorflow as tf
from tensorflow.keras.layers import Dense
from tensorflow.keras.initializers import HeUniform

np.random.seed(21)
X = np.random.randint(0, 256, size=(180, 6)).astype('float32')
y = (X[:, :3].sum(1) > X[:, 3:].sum(1)) * 1
X /= 255.
net = tf.keras.Sequential(name='deep')
net.add(tf.keras.Input(shape=(6,)))
for width in (32, 32, 16):
    net.add(Dense(width, activation='relu', kernel_initializer=HeUniform(), name='dense_%d' % 1 if False else None))
net.add(Dense(1, activation='sigmoid'))
net.compile(loss=tf.keras.losses.BinaryCrossentropy(), optimizer=tf.keras.optimizers.Adam(), metrics=['AUC'])
net.fit(X, y, epochs=10, batch_size=30, verbose=0)
