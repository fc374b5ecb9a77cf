"""test-data: predicts with the model and takes the mean squared error."""

from collections.abc import Callable
from typing import Any

import contract
import imports


def main() -> None:
    with contract.measured("test-data") as step:
        import joblib

        import storage

        imports.linear_regression()  # the model's class, which loading it would import
        mean_squared_error = _mean_squared_error(step.told.pipeline)
        step.started(tables=["X_test", "y_test"], files=[step.told.model])

        X_test, y_test = step.load("X_test", "y_test")
        with step.phase("load"):
            with storage.reading(step.told.model) as file:
                model = joblib.load(file)
        with step.phase("compute"):
            step.results["mse"] = mean_squared_error(model, X_test, y_test)


def _mean_squared_error(pipeline: str) -> Callable[[Any, Any, Any], float]:
    if pipeline == "lean":
        import regression

        return regression.mean_squared_error
    return lambda model, X, y: float(((y.to_numpy() - model.predict(X)) ** 2).mean())


if __name__ == "__main__":
    main()
