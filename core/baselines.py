"""What other models reach on the same rows, cross-validated.

    reader.baselines(sample(experiment))    # in the reading process, which has scikit-learn

A score of a network says little by itself: where a forest does no better, these inputs may hold no
more. The NumPy estimates of a diagnosis are in `core.diagnosis.simple`.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from core.data import prepare
from core.experiment import Experiment
from core.streams import generator
from core.tasks import TASKS, Task

FOLDS = 5
FEWEST_ROWS = 20
MOST_ROWS, MOST_VALUES = 1_000, 200_000
"""Rows, and rows times columns, that the models are fitted to: about a second."""
MOST_CLASSES = 100
"""Classes from which on a forest takes too much memory, and a logistic regression too long."""
TREES = 50


@dataclass(frozen=True)
class Estimate:
    """The score of a model on rows that it has not learnt from.

    Attributes:
        name: Of the model, in words: "a random forest".
        score: Accuracy or R².
        error: Its standard error.
    """

    name: str
    score: float
    error: float

    @classmethod
    def of(cls, name: str, hits: np.ndarray) -> Estimate:
        """From what each row adds to the score, (rows,)."""
        return cls(name, float(hits.mean()), float(hits.std() / np.sqrt(len(hits))))


@dataclass(frozen=True)
class Baselines:
    """The cross-validated scores of some models, for comparison.

    Attributes:
        task_name: Of the task whose score it is.
        rows: That the models were fitted to and judged on, each row judged once.
        constant: The score of the best constant answer to them.
        models: One estimate each.
    """

    task_name: str
    rows: int
    constant: float
    models: tuple[Estimate, ...]

    @property
    def task(self) -> Task:
        """Whose score it is."""
        return TASKS[self.task_name]

    @property
    def best(self) -> Estimate:
        """The model with the best score."""
        return max(self.models, key=lambda model: model.score)


@dataclass(frozen=True)
class Sample:
    """Rows for the models, no more than there is time for.

    Attributes:
        task_name: Of the task.
        x: (rows, features), scaled as for the network.
        y: int (rows, 1), the class of each row; or (rows, width), its labels or targets.
    """

    task_name: str
    x: np.ndarray
    y: np.ndarray


def sample(experiment: Experiment) -> Sample | None:
    """Rows of run 0 of seed 0, training and held-out ones.

    Returns:
        None where no model can be fitted: too few rows, one class only, or labels that are
        measurements under a loss for classes.
    """
    task, data = experiment.task, experiment.data
    if data.continuous and task.name != "regression":
        return None
    most = min(MOST_ROWS, max(MOST_VALUES // data.source.features, FEWEST_ROWS))
    if data.source.random:
        data = replace(data, source=data.source.with_rows(min(most, data.source.rows)))
    rows = prepare(data, 0, 0)
    x, y = np.concatenate([rows.x, rows.held_out_x]), np.concatenate([rows.y, rows.held_out_y])
    chosen = generator(0, 4).permutation(len(x))[:most]
    x, y = x[chosen].astype(float), y[chosen].astype(float)
    if data.has_one_class_per_row and task.name != "regression":
        y = np.unique(y, axis=0, return_inverse=True)[1].reshape(-1, 1)
    if len(x) < FEWEST_ROWS or not np.ptp(y, axis=0).any() or not np.isfinite(x).all():
        return None
    return Sample(task.name, x, y)


def cross_validated(rows: Sample) -> Baselines | None:
    """Fit scikit-learn's models, which this imports, and judge each row by those without it.

    Returns:
        None where some of the rows have one class only.
    """
    task, x, y = TASKS[rows.task_name], rows.x, rows.y
    order = generator(0, 3).permutation(len(x))
    folds = np.array_split(order, FOLDS)
    others = [np.setdiff1d(order, fold) for fold in folds]
    if any(len(np.unique(y[rest], axis=0)) < 2 for rest in others):
        return None
    models = []
    for name, model in _models(task, int(y.max()) + 1).items():
        hits = np.empty(len(x))
        for fold, rest in zip(folds, others, strict=True):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # a fit that ends before it has converged
                model.fit(x[rest], y[rest] if y.shape[1] > 1 else y[rest, 0])
            hits[fold] = _hits(task, model.predict(x[fold]).reshape(len(fold), -1), y[fold], y)
        models.append(Estimate.of(name, hits))
    return Baselines(rows.task_name, len(x), task.baseline(y), tuple(models))


def _models(task: Task, classes: int) -> dict[str, Any]:
    """The models by their names in words."""
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
    from sklearn.linear_model import LogisticRegression, Ridge, RidgeClassifier
    from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    regression = task is TASKS["regression"]
    few = classes <= MOST_CLASSES
    options = {"n_estimators": TREES, "min_samples_leaf": 3, "random_state": 0}
    if regression:
        linear, near, forest = Ridge(), KNeighborsRegressor(), RandomForestRegressor(**options)
    else:
        near, forest = KNeighborsClassifier(), RandomForestClassifier(**options)
        several = task is TASKS["multi_label"] or not few
        linear = RidgeClassifier() if several else LogisticRegression(max_iter=200)
    models = {
        "a linear model": make_pipeline(StandardScaler(), linear),
        "nearest neighbours": make_pipeline(StandardScaler(), near),
    }
    return models | ({"a random forest": forest} if few or regression else {})


def _hits(task: Task, predicted: np.ndarray, y: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """(rows,), what each row adds to the score; the variance is that of the whole (rows, width)."""
    if task is not TASKS["regression"]:
        return (predicted == y).mean(axis=1)
    variance = whole.var(axis=0)
    varies = variance > 0
    return (1 - (y - predicted)[:, varies] ** 2 / variance[varies]).mean(axis=1)
