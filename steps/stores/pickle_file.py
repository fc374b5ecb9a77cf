"""Tables as pickle files in the data directory: the published file arm."""

from collections.abc import Sequence
from pathlib import Path
from typing import cast

import pandas as pd

from frames import Table
from stores import sync


class PickleStore:
    """`to_pickle` and `read_pickle`, as published."""

    transport = "file"

    def __init__(self, directory: Path, run_id: str) -> None:
        self._directory = directory
        self._saved: list[Path] = []

    def save(self, name: str, table: Table) -> None:
        path = self._path(name)
        table.to_pickle(path)
        self._saved.append(path)

    def load(self, name: str) -> Table:
        return cast(Table, pd.read_pickle(self._path(name)))

    def files(self, name: str) -> Sequence[Path]:
        return [self._path(name)]

    def settle(self) -> None:
        for path in self._saved:
            sync(path)

    def _path(self, name: str) -> Path:
        return self._directory / f"{name.lower()}.pkl"
