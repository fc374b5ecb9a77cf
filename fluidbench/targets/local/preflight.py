"""What stands against a run, before anything is made: memory, disk, and what the stores need."""

import os
import shutil
from pathlib import Path

from fluidbench import text
from fluidbench.dataset import find
from fluidbench.errors import DoesNotFit, FluidbenchError
from fluidbench.machine.memory import allowance
from fluidbench.needs import largest_multiplier, needs
from fluidbench.plan import Plan
from fluidbench.stores import open_store
from fluidbench.tools import vineyardd

# left to the system and to FluidBench itself
MEMORY_RESERVE_BYTES = 300_000_000


def problems(plan: Plan, data_dir: Path) -> list[FluidbenchError]:
    """All that stands against the plan on this machine."""
    try:
        vineyardd.require_support()
        if check := getattr(open_store(plan.store), "check", None):
            check(plan)
        found = [_memory(plan), _disk(plan, data_dir)]
    except FluidbenchError as error:
        return [error]
    return [problem for problem in found if problem is not None]


def memory_bytes(plan: Plan) -> int:
    """The most memory that the run holds at one time: the largest step, and what the store shares."""
    wanted = needs(plan)
    return wanted.private_bytes + wanted.shared_bytes + MEMORY_RESERVE_BYTES


def largest(plan: Plan, memory: int, disk: int) -> int:
    """The largest multiplier whose run fits into so much memory and disk; 0 where none does."""
    return largest_multiplier(plan, lambda other: memory_bytes(other) <= memory and needs(other).disk_bytes <= disk)


def largest_here(plan: Plan, data_dir: Path) -> int:
    """The largest multiplier that fits on this machine now."""
    return largest(plan, allowance().available_bytes, shutil.disk_usage(data_dir).free)


def _memory(plan: Plan) -> FluidbenchError | None:
    room = allowance()
    needed = memory_bytes(plan)
    if needed <= room.available_bytes:
        return _shared_memory(plan)
    source = "this host has" if room.bound == "host" else f"the control group {room.bound} leaves"
    return DoesNotFit(
        f"multiplier {plan.multiplier} through {plan.store} needs {text.size(needed)} of memory, "
        f"{source} {text.size(room.available_bytes)}",
        _largest(plan, room.available_bytes, 1 << 62),
    )


def _shared_memory(plan: Plan) -> FluidbenchError | None:
    """vineyardd takes a memfd, which the size of /dev/shm does not bound; only without memfd it matters."""
    needed = needs(plan).shared_bytes
    shm = Path("/dev/shm")  # noqa: S108
    if not needed or _memfd_works() or not shm.is_dir():
        return None
    free = shutil.disk_usage(shm).free
    if needed <= free:
        return None
    return DoesNotFit(
        f"multiplier {plan.multiplier} through {plan.store} needs {text.size(needed)} in /dev/shm, "
        f"which has {text.size(free)} free",
        "Enlarge it: mount -o remount,size=90% /dev/shm (in a container: --shm-size).",
    )


def _memfd_works() -> bool:
    try:
        os.close(os.memfd_create("fluidbench-probe"))
    except (OSError, AttributeError):
        return False
    return True


def _disk(plan: Plan, data_dir: Path) -> FluidbenchError | None:
    free = shutil.disk_usage(data_dir).free
    prepared = find(data_dir, plan.multiplier) is not None
    needed = needs(plan).disk_bytes - (plan.dataset_bytes if prepared else 0)
    if needed <= free:
        return None
    return DoesNotFit(
        f"multiplier {plan.multiplier} through {plan.store} needs {text.size(needed)} in {data_dir}, "
        f"which has {text.size(free)} free",
        _largest(plan, 1 << 62, free) + " Or name a larger disk with --data-dir.",
    )


def _largest(plan: Plan, memory: int, disk: int) -> str:
    multiplier = largest(plan, memory, disk)
    if multiplier == 0:
        return "Not even multiplier 1 fits here."
    return f"The largest multiplier that fits is {multiplier}: --multiplier {multiplier}."
