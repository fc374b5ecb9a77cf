"""Tables as pickle files in /dev/shm: the published file arm, but for where the files lie."""

import os
from pathlib import Path

from frames import Table
from stores.pickle_file import PickleStore

VARIABLE = "FLUIDBENCH_TMPFS_DIR"


class TmpfsStore(PickleStore):
    """The host made the directory. Nothing here is limited by `--storage-bandwidth`: memory is no storage."""

    def __init__(self, directory: Path, run_id: str) -> None:
        super().__init__(Path(os.environ[VARIABLE]), run_id)

    def save(self, name: str, table: Table) -> None:
        self.write(table, self._path(name))

    def load(self, name: str) -> Table:
        return self.read(self._path(name))

    def settle(self) -> None:
        """Nothing to sync: the files are in memory."""
