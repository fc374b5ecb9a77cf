"""Tables as Parquet files in the data directory: what most would reach for when pickle is too slow or too unsafe."""

from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet  # noqa: F401 - pandas imports it at the first call, and importing belongs to startup

from frames import Table
from stores.files import FileStore, as_frame, as_saved, in_columns


class ParquetStore(FileStore):
    """`to_parquet` and `read_parquet` as they are by default: compressed (snappy), dictionaries and all."""

    suffix = "parquet"

    def allocate(self, name: str, rows: int, columns: int, dtype: "np.dtype[Any]") -> "np.ndarray[Any, Any]":
        return in_columns(rows, columns, dtype)

    def write(self, table: Table, file: Any) -> None:
        as_frame(table).to_parquet(file, engine="pyarrow")

    def read(self, file: Any) -> Table:
        return as_saved(pd.read_parquet(file, engine="pyarrow"))
