"""Pastes that would take all time or memory, or do harm, if they were run."""

from __future__ import annotations

NETWORK = """
model = Sequential([Dense(1, input_dim=1)])
model.compile('sgd', 'mse')
model.fit(X, y)
"""
ROWS = "X = np.arange(4)\ny = np.array([0, 1, 0, 1])"
HOSTILE = {
    "shell": "import os\nX = os.system('touch {mark}')",
    "import": "X = __import__('os').system('touch {mark}')",
    "subclasses": "X = ().__class__.__mro__[1].__subclasses__()",
    "globals": "def f(): pass\nX = f.__globals__['__builtins__']",
    "eval": 'X = eval(\'open("{mark}", "w")\')',
    "exec": 'X = exec(\'open("{mark}", "w")\')',
    "open": "X = open('{mark}', 'w').write('x')",
    "numpy file": "X = np.ones(3).tofile('{mark}')",
    "saved": "X = np.save('{mark}', np.ones(3))",
    "frame file": "X = pd.DataFrame({{'a': [1]}}).to_csv('{mark}')",
    "frame code": "X = pd.DataFrame({{'a': [1]}}).eval('a + @__import__(\"os\")')",
    "name of a method": "X = pd.Series([1]).apply('to_csv', args=('{mark}',))",
    "name for a table": "X = pd.DataFrame({{'a': [1]}}).apply('to_pickle', path='{mark}')",
    "pickle": "X = np.load('{mark}', allow_pickle=True)",
    "power": "X = 10 ** 10 ** 10",
    "shift": "X = 1 << 10 ** 10",
    "list": "X = [0] * 10 ** 10",
    "text": "X = 'a' * 10 ** 10",
    "format": "X = '%1000000000d' % 1",
    "array": "X = np.ones((10 ** 5, 10 ** 5))",
    "broadcast": "X = np.ones((10 ** 5, 1)) + np.ones((1, 10 ** 5))",
    "draws": "X = np.random.normal(size=10 ** 11)",
    "choice": "X = np.random.choice(10 ** 11, 3)",
    "repeat": "X = np.repeat([1, 2], 10 ** 10)",
    "one-hot": "X = to_categorical([10 ** 9])",
    "made": "X, y = make_moons(10 ** 11)",
    "range": "X = list(range(10 ** 12))",
    "loop": "X = 0\nwhile True:\n    X += 1",
    "long loop": "X = []\nfor i in range(10 ** 9):\n    X.append(i)",
    "recursion": "def f(n):\n    return f(n + 1)\nX = f(0)",
    "branching": "def f(n):\n    return f(n - 1) + f(n - 1) if n else 1\nX = f(24)",
    "nesting": "X = " + "[" * 5000 + "]" * 5000,
    "minus": "X = " + "-" * 50000 + "1",
    "plus": "X = " + "+".join(["1"] * 50000),
    "attributes": "X = a" + ".a" * 50000,
    "calls": "X = f" + "()" * 50000,
    "doubling": "X = [1]\nfor i in range(99):\n    X = X + X",
    "self": "X = []\nX.append(X)",
    "expression": "import re\nX = re.match('(a+)+$', 'a' * 40 + 'b')",
    "expression of pandas": "X = pd.Series(['a' * 40 + 'b']).replace('(a+)+$', 'x', regex=True)",
    "separator": "X = pd.read_csv(io.StringIO('a' * 40 + 'b'), sep='(a+)+c', engine='python')",
    "lists of one list": "X = [0]\nfor i in range(30):\n    X = [X] * 1000\nX = np.array(X)",
    "sum of lists": "X = sum([[1]] * 100000, [])",
    "digits": "X = round(10 ** 300, -(10 ** 9))",
    "object powers": "X = pd.Series([10 ** 30, 5], dtype=object) ** 10 ** 7",
    "objects of tables": "X = pd.DataFrame({{'a': [10 ** 9], 'b': ['x']}}).values ** 10 ** 9",
    "class": "class A:\n    def __init__(self):\n        self.a = A()\nX = A()",
    "class of a class": "class A:\n    pass\nX = A().__class__.__mro__[1].__subclasses__()",
    "property": "class A:\n    @property\n    def p(self):\n        return self.p\nX = A().p",
    "name of an attribute": "X = getattr((), '__class__')",
    "format of a text": "X = f'{{1:>1000000000}}'",
    "whitespace": "X = (\n" + "\t" * 150000 + "1",
    "tag": "X = 1\n" + "<p " * 60000,
    "hash": "X = {{i: {{j: j for j in range(9999)}} for i in range(9999)}}",
}


def pasted(name: str, mark: object) -> str:
    """A hostile script; what does harm in it makes a file of the name `mark`."""
    return HOSTILE[name].format(mark=mark) + "\ny = 1" + NETWORK
