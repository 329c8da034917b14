import tensorflow as tf
from sklearn.datasets import make_moons

X, y = make_moons(n_samples=1000, noise=0.2, random_state=0)

class MyModel(tf.keras.Model):
    def __init__(self, units=32):
        super().__init__()
        self.d1 = tf.keras.layers.Dense(units, activation='relu')
        self.d2 = tf.keras.layers.Dense(units, activation='relu')
        self.drop = tf.keras.layers.Dropout(0.1)
        self.out = tf.keras.layers.Dense(1)

    def call(self, x, training=False):
        x = self.d1(x)
        x = self.d2(x)
        x = self.drop(x, training=training)
        return self.out(x)

model = MyModel(16)
model.compile(optimizer='adam', loss=tf.keras.losses.BinaryCrossentropy(from_logits=True), metrics=['accuracy'])
model.fit(X, y, epochs=30, batch_size=32)
