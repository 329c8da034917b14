import pandas as pd
from keras.models import Sequential
from keras.layers import Dense

df = pd.DataFrame({
    'hours': [1, 2, 3, 4, 5, 6, 7, 8],
    'sleep': [8, 7, 6, 7, 8, 5, 6, 7],
    'passed': ['no', 'no', 'no', 'no', 'yes', 'yes', 'yes', 'yes'],
})
df['passed'] = df['passed'].map({'no': 0, 'yes': 1})
X = df[['hours', 'sleep']].values
y = df['passed'].values
model = Sequential()
model.add(Dense(3, input_dim=2, activation='relu'))
model.add(Dense(1, activation='sigmoid'))
model.compile(loss='binary_crossentropy', optimizer='rmsprop', metrics=['accuracy'])
model.fit(X, y, epochs=30, batch_size=8)
