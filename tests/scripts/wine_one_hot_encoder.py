from sklearn.datasets import load_wine
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.model_selection import train_test_split
from keras.models import Sequential
from keras.layers import Dense

wine = load_wine()
X = wine.data
y = wine.target.reshape(-1, 1)
y = OneHotEncoder(sparse_output=False).fit_transform(y)
X = StandardScaler().fit_transform(X)
x_tr, x_te, y_tr, y_te = train_test_split(X, y, test_size=0.33, random_state=10)
model = Sequential()
model.add(Dense(13, input_dim=X.shape[1], activation='relu'))
model.add(Dense(y.shape[1], activation='softmax'))
model.compile(loss='categorical_crossentropy', optimizer='adam', metrics=['accuracy'])
model.fit(x_tr, y_tr, epochs=40, batch_size=16, validation_data=(x_te, y_te))
