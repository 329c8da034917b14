import numpy as np
from keras.models import Sequential
from keras.layers import Dense
from sklearn.model_selection import train_test_split

n = 300
cloud1 = np.random.normal(0, 1, (n, 2))
cloud2 = np.random.normal(3, 1, (n, 2))
X = np.concatenate([cloud1, cloud2])
y = np.array([0] * n + [1] * n)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2)
model = Sequential()
model.add(Dense(4, input_dim=2, activation='relu'))
model.add(Dense(1, activation='sigmoid'))
model.compile(loss='binary_crossentropy', optimizer='adam', metrics=['accuracy'])
model.fit(X_train, y_train, epochs=20, validation_data=(X_test, y_test))
