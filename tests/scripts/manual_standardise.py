import numpy as np
from keras import Sequential, layers

np.random.seed(11)
features = np.random.uniform(100, 900, (250, 3))
target = (features[:, 0] + features[:, 1] > features[:, 2] * 2).astype(int)
mean = features.mean(axis=0)
std = features.std(axis=0)
features = (features - mean) / std

model = Sequential([layers.Input((3,)), layers.Dense(6, "elu"), layers.Dense(1, "sigmoid")])
model.compile("adam", "binary_crossentropy")
model.fit(features, target, 10, 20)
