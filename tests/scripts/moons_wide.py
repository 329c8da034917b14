from sklearn.datasets import make_moons
import tensorflow as tf
from tensorflow.keras import Sequential
from tensorflow.keras.layers import Dense, Dropout

X, y = make_moons(n_samples=500, noise=0.2, random_state=0)
n_hidden = 32
model = Sequential()
for i in range(3):
    model.add(Dense(n_hidden, activation='relu'))
    model.add(Dropout(0.2))
model.add(Dense(1, activation='sigmoid'))
opt = tf.keras.optimizers.RMSprop(learning_rate=1e-3)
model.compile(opt, 'binary_crossentropy', ['accuracy'])
model.fit(X, y, batch_size=64, epochs=30, validation_split=0.25)
