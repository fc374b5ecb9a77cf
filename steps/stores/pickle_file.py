"""Tables as pickle files in the data directory: the published file arm."""

from typing import Any, cast

import pandas as pd

from frames import Table
from stores.files import FileStore


class PickleStore(FileStore):
    """`to_pickle` and `read_pickle`, as published."""

    suffix = "pkl"

    def write(self, table: Table, file: Any) -> None:
        table.to_pickle(file)

    def read(self, file: Any) -> Table:
        return cast(Table, pd.read_pickle(file))
