"""Files in memory."""

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

from fluidbench import text
from fluidbench.errors import DoesNotFit, UsageProblem
from fluidbench.plan import Plan
from fluidbench.stores.base import Footprint, Medium, Place, Provision
from fluidbench.stores.pickle_file import pickled_bytes

DIRECTORY = Path("/dev/shm")  # noqa: S108


class TmpfsStore:
    """The published pickle files in /dev/shm: the rival of shared memory that needs no server."""

    name = "tmpfs"
    step_store = "tmpfs"
    medium = Medium.MEMORY

    def footprint(self, exchange_bytes: int) -> Footprint:
        return Footprint(shared_bytes=pickled_bytes(exchange_bytes))

    def check(self, plan: Plan) -> None:
        """Raises UsageProblem where there is no /dev/shm, DoesNotFit where it is too small."""
        if not DIRECTORY.is_dir():
            raise UsageProblem(f"the store tmpfs needs {DIRECTORY}, which is not there", "Use another store.")
        free = shutil.disk_usage(DIRECTORY).free
        needed = pickled_bytes(plan.exchange_bytes)
        if needed > free:
            raise DoesNotFit(
                f"multiplier {plan.multiplier} through tmpfs needs {text.size(needed)} in {DIRECTORY}, "
                f"which has {text.size(free)} free",
                f"Enlarge it: mount -o remount,size=90% {DIRECTORY} (in a container: --shm-size).",
            )

    def outside(self, run_id: str) -> list[Path]:
        return [DIRECTORY / f"fluidbench-{run_id}"]

    @contextlib.contextmanager
    def provision(self, place: Place, exchange_bytes: int) -> Iterator[Provision]:
        [directory] = self.outside(place.run_id)
        directory.mkdir(mode=0o700)
        try:
            yield Provision(
                {"FLUIDBENCH_TMPFS_DIR": str(directory)},
                held_bytes=lambda: sum(path.stat().st_size for path in directory.iterdir()),
            )
        finally:
            shutil.rmtree(directory)
