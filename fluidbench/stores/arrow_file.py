"""Arrow files in the data directory."""

from fluidbench.stores.base import Footprint
from fluidbench.stores.pickle_file import PickleStore


class ArrowStore(PickleStore):
    """Arrow files that are mapped: what a step reads of them is page cache, which the kernel takes back at need."""

    name = "arrow"
    step_store = "arrow"

    def footprint(self, exchange_bytes: int) -> Footprint:
        return Footprint(disk_bytes=exchange_bytes, zero_copy=True, in_columns=True, client_bytes=6_000_000)
