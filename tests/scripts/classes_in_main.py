import numpy as np
import tensorflow as tf


def load():
    rng = np.random.default_rng(123)
    x = rng.normal(size=(120, 4)).astype("float32")
    y = (x[:, 0] * x[:, 1] > 0).astype("int32")
    return x, y


def make(width):
    inp = tf.keras.layers.Input(shape=(4,))
    z = tf.keras.layers.Dense(width, activation="relu")(inp)
    z = tf.keras.layers.Dropout(rate=0.5)(z)
    z = tf.keras.layers.Dense(2, activation="softmax")(z)
    return tf.keras.models.Model(inp, z)


def main():
    x, y = load()
    model = make(width=24)
    model.compile(optimizer=tf.keras.optimizers.Adam(learning_rate=3e-4),
                  loss="sparse_categorical_crossentropy",
                  metrics=["accuracy"])
    model.fit(x, y, batch_size=12, epochs=7, shuffle=True)


if __name__ == "__main__":
    main()
