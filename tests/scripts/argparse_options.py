import argparse
import numpy as np
from keras.models import Sequential
from keras.layers import Dense
from keras.optimizers import SGD

ap = argparse.ArgumentParser()
ap.add_argument("-e", "--epochs", type=int, default=75, help="epochs")
ap.add_argument("--batch-size", type=int, default=128)
ap.add_argument("--lr", default=0.001, type=float)
args = vars(ap.parse_args())

(X, y) = np.random.RandomState(1).randn(500, 6), np.random.RandomState(2).randint(0, 3, 500)
Y = np.eye(3)[y]
model = Sequential()
model.add(Dense(16, input_shape=(6,), activation="sigmoid"))
model.add(Dense(3, activation="softmax"))
sgd = SGD(args["lr"])
model.compile(loss="categorical_crossentropy", optimizer=sgd, metrics=["accuracy"])
H = model.fit(X, Y, validation_split=0.25, epochs=args["epochs"], batch_size=args["batch_size"])
