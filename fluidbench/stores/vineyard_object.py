"""Named objects in a vineyardd of the run's own."""

import contextlib
from collections.abc import Iterator

from fluidbench.errors import ExternalFailure
from fluidbench.plan import Plan
from fluidbench.stores.base import Footprint, Medium, Place, Provision
from fluidbench.tools import vineyardd

# the allocator's own tables and the alignment of some 190 blobs
HEADROOM_BYTES = 64_000_000
CLIENT_BYTES = 14_000_000


class VineyardStore:
    """The published shared memory arm."""

    name = "vineyard"
    step_store = "vineyard"
    medium = Medium.MEMORY

    def check(self, plan: Plan) -> None:
        """Raises ToolMissing where there is no vineyardd."""
        vineyardd.executable()

    def footprint(self, exchange_bytes: int) -> Footprint:
        shared = int(1.02 * exchange_bytes) + HEADROOM_BYTES
        return Footprint(shared_bytes=shared, zero_copy=True, in_columns=True, client_bytes=CLIENT_BYTES)

    @contextlib.contextmanager
    def provision(self, place: Place, exchange_bytes: int) -> Iterator[Provision]:
        """A vineyardd that is started for the run; afterwards its memory must be back to what it was."""
        size = self.footprint(exchange_bytes).shared_bytes
        with vineyardd.serving(size, place.private_dir, place.logs / "vineyardd.log") as server:
            before = server.used_bytes()
            yield Provision(vineyardd.environment(place.private_dir), server.start_s, server.used_bytes)
            server.drop([f"{table}-{place.run_id}" for table in place.tables])
            if (leaked := server.used_bytes() - before) != 0:
                raise ExternalFailure(f"vineyardd still holds {leaked} bytes of run {place.run_id}")
