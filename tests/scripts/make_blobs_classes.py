import matplotlib.pyplot as plt
from sklearn.datasets import make_blobs
import tensorflow as tf

points, groups = make_blobs(n_samples=240, centers=4, n_features=2, random_state=2, cluster_std=1.5)
plt.scatter(points[:, 0], points[:, 1], c=groups)
plt.show()
net = tf.keras.Sequential()
net.add(tf.keras.layers.Dense(10, activation='relu', input_dim=2))
net.add(tf.keras.layers.Dense(4, activation='softmax'))
net.summary()
net.compile(loss='sparse_categorical_crossentropy', optimizer='rmsprop', metrics=['accuracy'])
h = net.fit(points, groups, epochs=35, batch_size=24, verbose=0)
plt.plot(h.history['loss'])
