"""scikit-learn as a script may use it: its data sets, splits, scalers and encoders, by itself.

scikit-learn takes a second and 160 MB to import, so it is imported when a script uses it, in the
reading process only.
"""

from __future__ import annotations

import ast
import copy
import importlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from core.script.budget import Budget, clock
from core.script.values import (
    Array,
    Bound,
    Estimator,
    Exhausted,
    Fitted,
    Missing,
    Unknown,
    plain,
)
from core.script.words import words

if TYPE_CHECKING:
    from core.script.evaluate import Evaluator

SCALERS = words("StandardScaler MinMaxScaler RobustScaler MaxAbsScaler Normalizer")
ENCODERS = words("LabelEncoder OneHotEncoder LabelBinarizer OrdinalEncoder")
OTHERS = words("SimpleImputer PCA")
MODULES = ("datasets", "decomposition", "impute", "model_selection", "preprocessing", "utils")
FOLDS = words("KFold StratifiedKFold ShuffleSplit StratifiedShuffleSplit")
BUNDLED = words("load_iris load_breast_cancer load_digits load_wine load_diabetes")
MADE = words(
    """
    make_moons make_circles make_classification make_blobs make_regression
    make_gaussian_quantiles
    """
)
SEARCHES = words("GridSearchCV RandomizedSearchCV HalvingGridSearchCV")
SILENT = words(
    """
    accuracy_score confusion_matrix classification_report f1_score roc_auc_score log_loss
    mean_squared_error r2_score mean_absolute_error precision_score recall_score roc_curve auc
    """
)


def load(budget: Budget) -> None:
    """Import scikit-learn, if it is not yet; that takes none of the script's time."""
    started = clock()
    for module in MODULES:
        importlib.import_module(f"sklearn.{module}")
    budget.postpone(clock() - started)


def called(
    script: Evaluator, path: str, arguments: list[Any], options: dict, node: ast.Call
) -> Any:
    """The result of a function or class of scikit-learn, by its path."""
    name, line = path.rpartition(".")[2], node.lineno
    if name in SILENT:
        return None
    load(script.budget)
    if name == "train_test_split":
        return split(script, arguments, options, line)
    if name in ("Pipeline", "make_pipeline"):
        return _pipeline(arguments, options, name, line)
    if name in SEARCHES:
        return _searched(arguments, options, line)
    if name in ("cross_val_score", "cross_validate"):
        return _cross_validated(script, arguments, options, node)
    values, named = plain(arguments), plain(options)
    if name in BUNDLED or name in MADE:
        return _dataset(script, name, values, named, line)
    if name.startswith("fetch_"):
        script.wanted.append((name.removeprefix("fetch_"), line))
        return Unknown(f"{name} downloads its rows, which are not here", line)
    if name in ("ColumnTransformer", "make_column_transformer"):
        return _columns(name, arguments, options)
    if name == "compute_class_weight":
        return _balanced(values, named)
    if name in SCALERS or name in ENCODERS or name in OTHERS:
        return Fitted(_made(name, values, named), "encode" if name in ENCODERS else "scale")
    if name in FOLDS:
        import sklearn.model_selection

        return Fitted(getattr(sklearn.model_selection, name)(*values, **named), "folds")
    if name == "shuffle":
        return _shuffled(script, arguments, named, line)
    if name in ("scale", "normalize", "minmax_scale"):
        import sklearn.preprocessing

        function = getattr(sklearn.preprocessing, name)
        first = _array(arguments[0])
        return first.then("scale", lambda v: function(v, *values[1:], **named), None, line)
    return Unknown(f"sklearn's {name} is not understood", line)


def _made(name: str, values: list[Any], named: dict) -> Any:
    import sklearn.decomposition
    import sklearn.impute
    import sklearn.preprocessing

    for module in (sklearn.preprocessing, sklearn.impute, sklearn.decomposition):
        if hasattr(module, name):
            if name == "OneHotEncoder" and "sparse" in named:
                named["sparse_output"] = named.pop("sparse")
            columns = named.pop("categorical_features", None)
            made = getattr(module, name)(*values, **named)
            return made if columns is None else _some_columns(made, columns)
    raise Missing(Unknown(f"{name} is not understood"))


def _some_columns(encoder: Any, columns: Any) -> Any:
    """What an encoder of some columns was before scikit-learn 0.22; it puts them first."""
    from sklearn.compose import ColumnTransformer

    chosen = [int(each) for each in np.ravel(columns)]
    return ColumnTransformer([("columns", encoder, chosen)], remainder="passthrough")


