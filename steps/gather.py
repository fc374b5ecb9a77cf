"""The dataset read in blocks of rows, each row moved to where the published split puts it; for the pipeline `lean`.

The dataset's file holds one column after the other. A block is a piece of each column; its rows are put together a
few thousand at a time, in a core's cache, and each is then written as a whole to its place.
"""

import contextlib
import io
import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

import imports
import storage
from sidecar import facts_of

if TYPE_CHECKING:
    from stores import Store

train_test_split = imports.train_test_split()

# a read of 1 MiB a column
READ_ROWS = 1 << 17
# what is put together at a time
MOVE_ROWS = 1 << 12
NOWHERE = -1

Array = npt.NDArray[np.int64]


class DatasetRows:
    """A prepared dataset by rows; what was read last is overwritten by the next read.

    Raises AlteredDatasetError where the file is not as its sidecar says.
    """

    def __init__(self, path: Path, multiplier: int) -> None:
        facts = facts_of(path, multiplier)
        self.rows: int = facts["rows"]
        self.columns: list[str] = facts["columns"]
        self._offset: int = facts["data_offset"]
        self._path = path
        self._opened = contextlib.ExitStack()
        self._block = np.empty((len(self.columns), min(READ_ROWS, self.rows)), np.int64)

    def column(self, name: str) -> Iterator[Array]:
        """One column, piece by piece."""
        position = self.columns.index(name)
        for start in self.starts():
            yield self._read(position, start, self._block[0])

    def starts(self) -> range:
        """The first row of each block."""
        return range(0, self.rows, READ_ROWS)

    def block(self, start: int) -> Array:
        """The rows from `start` on as (columns, rows)."""
        pieces = [self._read(position, start, self._block[position]) for position in range(len(self.columns))]
        self._expect(start + len(pieces[0]))
        return self._block[:, : len(pieces[0])]

    def _expect(self, start: int) -> None:
        """Has the kernel read the next block while this one is worked on."""
        if not isinstance(self._file, io.FileIO) or not hasattr(os, "posix_fadvise"):
            return
        size = max(0, min(READ_ROWS, self.rows - start)) * self._block.itemsize
        for position in range(len(self.columns)):
            offset = self._offset + (position * self.rows + start) * self._block.itemsize
            if size:  # none would be all of the file
                os.posix_fadvise(self._file.fileno(), offset, size, os.POSIX_FADV_WILLNEED)

    def _read(self, position: int, start: int, into: Array) -> Array:
        piece = into[: min(READ_ROWS, self.rows - start)]
        self._file.seek(self._offset + (position * self.rows + start) * piece.itemsize)
        left = piece.data.cast("B")
        while left:
            count = self._file.readinto(left)  # type: ignore[attr-defined]
            if not count:
                raise EOFError(f"{self._path} ended before its rows did")
            left = left[count:]
        return piece

    def __enter__(self) -> "DatasetRows":
        source = self._opened.enter_context(storage.reading(self._path))
        self._file = self._opened.enter_context(source.open("rb", buffering=0) if isinstance(source, Path) else source)
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()


class Split:
    """Where each row of the dataset goes: `train_test_split`, as published, of the row numbers that are kept.

    `train` and `test` are row numbers in the order of the tables, which is what the published tables have as index.
    """

    def __init__(self, kept: Array) -> None:
        self.train, self.test = train_test_split(np.flatnonzero(kept), test_size=0.2, random_state=42)
        # half the memory, as long as it can tell all rows apart
        number = np.int32 if len(kept) < 1 << 31 else np.int64
        self.place: Array = np.full(len(kept), NOWHERE, number)
        self.place[self.train] = np.arange(len(self.train), dtype=number)
        self.place[self.test] = np.arange(len(self.train), len(self.train) + len(self.test), dtype=number)


class Gathering:
    """The four tables, gathered into memory that the store gave; the dataset's last column is y.

    As many threads work at it as the step's BLAS may have: numpy lets go of the interpreter while it copies.
    """

    def __init__(self, split: Split, columns: list[str], store: "Store") -> None:
        from stores import allocate

        self._split, self._columns = split, columns
        self._pool = ThreadPoolExecutor(int(os.environ.get("OMP_NUM_THREADS", "1")))
        self._parts = []
        first = 0
        for name, numbers in (("train", split.train), ("test", split.test)):
            X = allocate(store, f"X_{name}", len(numbers), len(columns) - 1, np.dtype(np.int64))
            y = np.empty(len(numbers), np.int64)
            self._parts.append((name, numbers, first, X, y))
            first += len(numbers)

    def move(self, start: int, block: Array) -> None:
        """Writes the rows of a block, which begins with row `start` of the dataset, to their places."""

        def some(low: int) -> None:
            self._move_some(start + low, block[:, low : low + MOVE_ROWS])

        for _ in self._pool.map(some, range(0, block.shape[1], MOVE_ROWS)):
            pass

    def _move_some(self, start: int, some: Array) -> None:
        rows, prices = np.ascontiguousarray(some[:-1].T), some[-1]
        places = self._split.place[start : start + len(rows)]
        for _, numbers, first, X, y in self._parts:
            chosen = np.flatnonzero((places >= first) & (places < first + len(numbers)))
            to = places[chosen] - first
            X[to] = rows[chosen]
            y[to] = prices[chosen]

    def tables(self) -> Mapping[str, pd.DataFrame | pd.Series]:
        """The tables on the gathered memory, none of it copied, in the published order of saving."""
        X_tables, y_tables = {}, {}
        for name, numbers, _, X, y in self._parts:
            index = pd.Index(numbers, copy=False)
            X_tables[f"X_{name}"] = pd.DataFrame(X, index=index, columns=self._columns[:-1], copy=False)
            y_tables[f"y_{name}"] = pd.Series(y, index=index, name=self._columns[-1], copy=False)
        return X_tables | y_tables
