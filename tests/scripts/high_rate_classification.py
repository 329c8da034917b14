from sklearn.datasets import make_classification
from keras.models import Sequential
from keras.layers import Dense
from keras.optimizers import Adam

X, y = make_classification(n_samples=600, n_features=12, n_informative=5, n_classes=3, random_state=8)
model = Sequential()
model.add(Dense(30, activation='relu', input_shape=(X.shape[1],)))
model.add(Dense(3, activation='softmax'))
model.compile(optimizer=Adam(learning_rate=1.0), loss='sparse_categorical_crossentropy', metrics=['accuracy'])
model.fit(X, y, epochs=10, batch_size=50, validation_split=0.1)
