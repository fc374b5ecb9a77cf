"""test-data: predicts with the model and takes the mean squared error."""

import contract
import imports


def main() -> None:
    with contract.measured("test-data") as step:
        import joblib

        import frames  # noqa: F401 - its imports belong to startup
        import storage

        imports.linear_regression()  # the model's class, which loading it would import
        _ = step.store
        step.started(tables=["X_test", "y_test"], files=[step.told.model])

        X_test, y_test = step.load("X_test", "y_test")
        with step.phase("load"):
            with storage.reading(step.told.model) as file:
                model = joblib.load(file)
        with step.phase("compute"):
            errors = y_test.to_numpy() - model.predict(X_test)
            mse = float((errors**2).mean())
        step.results["mse"] = mse


if __name__ == "__main__":
    main()
