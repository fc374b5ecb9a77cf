"""train-data: fits the linear regression and writes the model."""

from collections.abc import Callable
from typing import Any

import contract
import imports


def main() -> None:
    with contract.measured("train-data") as step:
        import joblib

        import storage

        fit = _fit(step.told.pipeline)
        step.started(tables=["X_train", "y_train"])

        X_train, y_train = step.load("X_train", "y_train")
        with step.phase("compute"):
            model = fit(X_train, y_train)
        with step.phase("save"):
            with storage.writing(step.told.model) as file:
                joblib.dump(model, file)
        step.saved_file(step.told.model)
        step.results |= {
            "intercept": float(model.intercept_),
            "coefficients": dict(zip(X_train.columns, map(float, model.coef_), strict=True)),
        }


def _fit(pipeline: str) -> Callable[[Any, Any], Any]:
    if pipeline == "lean":
        import regression

        return regression.fit
    linear_regression = imports.linear_regression()
    return lambda X, y: linear_regression().fit(X, y)


if __name__ == "__main__":
    main()
