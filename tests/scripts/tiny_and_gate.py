import tensorflow as tf
import numpy as np
tf.random.set_seed(0)
model = tf.keras.Sequential([tf.keras.layers.Dense(units=1, input_shape=[2], activation='sigmoid')])
model.compile(optimizer='sgd', loss='mean_squared_error')
xs = np.array([[0,0],[0,1],[1,0],[1,1]], dtype=float)
ys = np.array([0, 0, 0, 1], dtype=float)
model.fit(xs, ys, epochs=500)
