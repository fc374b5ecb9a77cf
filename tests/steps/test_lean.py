"""The pipeline `lean` against the published calls, on the same rows."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import train_test_split

import frames
import gather
import prepare_data
import regression
from sidecar import AlteredDatasetError
from stores.pickle_file import PickleStore

# more rows than one block of the dataset
MULTIPLIER = 14


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("dataset") / f"df_{MULTIPLIER}.pkl"
    prepare_data.prepare(path, MULTIPLIER)
    return path


@pytest.fixture(scope="module")
def published(dataset: Path) -> dict:
    df = pd.read_pickle(dataset)
    df = df.drop(df[df["GrLivArea"] > 4800].index)
    parts = train_test_split(df.drop("SalePrice", axis=1), df["SalePrice"], test_size=0.2, random_state=42)
    return dict(zip(("X_train", "X_test", "y_train", "y_test"), parts, strict=True))


def gathered(dataset: Path, store: object) -> dict:
    with gather.DatasetRows(dataset, MULTIPLIER) as rows:
        assert len(rows.starts()) > 1
        split = gather.Split(np.concatenate([piece <= 4800 for piece in rows.column("GrLivArea")]))
        gathering = gather.Gathering(split, rows.columns, store)
        for start in rows.starts():
            gathering.move(start, rows.block(start))
    return dict(gathering.tables())


@pytest.fixture(scope="module")
def lean(dataset: Path) -> dict:
    return gathered(dataset, PickleStore(dataset.parent, "run1"))


class InPlace(PickleStore):
    """Gives places of its own, one column after the other in memory."""

    def __init__(self) -> None:
        self.given: dict[str, np.ndarray] = {}

    def allocate(self, name: str, rows: int, columns: int, dtype: np.dtype) -> np.ndarray:
        self.given[name] = np.zeros((columns, rows), dtype).T
        return self.given[name]


def test_the_four_tables_are_the_published_ones_row_by_row_with_the_same_index(lean, published) -> None:
    assert list(lean) == list(published)
    for name, table in published.items():
        assert lean[name].index.equals(table.index)
        assert lean[name].index.dtype == table.index.dtype
        assert lean[name].equals(table)
        assert frames.digest(lean[name]) == frames.digest(table)


def test_a_store_that_has_a_place_for_the_table_has_it_gathered_straight_into_it(dataset, published) -> None:
    store = InPlace()
    tables = gathered(dataset, store)
    for name in ("X_train", "X_test"):
        assert np.shares_memory(tables[name].to_numpy(), store.given[name])
        assert tables[name].equals(published[name])


def test_the_tables_lie_on_the_memory_they_were_gathered_into(lean) -> None:
    for name in ("X_train", "X_test"):
        values = lean[name].to_numpy()
        assert values.flags.c_contiguous
        assert np.shares_memory(values, lean[name].iloc[:, 3].to_numpy())
        assert not values.flags.owndata


def in_columns(table: pd.DataFrame) -> pd.DataFrame:
    """The same table as Vineyard hands it over: one block a column."""
    apart = pd.DataFrame(index=table.index)
    for position, name in enumerate(table.columns):
        apart.insert(position, name, table[name].copy())
    return apart


@pytest.mark.parametrize("arranged", [lambda table: table, in_columns], ids=["one block", "a block a column"])
def test_the_fit_is_the_published_one(lean, published, arranged) -> None:
    theirs = LinearRegression().fit(published["X_train"], published["y_train"])
    ours = regression.fit(arranged(lean["X_train"]), lean["y_train"])
    assert ours.coef_ == pytest.approx(theirs.coef_, rel=1e-9)
    assert ours.intercept_ == pytest.approx(theirs.intercept_, rel=1e-9)
    assert list(ours.feature_names_in_) == list(theirs.feature_names_in_)
    X, y = published["X_test"], published["y_test"]
    expected = float(((y.to_numpy() - theirs.predict(X)) ** 2).mean())
    assert regression.mean_squared_error(ours, arranged(lean["X_test"]), lean["y_test"]) == pytest.approx(
        expected, rel=1e-9
    )


def test_columns_far_from_zero_and_of_very_different_units_do_not_spoil_the_fit() -> None:
    chance = np.random.default_rng(5)
    rows = 3 * regression.BLOCK_ROWS + 7
    X = pd.DataFrame({
        "huge": 1e9 + chance.normal(0, 1e6, rows), "tiny": 1e-6 * chance.normal(0, 1, rows),
        "far": 1e6 + chance.normal(0, 1, rows), "drifts": np.linspace(0, 1e5, rows) + chance.normal(0, 1, rows),
    })  # fmt: skip
    true = np.array([3e-6, 4e6, -2.0, 1e-4])
    y = pd.Series(X.to_numpy() @ true + 12.5)
    model = regression.fit(X, y)
    assert model.coef_ == pytest.approx(true, rel=1e-6)
    theirs = LinearRegression().fit(X, y)
    assert np.abs(model.coef_ / true - 1).max() <= 10 * np.abs(theirs.coef_ / true - 1).max() + 1e-9


def test_columns_that_depend_on_each_other_are_refused_and_not_guessed() -> None:
    one = np.arange(100.0)
    X = pd.DataFrame({"one": one, "twice": 2 * one})
    with pytest.raises(np.linalg.LinAlgError):
        regression.fit(X, pd.Series(one))


def test_a_file_that_is_shorter_than_its_sidecar_says_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "df_1.pkl"
    prepare_data.prepare(path, 1)
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size - 1)
    with pytest.raises(AlteredDatasetError, match="bytes, prepared were"):
        gather.DatasetRows(path, 1)
    path.with_suffix(".json").unlink()
    with pytest.raises(AlteredDatasetError, match="cannot be read"):
        gather.DatasetRows(path, 1)
