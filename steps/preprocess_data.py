"""preprocess-data: reads the dataset, filters it, splits it, and hands over the four tables."""

import contract
import imports

LARGEST_LIVING_AREA = 4800


def main() -> None:
    with contract.measured("preprocess-data") as step:
        lean(step) if step.told.pipeline == "lean" else published(step)


def published(step: contract.Step) -> None:
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
        df = df.drop(df[df["GrLivArea"] > LARGEST_LIVING_AREA].index)
        X, y = df.drop("SalePrice", axis=1), df["SalePrice"]
        del df
        X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2, random_state=42)
        del X, y
    step.results |= {"train_rows": len(X_train), "test_rows": len(X_test)}
    step.save({"X_train": X_train, "X_test": X_test, "y_train": y_train, "y_test": y_test})


def lean(step: contract.Step) -> None:
    """The same tables, with one block of the dataset in memory at a time."""
    import numpy as np

    from gather import DatasetRows, Gathering, Split

    _ = step.store
    step.started(files=[step.told.dataset])

    with DatasetRows(step.told.dataset, step.told.multiplier) as dataset:
        # every byte of a block is copied as it is read: there is nothing left to touch
        with step.phase("load"):
            kept = np.concatenate([piece <= LARGEST_LIVING_AREA for piece in dataset.column("GrLivArea")])
        with step.phase("compute"):
            split = Split(kept)
        with step.phase("save"):
            gathering = Gathering(split, dataset.columns, step.store)
        with step.turns():
            for start in dataset.starts():
                with step.phase("load"):
                    block = dataset.block(start)
                with step.phase("compute"):
                    gathering.move(start, block)
    step.results |= {"train_rows": len(split.train), "test_rows": len(split.test)}
    step.save(gathering.tables())


if __name__ == "__main__":
    main()
