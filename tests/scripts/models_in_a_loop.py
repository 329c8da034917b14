from sklearn.datasets import load_iris
from sklearn.preprocessing import OneHotEncoder
from sklearn.model_selection import train_test_split
from keras.models import Sequential
from keras.layers import Dense

iris = load_iris()
X = iris['data']
y = iris['target']
names = iris['target_names']

y = OneHotEncoder().fit_transform(y[:, None]).toarray()
X_train, X_test, Y_train, Y_test = train_test_split(X, y, test_size=0.5, random_state=2)
n_features = X.shape[1]
n_classes = y.shape[1]

def create_custom_model(input_dim, output_dim, nodes, n=1, name='model'):
    def create_model():
        model = Sequential(name=name)
        for i in range(n):
            model.add(Dense(nodes, input_dim=input_dim, activation='relu'))
        model.add(Dense(output_dim, activation='softmax'))
        model.compile(loss='categorical_crossentropy', optimizer='adam', metrics=['accuracy'])
        return model
    return create_model

models = [create_custom_model(n_features, n_classes, 8, i, 'model_{}'.format(i)) for i in range(1, 4)]
history_dict = {}
for create_model in models:
    model = create_model()
    print('Model name:', model.name)
    history_callback = model.fit(X_train, Y_train, batch_size=5, epochs=50, verbose=0, validation_data=(X_test, Y_test))
    score = model.evaluate(X_test, Y_test, verbose=0)
    history_dict[model.name] = [history_callback, model]
