import mmap
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import frames

ROWS = 10_000


def table() -> pd.DataFrame:
    cells = np.random.default_rng(1).integers(0, 1000, (ROWS, 5))
    return pd.DataFrame(cells, columns=list("abcde"), index=pd.Index(range(3, ROWS + 3)))


def one_column_blocks(frame: pd.DataFrame) -> pd.DataFrame:
    """The same table, a piece of memory a column, as Vineyard gives it."""
    return pd.concat([frame[[name]].copy() for name in frame.columns], axis=1)


def test_the_digest_does_not_depend_on_the_layout_in_memory() -> None:
    frame = table()
    rows_first = pd.DataFrame(np.ascontiguousarray(frame.to_numpy()), columns=frame.columns, index=frame.index)
    columns_first = pd.DataFrame(np.asfortranarray(frame.to_numpy()), columns=frame.columns, index=frame.index)
    same = {frames.digest(one) for one in (frame, rows_first, columns_first, one_column_blocks(frame))}
    assert len(same) == 1


def changed(frame: pd.DataFrame, row: int, column: int) -> pd.DataFrame:
    other = frame.copy()
    other.iloc[row, column] += 1
    return other


@pytest.mark.parametrize(
    "other",
    [
        changed(table(), 0, 0),
        changed(table(), ROWS - 1, 4),
        changed(table(), 4096, 2),
        table().astype({"c": "int32"}),
        table().astype({"c": "uint64"}),
        table().rename(columns={"c": "C"}),
        table()[["b", "a", "c", "d", "e"]],
        table().set_index(pd.Index(range(4, ROWS + 4))),
        table().set_axis(pd.Index(np.arange(3, ROWS + 3, dtype="int32"))),
        table().rename_axis("row"),
        table().iloc[:-1],
        table().iloc[::-1],
        table().drop(columns="e"),
    ],
)
def test_the_digest_tells_another_value_dtype_column_name_order_and_index(other: pd.DataFrame) -> None:
    assert frames.digest(other) != frames.digest(table())


def test_the_name_of_a_series_is_part_of_its_digest() -> None:
    column = table()["a"]
    assert frames.digest(column) == frames.digest(column.copy()) != frames.digest(column.rename("z"))


def test_the_bytes_of_a_table_are_those_of_its_values() -> None:
    assert frames.nbytes(table()) == ROWS * 5 * 8
    assert frames.nbytes(table()["a"]) == ROWS * 8


def resident_pages(array: np.ndarray) -> int:
    """How many of the array's pages are in this process's memory, from /proc/self/smaps."""
    address = f"{array.__array_interface__['data'][0]:x}-"
    found = False
    with Path("/proc/self/smaps").open() as maps:
        for line in maps:
            if line.startswith(address):
                found = True
            elif found and line.startswith("Rss:"):
                return int(line.split()[1]) * 1024 // mmap.PAGESIZE
    raise AssertionError("the map was not found")


def mapped_block(columns: int, tmp_path) -> np.ndarray:
    path = tmp_path / "block"
    path.write_bytes(bytes(columns * ROWS * 8))
    with path.open("r+b") as file:
        kept = mmap.mmap(file.fileno(), 0)
        kept.madvise(mmap.MADV_RANDOM)
        return np.frombuffer(kept, dtype=np.int64).reshape(columns, ROWS)


def test_touching_reads_every_page_of_a_lazy_map(tmp_path) -> None:
    block = mapped_block(20, tmp_path)
    frame = pd.DataFrame(block.T, columns=[f"c{n}" for n in range(20)], copy=False)
    before = resident_pages(block)
    frames.touch(frame)
    assert before < block.nbytes / mmap.PAGESIZE / 2
    assert resident_pages(block) == -(-block.nbytes // mmap.PAGESIZE)


def test_touching_reads_an_index_too_and_takes_any_layout() -> None:
    ones = pd.DataFrame(np.full((ROWS, 2), 0x0101010101010101), index=pd.Index(np.zeros(ROWS, dtype=np.int64)))
    with_index = ones.set_index(pd.Index(np.full(ROWS, 0x0101010101010101)))
    assert frames.touch(with_index) > frames.touch(ones) > 0
    assert frames.touch(ones.iloc[::2], ones[1], ones.iloc[:0]) > 0
