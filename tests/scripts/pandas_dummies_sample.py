import pandas as pd, numpy as np
from sklearn.preprocessing import MinMaxScaler
from tensorflow.keras.models import Sequential
from tensorflow.keras.layers import Dense
df = pd.DataFrame({'a': np.arange(200), 'b': np.arange(200) % 7, 'c': ['x', 'y'] * 100})
df['target'] = df['a'] * 0.5 + df['b']
df = df.sample(frac=1, random_state=3).reset_index(drop=True)
df = pd.get_dummies(df, columns=['c'])
df = df.fillna(0)
train = df[:150]; test = df[150:]
xs, ys = MinMaxScaler(), MinMaxScaler()
X_train = xs.fit_transform(train.drop('target', axis=1)); y_train = ys.fit_transform(train[['target']])
X_test = xs.transform(test.drop('target', axis=1)); y_test = ys.transform(test[['target']])
model = Sequential()
model.add(Dense(10, input_dim=X_train.shape[1], activation='relu'))
model.add(Dense(1, activation='linear'))
model.compile(loss='mean_absolute_error', optimizer='nadam')
model.fit(X_train, y_train, epochs=20, batch_size=16, validation_data=(X_test, y_test))
