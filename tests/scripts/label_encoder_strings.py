import numpy as np
from sklearn.preprocessing import LabelEncoder
from tensorflow.keras.utils import to_categorical
from tensorflow.keras.models import Sequential
from tensorflow.keras.layers import Dense

heights = [[1.5], [1.6], [1.7], [1.8], [1.9], [2.0]]
names = ['small', 'small', 'medium', 'medium', 'tall', 'tall']
encoder = LabelEncoder()
codes = encoder.fit_transform(names)
onehot = to_categorical(codes)
model = Sequential()
model.add(Dense(8, activation='relu', input_dim=1))
model.add(Dense(3, activation='softmax'))
model.compile(loss='categorical_crossentropy', optimizer='adam', metrics=['accuracy'])
model.fit(np.array(heights), onehot, epochs=100, batch_size=2)
