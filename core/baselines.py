"""What other models reach on the same rows, cross-validated.

    reader.baselines(experiment)        # in the reading process, which has scikit-learn

A score of a network says little by itself: where a forest does no better, these inputs may hold no
more. The NumPy estimates of a diagnosis are in `core.diagnosis.simple`.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

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
        task: Whose score it is.
        rows: That the models were fitted to and judged on, each row judged once.
        constant: The score of the best constant answer to them.
        models: One estimate each.
    """

    task: Task
    rows: int
    constant: float
    models: tuple[Estimate, ...]

    @property
    def best(self) -> Estimate:
        """The model with the best score."""
        return max(self.models, key=lambda model: model.score)


def cross_validated(experiment: Experiment) -> Baselines | None:
    """Fit scikit-learn's models to the rows of run 0 of seed 0. It imports scikit-learn.

    Returns:
        None where the models cannot be fitted: too few rows, one class only, or labels that are
        measurements under a loss for classes.
    """
    task = experiment.task
    if experiment.data.continuous and task.name != "regression":
        return None
    x, y = _rows(experiment)
    if len(x) < FEWEST_ROWS or not np.ptp(y, axis=0).any() or not np.isfinite(x).all():
        return None
    classes = np.unique(y, axis=0, return_inverse=True)[1].reshape(-1)
    by_class = experiment.data.has_one_class_per_row and task.name != "regression"
    if by_class:
        y = classes
    elif y.shape[1] == 1:
        y = y[:, 0]
    order = generator(0, 3).permutation(len(x))
    folds = np.array_split(order, FOLDS)
    models = []
    for name, model in _models(task, int(classes.max()) + 1).items():
        hits = np.empty(len(x))
        for fold in folds:
            others = np.setdiff1d(order, fold)
            if len(np.unique(y[others], axis=0)) < 2:
                return None
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # a fit that ends before it has converged
                predicted = model.fit(x[others], y[others]).predict(x[fold])
            hits[fold] = _hits(task, predicted, y[fold], y)
        models.append(Estimate.of(name, hits))
    constant = _majority(classes) if by_class else task.baseline(y.reshape(len(y), -1))
    return Baselines(task, len(x), constant, tuple(models))


def _rows(experiment: Experiment) -> tuple[np.ndarray, np.ndarray]:
    """x (rows, features), y (rows, width): of all rows as many as there is time for."""
    rows = prepare(experiment.data, 0, 0)
    x, y = np.concatenate([rows.x, rows.held_out_x]), np.concatenate([rows.y, rows.held_out_y])
    most = min(MOST_ROWS, max(MOST_VALUES // x.shape[1], FEWEST_ROWS))
    chosen = generator(0, 4).permutation(len(x))[:most]
    return x[chosen].astype(float), y[chosen].astype(float)


def _models(task: Task, classes: int) -> dict:
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
    """(rows,), what each row adds to the score."""
    predicted, y = predicted.reshape(len(y), -1), y.reshape(len(y), -1)
    if task is not TASKS["regression"]:
        return (predicted == y).mean(axis=1)
    variance = whole.reshape(len(whole), -1).var(axis=0)
    varies = variance > 0
    return (1 - (y - predicted)[:, varies] ** 2 / variance[varies]).mean(axis=1)


def _majority(classes: np.ndarray) -> float:
    return float(np.bincount(classes).max() / len(classes))
