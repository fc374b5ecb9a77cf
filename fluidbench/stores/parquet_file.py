"""Parquet files in the data directory."""

from fluidbench.stores.base import Footprint
from fluidbench.stores.pickle_file import PickleStore


class ParquetStore(PickleStore):
    """Parquet by its defaults. How well a table compresses nobody knows before: the disk for all of it is asked for."""

    name = "parquet"
    step_store = "parquet"

    def footprint(self, exchange_bytes: int) -> Footprint:
        return Footprint(
            disk_bytes=exchange_bytes, load_copies=2.2, load_bytes=30_000_000, save_bytes=55_000_000,
            client_bytes=25_000_000,
        )  # fmt: skip
