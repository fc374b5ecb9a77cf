"""Who made something, so that the next start can tell what a killed process left behind."""

import os
from dataclasses import dataclass

import psutil


@dataclass(frozen=True)
class Owner:
    """A process, told apart from a later one of the same number by when it started."""

    pid: int
    started_at: float

    def alive(self) -> bool:
        try:
            process = psutil.Process(self.pid)
            # the kernel's clock ticks at 10 ms, and the boot time it is added to may move a little
            same = abs(process.create_time() - self.started_at) < 2.0
            # killed, but nobody has waited for it yet
            return same and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False


def this_process() -> Owner:
    pid = os.getpid()
    return Owner(pid, psutil.Process(pid).create_time())
