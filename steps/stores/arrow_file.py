"""Tables as uncompressed Arrow IPC files in the data directory, mapped into memory when they are read."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from frames import Table
from stores.files import FileStore, as_frame, as_saved, in_columns


class ArrowStore(FileStore):
    """Read without a copy: each column is a block of its own over the map, and so is the index.

    That holds for numbers without gaps. pandas copies what it keeps in another form than Arrow does: truth values,
    and numbers with nulls. Where the storage is limited, the file is read through the limit and nothing is mapped.
    """

    suffix = "arrow"

    def allocate(self, name: str, rows: int, columns: int, dtype: "np.dtype[Any]") -> "np.ndarray[Any, Any]":
        return in_columns(rows, columns, dtype)

    def write(self, table: Table, file: Any) -> None:
        arrow = pa.Table.from_pandas(as_frame(table))
        with pa.OSFile(str(file), "wb") if isinstance(file, Path) else pa.PythonFile(file, "w") as sink:
            # one batch: what is in several chunks would be put together at each read
            with pa.ipc.new_file(sink, arrow.schema) as writer:
                writer.write_table(arrow)

    def read(self, file: Any) -> Table:
        source = pa.memory_map(str(file)) if isinstance(file, Path) else pa.PythonFile(file, "r")
        return as_saved(pa.ipc.open_file(source).read_all().to_pandas(split_blocks=True))
