"""The step halves of all stores in this process: what is saved comes back the same, and as cheaply as is said."""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import frames
from fluidbench.places import steps_dir
from fluidbench.stores import STORES, open_store
from fluidbench.stores.base import Place
from fluidbench.stores.tmpfs import TmpfsStore
from fluidbench.stores.vineyard_block import VineyardBlockStore
from fluidbench.tools import vineyardd
from stores import STORES as STEP_STORES
from stores import open_store as open_step_store
from support.bucket import Bucket

if reason := vineyardd.unsupported():
    pytest.skip(reason, allow_module_level=True)
ROWS = 500


@pytest.fixture
def place() -> Iterator[Place]:
    # the path of a socket may not be longer than 107 bytes
    private = Path(tempfile.mkdtemp(prefix="fbt-", dir="/tmp"))
    (private / "run").mkdir()
    yield Place("run1", private / "run", private, private)
    shutil.rmtree(private)


@pytest.fixture
def opened(place: Place, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Any]]:
    """Opens the step half of a store, with all that its host half sets up."""
    with contextlib.ExitStack() as stack:

        def opens(name: str) -> Any:
            provision = stack.enter_context(open_store(name).provision(place, 4_000_000))
            for variable, value in provision.environment.items():
                monkeypatch.setenv(variable, value)
            return open_step_store(open_store(name).step_store, place.run_dir, place.run_id)

        yield opens


