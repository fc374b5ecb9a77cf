"""preprocess-data: reads the dataset, filters it, splits it, and hands over the four tables."""

import contract
import imports


def main() -> None:
    with contract.measured("preprocess-data") as step:
        import pandas as pd

        import storage
        from frames import touch

        train_test_split = imports.train_test_split()
        _ = step.store
        step.started(files=[step.told.dataset])

        with step.phase("load"):
            with storage.reading(step.told.dataset) as file:
                df = pd.read_pickle(file)
        with step.phase("touch"):
            touch(df)
        with step.phase("compute"):
            df = df.drop(df[df["GrLivArea"] > 4800].index)
            X, y = df.drop("SalePrice", axis=1), df["SalePrice"]
            del df
            X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2, random_state=42)
            del X, y
        step.results |= {"train_rows": len(X_train), "test_rows": len(X_test)}
        step.save({"X_train": X_train, "X_test": X_test, "y_train": y_train, "y_test": y_test})


if __name__ == "__main__":
    main()
