"""Tables as Parquet objects in a bucket: how steps share tables where there is an object store and no common disk."""

import os
from collections.abc import Sequence
from pathlib import Path

import s3_client
from frames import Table
from stores.parquet_file import ParquetStore


class S3Store(ParquetStore):
    """`to_parquet` and `read_parquet` through Arrow's S3 client: uploads in parts, reads several ranges at a time."""

    transport = "s3"
    # nothing of an object stays on this machine; what the server keeps in memory is out of sight
    cache = "client-cold"

    def __init__(self, directory: Path, run_id: str) -> None:
        self.filesystem = s3_client.connect()
        self._place = s3_client.directory(os.environ[s3_client.VARIABLE], run_id)

    def save(self, name: str, table: Table) -> None:
        self.write(table, f"{self._place}/{name}.{self.suffix}")

    def load(self, name: str) -> Table:
        return self.read(f"{self._place}/{name}.{self.suffix}")

    def files(self, name: str) -> Sequence[Path]:
        return ()

    def settle(self) -> None:
        """Nothing to sync: an upload that has ended is durable."""
