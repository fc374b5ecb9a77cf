"""One measurement at a time: two at once would measure each other."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from fluidbench.errors import MeasuringElsewhere


@contextlib.contextmanager
def measuring(path: Path, what: str, *, allow_concurrent: bool = False, shared: bool = False) -> Iterator[None]:
    """Holds the machine's measuring lock; the kernel frees it when the process is gone.

    Raises MeasuringElsewhere, with who holds it, unless `allow_concurrent`. Whoever is allowed that holds the lock
    too where it is free: others, who are not, must hear of them. `shared` is for work that does not measure, but
    would disturb a measurement.
    """
    with path.open("a+", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if allow_concurrent:
                yield
                return
            lock.seek(0)
            holder = lock.read().strip() or "another process"
            raise MeasuringElsewhere(
                f"another FluidBench is at work on this machine: {holder}",
                "Wait for it to end, or measure beside it with --allow-concurrent (the numbers of both will suffer).",
            ) from error
        lock.truncate(0)
        lock.write(f"{what} (process {os.getpid()})")
        lock.flush()
        yield
        lock.truncate(0)
