from sklearn.datasets import load_iris
import tensorflow as tf

x, y = load_iris(return_X_y=True)
model = tf.keras.Sequential()
model.add(tf.keras.layers.Dense(16, activation=tf.nn.relu, input_shape=[4]))
model.add(tf.keras.layers.Dense(3, activation=tf.nn.softmax))
model.compile(loss=tf.keras.losses.SparseCategoricalCrossentropy(), optimizer=tf.keras.optimizers.SGD(learning_rate=0.1), metrics=['acc'])
model.fit(x, y, epochs=20)
