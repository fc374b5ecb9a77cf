"""A linear regression over blocks of rows: the table is read once and nothing of it is copied; for `lean`."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from scipy.linalg import solve
from scipy.linalg.blas import dsyrk

import imports

LinearRegression = imports.linear_regression()

# 6 MB as float64
BLOCK_ROWS = 1 << 14

Array = np.ndarray[Any, np.dtype[np.float64]]


def fit(X: pd.DataFrame, y: pd.Series) -> Any:
    """scikit-learn's `LinearRegression` with the coefficients of the normal equations of centred columns.

    Centred twice: by the means of the first block while the sums of products are taken, so that they do not cancel,
    and by what the true means differ from these afterwards. The columns are then scaled to equal variance, which
    takes their units out of the condition number (van der Sluis). Raises LinAlgError where columns are dependent.
    """
    shift = next(_blocks(X, y)).mean(axis=0)
    # of the products only the upper triangle is filled, and read
    sums, products = np.zeros(len(shift)), np.zeros((len(shift), len(shift)), order="F")
    for block in _blocks(X, y):
        block -= shift
        sums += block.sum(axis=0)
        products = dsyrk(1.0, block.T, beta=1.0, c=products, overwrite_c=1)
    means = sums / len(X)
    products -= len(X) * np.outer(means, means)
    scale = np.sqrt(np.diag(products)[:-1])
    correlations = products[:-1, :-1] / np.outer(scale, scale)
    coefficients = solve(correlations, products[:-1, -1] / scale, assume_a="pos", lower=False) / scale
    means += shift
    return _model(X, coefficients, means[-1] - means[:-1] @ coefficients)


def mean_squared_error(model: Any, X: pd.DataFrame, y: pd.Series) -> float:
    """Of the model's own predictions, block by block."""
    parts = []
    for start in range(0, len(X), BLOCK_ROWS):
        some = slice(start, start + BLOCK_ROWS)
        errors = y.iloc[some].to_numpy() - model.predict(X.iloc[some])
        parts.append(float(errors @ errors))
    return math.fsum(parts) / len(X)


def _blocks(X: pd.DataFrame, y: pd.Series) -> Iterator[Array]:
    """The rows as float64, with y as the last column; each block has the memory of the one before."""
    memory = np.empty((min(BLOCK_ROWS, len(X)), X.shape[1] + 1))
    for start in range(0, len(X), BLOCK_ROWS):
        block = memory[: min(BLOCK_ROWS, len(X) - start)]
        some = slice(start, start + len(block))
        block[:, :-1], block[:, -1] = X.iloc[some].to_numpy(), y.iloc[some].to_numpy()
        yield block


def _model(X: pd.DataFrame, coefficients: Array, intercept: float) -> Any:
    model = LinearRegression()
    model.coef_, model.intercept_ = coefficients, intercept
    model.n_features_in_, model.feature_names_in_ = X.shape[1], X.columns.to_numpy(dtype=object)
    return model