def _array(value: Any) -> Array:
    if isinstance(value, Array):
        return value
    if isinstance(value, Unknown):
        raise Missing(value)
    return Array.of(np.asarray(plain(value)))


def _dataset(script: Evaluator, name: str, values: list, named: dict, line: int) -> Any:
    import sklearn.datasets

    if name in MADE:
        counts = [v for v in (*values[:1], named.get("n_samples", 100)) if isinstance(v, int)]
        columns = [v for k, v in named.items() if k.startswith("n_") and k != "n_samples"]
        columns += [v for v in values[1:3] if isinstance(v, int)]
        if any(not isinstance(v, int) or abs(v) > 2_000 for v in columns):
            raise Exhausted("it has too many columns")
        script.budget.size(max(counts, default=100) * max([*columns, 20]))
        if named.get("random_state") is None:
            stream = script.draws.numpy
            script.draws.unseeded |= not stream.seeded
            named["random_state"] = stream.generator
    result = getattr(sklearn.datasets, name)(*values, **named)
    if isinstance(result, tuple):
        return tuple(_wrapped(each) for each in result)
    return {
        key: _wrapped(result[key]) for key in result if key not in ("DESCR", "frame", "images")
    } | ({"images": Array.of(result["images"])} if "images" in result else {})


def _wrapped(value: Any) -> Any:
    return Array.of(value) if isinstance(value, np.ndarray) else value


def _picked(value: Any, index: np.ndarray, kind: str, key: Any, line: int) -> Any:
    """The rows of a value at these indices."""
    if isinstance(value, Unknown):
        return value
    if hasattr(value, "iloc"):
        return value.iloc[index]
    if isinstance(value, (list, tuple)):
        return [value[i] for i in index]
    return value.then(kind, lambda v: v[index], key, line)


def _rows(arguments: list[Any]) -> int:
    known = [value for value in arguments if not isinstance(value, Unknown)]
    if not known:
        raise Missing(arguments[0])
    return len(known[0].value if isinstance(known[0], Array) else known[0])


def split(script: Evaluator, arguments: list[Any], options: dict, line: int) -> Any:
    """The two parts of each of several arrays, as `train_test_split` splits them."""
    from sklearn.model_selection import train_test_split

    try:
        rows = _rows(arguments)
        named = plain(options)
    except Missing as missing:
        each = [a if isinstance(a, Unknown) else missing.unknown for a in arguments]
        return [part for part in each for _ in range(2)]
    fixed = named.get("random_state") is not None or named.get("shuffle") is False
    if not fixed:
        stream = script.draws.numpy
        fixed = stream.seeded
        named["random_state"] = stream.generator
    script.budget.size(rows)
    train, test = train_test_split(np.arange(rows), **named)
    kind, key = ("other" if fixed else "split"), object()
    parts: list[Any] = []
    for value in arguments:
        parts.append(_picked(value, train, kind, (key, "train"), line))
        parts.append(_picked(value, test, kind, (key, "test"), line))
    return parts


def _shuffled(script: Evaluator, arguments: list[Any], named: dict, line: int) -> Any:
    from sklearn.utils import shuffle

    seeded = named.get("random_state") is not None
    if not seeded:
        seeded = script.draws.numpy.seeded
        named["random_state"] = script.draws.numpy.generator
    order, key = shuffle(np.arange(_rows(arguments)), **named), object()
    kind = "other" if seeded else "permute"
    parts = [_picked(value, order, kind, key, line) for value in arguments]
    return parts if len(parts) > 1 else parts[0]


def _pipeline(arguments: list[Any], options: dict, name: str, line: int) -> Any:
    steps = (
        arguments if name == "make_pipeline" else arguments[0] if arguments else options["steps"]
    )
    if isinstance(steps, Unknown):
        return steps
    parts = [step[1] if isinstance(step, (tuple, list)) else step for step in steps]
    if parts and all(isinstance(part, Fitted) for part in parts):
        from sklearn.pipeline import make_pipeline

        return Fitted(make_pipeline(*(part.instance for part in parts)), "other")
    if not parts or not isinstance(parts[-1], Estimator):
        return Unknown("this pipeline is not understood", line)
    last = parts[-1]
    return Estimator(last.build, last.options, last.span, tuple(parts[:-1]))


