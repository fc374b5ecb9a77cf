"""Tables as Parquet objects in a bucket: how steps share tables where there is an object store and no common disk."""

import os
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pyarrow.parquet  # noqa: F401 - pandas imports it at the first call, and importing belongs to startup
from pyarrow.fs import S3FileSystem

from frames import Table
from stores.files import as_frame, as_saved

VARIABLE = "FLUIDBENCH_S3_URL"


class S3Store:
    """`to_parquet` and `read_parquet` through Arrow's S3 client: uploads in parts, reads several ranges at a time.

    Endpoint, region and credentials are where AWS's own tools look for them: AWS_* variables, else profile files.
    """

    transport = "s3"
    # nothing of an object stays on this machine; what the server keeps in memory is out of sight
    cache = "client-cold"

    def __init__(self, directory: Path, run_id: str) -> None:
        self._client = S3FileSystem(endpoint_override=os.environ.get("AWS_ENDPOINT_URL"))
        self._place = f"{os.environ[VARIABLE].removeprefix('s3://').rstrip('/')}/{run_id}"

    def save(self, name: str, table: Table) -> None:
        as_frame(table).to_parquet(self._path(name), engine="pyarrow", filesystem=self._client)

    def load(self, name: str) -> Table:
        return as_saved(pd.read_parquet(self._path(name), engine="pyarrow", filesystem=self._client))

    def files(self, name: str) -> Sequence[Path]:
        return ()

    def settle(self) -> None:
        """Nothing to sync: an upload that has ended is durable."""

    def _path(self, name: str) -> str:
        return f"{self._place}/{name}.parquet"
