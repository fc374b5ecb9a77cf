"""Tables as Parquet files in the data directory: what most would reach for when pickle is too slow or too unsafe."""

from typing import Any

import numpy as np
import pandas as pd

# pandas imports these at its first call, and importing belongs to startup
import pyarrow as pa
import pyarrow.dataset
import pyarrow.pandas_compat
import pyarrow.parquet

from frames import Table
from stores.files import FileStore, as_frame, as_saved, in_columns


class ParquetStore(FileStore):
    """`to_parquet` and `read_parquet` as they are by default: compressed (snappy), dictionaries and all."""

    suffix = "parquet"
    # whose names the files have, where they are not on this machine
    filesystem: Any = None

    def allocate(self, name: str, rows: int, columns: int, dtype: "np.dtype[Any]") -> "np.ndarray[Any, Any]":
        return in_columns(rows, columns, dtype)

    def write(self, table: Table, file: Any) -> None:
        as_frame(table).to_parquet(file, engine="pyarrow", filesystem=self.filesystem)

    def read(self, file: Any) -> Table:
        table = as_saved(pd.read_parquet(file, engine="pyarrow", filesystem=self.filesystem))
        # what it was decoded from would be kept for another read, and the step's own work has need of it
        pa.default_memory_pool().release_unused()
        return table
