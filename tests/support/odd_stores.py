"""Host halves of stores that are slow or broken in a known way; `--store support.odd_stores:Slow`."""

import contextlib
from collections.abc import Iterator

from fluidbench.stores.base import Footprint, Place, Provision
from fluidbench.stores.pickle_file import PickleStore


class Slow(PickleStore):
    name = "slow"
    step_store = "support.odd_steps:Slow"


class Changes(PickleStore):
    name = "changes"
    step_store = "support.odd_steps:Changes"


class Raises(PickleStore):
    name = "raises"
    step_store = "support.odd_steps:Raises"


class Killed(PickleStore):
    name = "killed"
    step_store = "support.odd_steps:Killed"


class Hangs(PickleStore):
    name = "hangs"
    step_store = "support.odd_steps:Hangs"


class Fills:
    """Leaves no room on the disk of the run's directory once the run has begun."""

    name = "fills"
    step_store = "pickle"

    def footprint(self, exchange_bytes: int) -> Footprint:
        return Footprint()

    @contextlib.contextmanager
    def provision(self, place: Place, exchange_bytes: int) -> Iterator[Provision]:
        with contextlib.suppress(OSError), (place.run_dir / "ballast").open("wb", buffering=0) as ballast:
            while True:
                ballast.write(bytes(100_000))
        yield Provision()