@pytest.fixture
def bucket_place(place: Place, bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> Place:
    for variable, value in bucket.environment.items():
        monkeypatch.setenv(variable, value)
    return Place(place.run_id, place.run_dir, place.private_dir, place.logs, bucket.url)


def frame() -> pd.DataFrame:
    """Of one dtype, as the published tables are; the index has no order."""
    chance = np.random.default_rng(3)
    block = chance.integers(0, 1 << 60, (7, ROWS))
    names = [f"column {number}" for number in range(7)]
    return pd.DataFrame(block.T, columns=names, index=chance.permutation(ROWS), copy=False)


def tables() -> dict[str, pd.DataFrame | pd.Series]:
    whole, index = frame(), pd.Index(range(7, 7 + 3 * ROWS, 3), name="number")
    kinds = {"whole": np.arange(ROWS), "real": np.linspace(0, 1, ROWS), "small": np.arange(ROWS, dtype=np.int32)}
    mixed = pd.DataFrame(kinds | {"again": np.arange(ROWS) * 2}, index=index)
    return {
        "X_train": whole,
        "y_train": whole["column 3"],
        "X_test": mixed,
        "y_test": mixed["real"],
    }


def awkward() -> dict[str, pd.DataFrame | pd.Series]:
    rows = pd.DataFrame(np.arange(6.0 * ROWS).reshape(ROWS, 6), columns=list("abcdef"))
    gaps = rows.iloc[:, :2].where(rows["a"] % 4 > 0)
    return {"X_train": rows, "y_train": rows["a"].rename(None), "X_test": rows.iloc[:0], "y_test": gaps["b"]}


def check_equal(back: pd.DataFrame | pd.Series, table: pd.DataFrame | pd.Series) -> None:
    assert type(back) is type(table)
    assert frames.digest(back) == frames.digest(table)
    assert back.index.equals(table.index)
    assert (back.index.name, back.index.dtype) == (table.index.name, table.index.dtype)
    assert back.attrs == {}
    if isinstance(table, pd.DataFrame):
        pd.testing.assert_frame_equal(back, table)
    else:
        pd.testing.assert_series_equal(back, table)


def test_both_halves_of_every_store_are_registered() -> None:
    assert {open_store(name).step_store for name in STORES} == set(STEP_STORES) == set(STORES)


@pytest.mark.parametrize("made", [tables, awkward], ids=["published", "awkward"])
@pytest.mark.parametrize("name", [name for name in STORES if name not in ("s3", "vineyard")])
def test_tables_come_back_with_the_same_values_columns_dtypes_index_and_name(opened, name: str, made) -> None:
    store = opened(name)
    for table_name, table in made().items():
        store.save(table_name, table)
    for table_name, table in made().items():
        check_equal(store.load(table_name), table)
    store.settle()


def test_through_a_bucket_they_come_back_too_and_nothing_is_left_there(bucket_place: Place, bucket: Bucket) -> None:
    with open_store("s3").provision(bucket_place, 4_000_000) as provision:
        with pytest.MonkeyPatch.context() as told:
            for variable, value in provision.environment.items():
                told.setenv(variable, value)
            store = open_step_store("s3", bucket_place.run_dir, bucket_place.run_id)
        for table_name, table in (tables() | {"awkward": awkward()["y_test"]}).items():
            store.save(table_name, table)
            check_equal(store.load(table_name), table)
        assert len(bucket.objects()) == 5
        assert (store.transport, store.cache, list(store.files("X_train"))) == ("s3", "client-cold", [])
    assert bucket.objects() == []


def mapped_from(array: np.ndarray) -> str:
    """The file whose mapping holds the array's memory; "" where it is this process's own."""
    address = array.__array_interface__["data"][0]
    for line in Path("/proc/self/maps").read_text().splitlines():
        low, high = (int(word, 16) for word in line.split()[0].split("-"))
        if low <= address < high:
            return " ".join(line.split()[5:])
    return ""


def test_arrow_maps_the_file_and_copies_neither_columns_nor_index(opened, place: Place) -> None:
    store = opened("arrow")
    store.save("X_train", frame())
    back = store.load("X_train")
    file = str(place.run_dir / "x_train.arrow")
    assert {mapped_from(back[name].to_numpy()) for name in back.columns} == {file}
    assert mapped_from(back.index.to_numpy()) == file


def test_vineyard_block_hands_over_one_block_in_shared_memory_and_its_index(opened) -> None:
    store = opened("vineyard-block")
    store.save("X_train", frame())
    back = store.load("X_train")
    assert len(back._mgr.blocks) == 1
    for array in (back.to_numpy(), back.index.to_numpy()):
        assert "memfd:" in mapped_from(array)
    # one block and one index: `touch` reads each of them once
    assert [len(owner) for owner in frames._memory_of(back)] == [7 * ROWS, ROWS]


def test_vineyard_block_keeps_rows_together_where_the_table_had_them_so(opened) -> None:
    store = opened("vineyard-block")
    for name, table in (("X_train", frame()), ("X_test", awkward()["X_train"])):
        store.save(name, table)
        assert store.load(name).to_numpy().flags.c_contiguous == table.to_numpy().flags.c_contiguous


def test_what_is_gathered_in_memory_of_vineyard_block_is_not_copied_again(opened) -> None:
    store = opened("vineyard-block")
    gathered = store.allocate("X_train", ROWS, 3, np.dtype(np.int64))
    gathered[:] = np.arange(3 * ROWS).reshape(ROWS, 3)
    table = pd.DataFrame(gathered, columns=list("abc"), index=np.arange(ROWS)[::-1], copy=False)
    held = VineyardBytes(store)
    store.save("X_train", table)
    assert held.grown() < gathered.nbytes
    check_equal(store.load("X_train"), table)


def test_memory_of_vineyard_block_that_another_table_is_saved_instead_of_is_given_back(opened) -> None:
    store = opened("vineyard-block")
    held = VineyardBytes(store)
    store.allocate("X_train", ROWS, 1000, np.dtype(np.int64))
    store.save("X_train", frame())
    check_equal(store.load("X_train"), frame())
    assert held.grown() < 8 * 1000 * ROWS


FAILS = """
import sys
from pathlib import Path
import numpy as np
from stores import open_store
place = open_store("vineyard-block", Path(), "run1").allocate("X_train", 1000, 45, np.dtype(np.int64))
place[:] = 1
raise ValueError("a step that fails")
"""


def test_memory_of_vineyard_block_that_a_failing_step_did_not_save_is_given_back(place: Place) -> None:
    with vineyardd.serving(64_000_000, place.private_dir, place.logs / "log") as server:
        env = os.environ | vineyardd.environment(place.private_dir) | {"PYTHONPATH": str(steps_dir())}
        done = subprocess.run([sys.executable, "-c", FAILS], env=env, capture_output=True, text=True, check=False)
        assert "a step that fails" in done.stderr
        assert server.used_bytes() == 0


class VineyardBytes:
    """How much more the server holds than it did."""

    def __init__(self, store: Any) -> None:
        self._client = store._client
        self._before = self._client.status.memory_usage

    def grown(self) -> int:
        return int(self._client.status.memory_usage - self._before)


def test_vineyard_block_says_what_it_cannot_hold(opened) -> None:
    store = opened("vineyard-block")
    with pytest.raises(TypeError, match="holds numbers, not"):
        store.save("X_train", pd.DataFrame({"words": ["a", "b"]}))


@pytest.mark.parametrize("host", [VineyardBlockStore, TmpfsStore], ids=lambda host: host.name)
def test_memory_is_given_back_when_the_run_is_over(place: Place, monkeypatch: pytest.MonkeyPatch, host) -> None:
    with host().provision(place, 4_000_000) as provision:
        for variable, value in provision.environment.items():
            monkeypatch.setenv(variable, value)
        store = open_step_store(host.step_store, place.run_dir, place.run_id)
        before = provision.held_bytes()
        for name, table in tables().items():
            store.save(name, table)
        assert provision.held_bytes() > before + frame().to_numpy().nbytes
    # Vineyard's raises where anything is left
    assert list(Path("/dev/shm").glob(f"*{place.run_id}*")) == []
