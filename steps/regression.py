"""A linear regression over blocks of rows: the table is read once and nothing of it is copied; for `lean`."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from scipy.linalg import solve

import imports

LinearRegression = imports.linear_regression()

# 46 columns of float64 fit in a core's cache
FIT_ROWS = 1 << 12
PREDICT_ROWS = 1 << 16

Array = np.ndarray[Any, np.dtype[np.float64]]


def fit(X: pd.DataFrame, y: pd.Series) -> Any:
    """scikit-learn's `LinearRegression` with the coefficients of the normal equations of centred columns.

    Centred twice: by the means of the first block while the sums of products are taken, so that they do not cancel,
    and by what the true means differ from these afterwards. The columns are then scaled to equal variance, which
    takes their units out of the condition number (van der Sluis). Raises LinAlgError where columns are dependent.
    """
    shift = next(_blocks(X, y, FIT_ROWS)).mean(axis=0)
    sums, products = np.zeros(len(shift)), np.zeros((len(shift), len(shift)))
    for block in _blocks(X, y, FIT_ROWS):
        block -= shift
        sums += block.sum(axis=0)
        products += block.T @ block
    means = sums / len(X)
    products -= len(X) * np.outer(means, means)
    scale = np.sqrt(np.diag(products)[:-1])
    correlations = products[:-1, :-1] / np.outer(scale, scale)
    coefficients = solve(correlations, products[:-1, -1] / scale, assume_a="pos") / scale
    means += shift
    return _model(X, coefficients, means[-1] - means[:-1] @ coefficients)


def mean_squared_error(model: Any, X: pd.DataFrame, y: pd.Series) -> float:
    """Of the model's own predictions, block by block."""
    parts = []
    for start in range(0, len(X), PREDICT_ROWS):
        some = slice(start, start + PREDICT_ROWS)
        errors = y.iloc[some].to_numpy() - model.predict(X.iloc[some])
        parts.append(float(errors @ errors))
    return math.fsum(parts) / len(X)


def _blocks(X: pd.DataFrame, y: pd.Series, rows: int) -> Iterator[Array]:
    """The rows as float64, with y as the last column; each block has the memory of the one before."""
    memory = np.empty((min(rows, len(X)), X.shape[1] + 1))
    for start in range(0, len(X), rows):
        block = memory[: min(rows, len(X) - start)]
        block[:, :-1] = X.iloc[start : start + rows].to_numpy()
        block[:, -1] = y.iloc[start : start + rows].to_numpy()
        yield block


def _model(X: pd.DataFrame, coefficients: Array, intercept: float) -> Any:
    model = LinearRegression()
    model.coef_, model.intercept_ = coefficients, intercept
    model.n_features_in_, model.feature_names_in_ = X.shape[1], X.columns.to_numpy(dtype=object)
    return model
