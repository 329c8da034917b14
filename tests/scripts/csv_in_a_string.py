import io
import pandas as pd
from keras.models import Sequential
from keras.layers import Dense
txt = u"""sepal,petal,kind
5.1,1.4,a
4.9,1.4,a
6.2,4.5,b
5.9,5.1,b
6.4,4.3,b
4.6,1.5,a
"""
df = pd.read_csv(io.StringIO(txt))
y = (df.kind == 'b').astype(int)
X = df[['sepal', 'petal']]
model = Sequential([Dense(3, activation='tanh', input_shape=[2]), Dense(1, activation='sigmoid')])
model.compile(optimizer='rmsprop', loss='mae')
model.fit(X, y, epochs=30)
