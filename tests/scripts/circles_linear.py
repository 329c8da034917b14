# my network cannot separate the circles...
import numpy as np
from sklearn.datasets import make_circles
from keras.models import Sequential
from keras.layers import Dense

X, y = make_circles(n_samples=400, factor=0.4, noise=0.05, random_state=3)

def build_model(units=8, act=None):
    m = Sequential()
    m.add(Dense(units, input_dim=2, activation=act))
    m.add(Dense(units, activation=act))
    m.add(Dense(1, activation='sigmoid'))
    m.compile(loss='binary_crossentropy', optimizer='adam', metrics=['accuracy'])
    return m

model = build_model()
model.fit(X, y, epochs=100, batch_size=10)
