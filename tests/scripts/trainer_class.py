import numpy as np
import tensorflow as tf
from tensorflow.keras import Sequential
from tensorflow.keras.layers import Dense, Dropout

class Trainer(object):
    HIDDEN = [32, 16]

    def __init__(self, n_features, learning_rate=0.01, verbose=False):
        self.n_features = n_features
        self._lr = learning_rate
        self.model = self._build()

    def _build(self):
        model = Sequential()
        model.add(Dense(self.HIDDEN[0], input_dim=self.n_features, activation="relu"))
        for units in self.HIDDEN[1:]:
            model.add(Dense(units, activation="relu"))
        model.add(Dense(1, activation="linear"))
        opt = tf.keras.optimizers.Adam(learning_rate=self._lr)
        model.compile(loss="mse", optimizer=opt)
        return model

    def train(self, X, y, epochs=10, **kwargs):
        return self.model.fit(X, y, epochs=epochs, **kwargs)

    @staticmethod
    def make_data(n):
        np.random.seed(0)
        X = np.random.uniform(-3, 3, (n, 2))
        y = np.sin(X[:, 0]) * X[:, 1]
        return X, y

X, y = Trainer.make_data(400)
t = Trainer(X.shape[1], learning_rate=0.1)
h = t.train(X, y, epochs=25, batch_size=40, shuffle=True)
