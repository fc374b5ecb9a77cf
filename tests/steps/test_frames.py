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


def words(count: int = ROWS) -> list[str]:
    return [f"word {number % 97}" for number in range(count)]


ODD = 2 * np.arange(ROWS) + 1
OTHER_KINDS = {
    "texts": lambda: pd.DataFrame({"a": pd.array(words(), dtype="str"), "b": 1.5}),
    "texts of Python": lambda: pd.DataFrame({"a": pd.Series(words(), dtype=object)}),
    "times": lambda: pd.DataFrame({"a": pd.Timestamp("2026-01-05") + pd.to_timedelta(ODD, unit="us")}),
    "spans of time": lambda: pd.Series(pd.to_timedelta(ODD, unit="us"), name="a"),
    "categories": lambda: pd.DataFrame({"a": pd.Categorical(words())}),
    "numbers with gaps": lambda: pd.DataFrame({"a": pd.array([1, None] * (ROWS // 2), dtype="Int64")}),
    "an index of texts": lambda: pd.DataFrame({"a": np.arange(ROWS)}, index=words()),
    "an index of two levels": lambda: pd.DataFrame(
        {"a": np.arange(ROWS)}, index=pd.MultiIndex.from_product([["x", "y"], range(ROWS // 2)], names=["p", "q"])
    ),
}


@pytest.mark.parametrize("kind", OTHER_KINDS)
def test_the_digest_of_what_is_no_plain_number_tells_tables_apart(kind: str) -> None:
    table = OTHER_KINDS[kind]()
    assert frames.digest(table) == frames.digest(OTHER_KINDS[kind]())
    swapped = table.iloc[[1, 0, *range(2, ROWS)]]
    others = [swapped, table.iloc[:-1], table.rename_axis(index=["other"] * table.index.nlevels)]
    assert len({frames.digest(other) for other in (table, *others)}) == 4


def test_the_digest_of_texts_does_not_depend_on_how_they_are_kept() -> None:
    kept = [pd.DataFrame({"a": pd.array(words(), dtype=pd.StringDtype(how, np.nan))}) for how in ("python", "pyarrow")]
    assert frames.digest(kept[0]) == frames.digest(kept[1])


@pytest.mark.parametrize("kind", OTHER_KINDS)
def test_what_is_no_plain_number_is_touched_and_has_a_size(kind: str) -> None:
    table = OTHER_KINDS[kind]()
    assert frames.touch(table) == frames.touch(OTHER_KINDS[kind]()) != 0
    assert frames.nbytes(table) >= ROWS
    if isinstance(table, pd.DataFrame):
        wide = pd.concat([table, table], axis=1).to_numpy()
        frames.touch(pd.DataFrame(wide[:, ::2]))


def test_touching_texts_reads_the_map_they_lie_in_and_no_copy(tmp_path) -> None:
    import pyarrow as pa

    arrow = pa.table({"a": [f"a longer text, number {number}" for number in range(ROWS)]})
    with pa.OSFile(str(tmp_path / "texts"), "wb") as sink, pa.ipc.new_file(sink, arrow.schema) as writer:
        writer.write_table(arrow)
    mapped = pa.ipc.open_file(pa.memory_map(str(tmp_path / "texts"))).read_all()
    data = np.frombuffer(mapped["a"].chunks[0].buffers()[2], np.uint8)
    table = pd.DataFrame({"a": pd.array(mapped["a"], dtype=pd.ArrowDtype(pa.string()))})
    assert data.ctypes.data in [array.ctypes.data for array in frames._memory_of(table)]
    assert frames.touch(table) != 0