def _balanced(values: list[Any], named: dict) -> Any:
    """The class weights that scikit-learn computes of labels."""
    from sklearn.utils.class_weight import compute_class_weight

    given = {**dict(zip(("class_weight", "classes", "y"), values, strict=False)), **named}
    return Array.of(np.asarray(compute_class_weight(**given)))


def _columns(name: str, arguments: list[Any], options: dict) -> Fitted:
    """scikit-learn's transformer of columns, with the scalers and encoders of the script."""
    from sklearn.compose import ColumnTransformer, make_column_transformer

    given = (
        arguments if name != "ColumnTransformer" else options.get("transformers", *arguments[:1])
    )
    kept = ("transformers", "n_jobs", "verbose")
    named = plain({k: v for k, v in options.items() if k not in kept})
    made = [
        tuple(part.instance if isinstance(part, Fitted) else plain(part) for part in step)
        for step in given
    ]
    if name == "ColumnTransformer":
        return Fitted(ColumnTransformer(made, **named), "other")
    return Fitted(make_column_transformer(*made, **named), "other")


def _searched(arguments: list[Any], options: dict, line: int) -> Any:
    """The estimator of a search, whose tried settings are left open."""
    names = ("estimator", "param_grid")
    given = {**dict(zip(names, arguments, strict=False)), **options}
    estimator = given.get("estimator")
    grid = given.get("param_grid", given.get("param_distributions"))
    if not isinstance(estimator, Estimator):
        return estimator if isinstance(estimator, Unknown) else Unknown("no network is searched")
    tried = dict(estimator.options)
    for key, values in grid.items() if isinstance(grid, dict) else ():
        values = plain(values)
        choices = tuple(values.tolist() if hasattr(values, "tolist") else values)
        name = str(key).rpartition("__")[2]
        shown = ", ".join(str(each) for each in choices[:8])
        tried[name] = Unknown(f"the search tries {shown}", line, choices=choices)
    return Estimator(estimator.build, tried, estimator.span, estimator.scalers)


def _cross_validated(script: Evaluator, arguments: list[Any], options: dict, node: ast.Call) -> Any:
    names = ("estimator", "X", "y")
    given = {**dict(zip(names, arguments, strict=False)), **options}
    estimator = given["estimator"]
    if isinstance(estimator, Estimator):
        script.remarks.append(
            (node.lineno, "Cross-validation trains on a part of the rows at a time; here on all.")
        )
        script.call(Bound(estimator, "fit"), [given["X"], given["y"]], {}, node)
    return Unknown("the scores are not known", node.lineno)


def method(
    script: Evaluator, owner: Fitted, name: str, arguments: list[Any], options: dict, line: int
) -> Any:
    """The result of a method of a scaler, an encoder or folds."""
    instance = owner.instance
    if owner.kind == "folds":
        if name != "split":
            return Unknown(f".{name} is not understood", line)
        rows = [plain(value) for value in arguments]
        parts = instance.split(*rows)
        return [(Array.of(train), Array.of(test)) for train, test in parts]
    if name not in ("fit", "transform", "fit_transform", "inverse_transform"):
        return Unknown(f".{name} is not understood", line)
    source = arguments[0]
    if isinstance(source, Unknown):
        return replace(source, done=(*source.done, type(instance).__name__))
    if owner.kind == "scale" or not hasattr(source, "iloc"):
        source = Array.of(source.to_numpy()) if hasattr(source, "iloc") else _array(source)
    value = plain(source)
    script.budget.size(np.size(value))
    if name in ("fit", "fit_transform"):
        # What is transformed before a second fit stays as it is.
        owner.instance = copy.copy(instance).fit(value)
    if name == "fit":
        return owner
    apply = getattr(owner.instance, "transform" if name == "fit_transform" else name)

    def transformed(v: np.ndarray) -> np.ndarray:
        result = apply(v)
        dense = np.asarray(result.toarray() if hasattr(result, "toarray") else result)
        script.budget.size(dense.size)
        return dense

    if not isinstance(source, Array):
        return Array.of(transformed(source))
    return source.then(owner.kind, transformed, None, line)


def attribute(owner: Fitted, name: str, line: int) -> Any:
    """A method, or what was fitted."""
    if name in ("fit", "transform", "fit_transform", "inverse_transform", "split"):
        return Bound(owner, name)
    if name in ("classes_", "mean_", "scale_", "var_", "categories_", "data_min_", "data_max_"):
        value = getattr(owner.instance, name)
        return Array.of(value) if isinstance(value, np.ndarray) else value
    return Unknown(f".{name} is not understood", line)
