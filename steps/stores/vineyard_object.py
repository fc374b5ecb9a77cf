"""Tables as named objects in Vineyard: the published shared memory arm."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, cast

import vineyard

from frames import Table


class VineyardStore:
    """`put` by name and `get`, as published; names are the run's own, so that runs do not shadow each other."""

    transport: ClassVar[str] = "ipc"

    def __init__(self, directory: Path, run_id: str) -> None:
        # connect() without an address would silently start a server of its own
        self._client = vineyard.Client(socket=os.environ["VINEYARD_IPC_SOCKET"])
        self._run_id = run_id

    def save(self, name: str, table: Table) -> None:
        self._client.put(table, name=self._object_name(name), persist=True)

    def load(self, name: str) -> Table:
        return cast(Table, self._client.get(name=self._object_name(name), fetch=True))

    def files(self, name: str) -> Sequence[Path]:
        return ()

    def settle(self) -> None:
        pass

    def _object_name(self, name: str) -> str:
        return f"{name}-{self._run_id}"
