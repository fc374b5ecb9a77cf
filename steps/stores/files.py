"""What the stores that keep one file a table have in common."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd

import storage
from frames import Table
from stores import sync

# where a table remembers that it is a Series, and of what name: a file of columns knows frames only
SERIES = "fluidbench_series"


class FileStore(ABC):
    """One file a table, in the run's directory. `write` and `read` get a path, or a file object that is limited."""

    transport = "file"
    suffix: ClassVar[str]

    def __init__(self, directory: Path, run_id: str) -> None:
        self._directory = directory
        self._saved: list[Path] = []

    @abstractmethod
    def write(self, table: Table, file: Any) -> None:
        """Writes the table."""

    @abstractmethod
    def read(self, file: Any) -> Table:
        """The table that was written."""

    def save(self, name: str, table: Table) -> None:
        path = self._path(name)
        with storage.writing(path) as file:
            self.write(table, file)
        self._saved.append(path)

    def load(self, name: str) -> Table:
        with storage.reading(self._path(name)) as file:
            return self.read(file)

    def files(self, name: str) -> Sequence[Path]:
        return [self._path(name)]

    def settle(self) -> None:
        for path in self._saved:
            sync(path)

    def _path(self, name: str) -> Path:
        return self._directory / f"{name.lower()}.{self.suffix}"


def in_columns(rows: int, columns: int, dtype: "np.dtype[Any]") -> "np.ndarray[Any, Any]":
    """A place for a table, one column after the other: what is written by columns would copy rows once more."""
    return np.empty((columns, rows), dtype).T


def as_frame(table: Table) -> pd.DataFrame:
    """The table as a frame, without a copy; `as_saved` turns it back."""
    if isinstance(table, pd.DataFrame):
        return table
    frame = table.to_frame("values")
    frame.attrs[SERIES] = table.name
    return frame


def as_saved(frame: pd.DataFrame) -> Table:
    """What `as_frame` was given."""
    if SERIES not in frame.attrs:
        return frame
    name = frame.attrs.pop(SERIES)
    series: pd.Series[Any] = frame.iloc[:, 0].rename(name)
    return series
