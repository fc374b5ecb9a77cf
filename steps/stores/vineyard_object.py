"""Tables as named objects in Vineyard: the published shared memory arm."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import pandas as pd
from vineyard.core import default_resolver_context
from vineyard.data.utils import from_json

import vineyard_client
from frames import Table


class VineyardStore:
    """`put` by name and `get`, as published; names are the run's own, so that runs do not shadow each other."""

    def __init__(self, directory: Path, run_id: str) -> None:
        default_resolver_context.register("vineyard::Index", _index_without_copy)
        self._client = vineyard_client.connect()
        self._run_id = run_id
        self.transport = "ipc" if self._client.has_ipc_client() else "rpc"

    def save(self, name: str, table: Table) -> None:
        _require_arrays(table)
        self._client.put(table, name=self._object_name(name), persist=True)

    def load(self, name: str) -> Table:
        return cast(Table, self._client.get(name=self._object_name(name), fetch=True))

    def files(self, name: str) -> Sequence[Path]:
        return ()

    def settle(self) -> None:
        pass

    def _object_name(self, name: str) -> str:
        return f"{name}-{self._run_id}"


def _require_arrays(table: Table) -> None:
    """Raises TypeError for what vineyard takes without a word, and then cannot give back as it was."""
    dtypes = [*table.dtypes] if isinstance(table, pd.DataFrame) else [table.dtype]
    other = [dtype for dtype in (*dtypes, table.index.dtype) if isinstance(dtype, pd.api.extensions.ExtensionDtype)]
    if other or table.index.nlevels > 1:
        found = other[0] if other else "an index of several levels"
        raise TypeError(f"vineyard holds numbers and times, not {found}: use pickle, parquet or arrow, or encode it")


def _index_without_copy(obj: Any, resolver: Any) -> Any:
    # vineyard's own resolver leaves it to pandas whether to copy, and pandas 3 does: a read would cost a copy of
    # every index, which earlier versions did not make
    value = resolver.run(obj.member("value_"))
    return pd.Index(value, dtype=obj.meta["value_type_"], name=from_json(obj.meta["name"]), copy=False)
