"""The step half of the stores: how a table gets from one step to the next.

A store is named in `FLUIDBENCH_STORE`: one of `STORES`, or `module:Class` for one from elsewhere.
"""

import importlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import numpy as np

    from frames import Table

STORES = {
    "pickle": "stores.pickle_file:PickleStore",
    "parquet": "stores.parquet_file:ParquetStore",
    "arrow": "stores.arrow_file:ArrowStore",
    "tmpfs": "stores.tmpfs:TmpfsStore",
    "s3": "stores.s3_object:S3Store",
    "vineyard": "stores.vineyard_object:VineyardStore",
    "vineyard-block": "stores.vineyard_block:VineyardBlockStore",
}


class Store(Protocol):
    """Opened once a step, with the directory of the run's files and the run's id."""

    transport: str  # file, ipc, rpc or s3

    def __init__(self, directory: Path, run_id: str) -> None: ...

    def save(self, name: str, table: "Table") -> None:
        """Hands the table over under `name`."""

    def load(self, name: str) -> "Table":
        """The table that was saved under `name`."""

    def files(self, name: str) -> Sequence[Path]:
        """The files that hold what was saved under `name`, to be evicted before a load; none in memory.

        A store without files whose tables lie elsewhere than in memory says so in an attribute `cache`.
        """

    def settle(self) -> None:
        """Makes what was saved durable; called after the last clock, and timed apart."""


def open_store(name: str, directory: Path, run_id: str) -> Store:
    """The store called `name`, connected."""
    module, _, attribute = STORES.get(name, name).partition(":")
    store: Store = getattr(importlib.import_module(module), attribute)(directory, run_id)
    return store


def allocate(store: Store, name: str, rows: int, columns: int, dtype: "np.dtype[Any]") -> "np.ndarray[Any, Any]":
    """A place of (rows, columns) that the table `name` can be gathered into before it is saved.

    A store that can have the table written straight to where it keeps it has a method
    `allocate(name, rows, columns, dtype)`; its `save(name, table)` then gets a DataFrame on that very memory. Any
    other store gets the table from ordinary memory, where each row stands whole.
    """
    own = getattr(store, "allocate", None)
    if own is not None:
        return own(name, rows, columns, dtype)  # type: ignore[no-any-return]
    import numpy as np

    return np.empty((rows, columns), dtype)


def sync(path: Path) -> None:
    """Writes a file's pages to its disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
