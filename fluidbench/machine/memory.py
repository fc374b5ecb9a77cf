"""How much memory may be used: the least of what the host has and what this process is allowed."""

from dataclasses import dataclass
from pathlib import Path

import psutil

from fluidbench.machine.cgroups import CGROUP_ROOT, groups

# cgroup v1 writes "no limit" as a number near 2**63
NO_LIMIT = 1 << 60


@dataclass(frozen=True)
class Allowance:
    """Memory that may be used, and what sets the bound: `host` or the control group's path."""

    available_bytes: int
    bound: str


def allowance(proc: Path = Path("/proc"), cgroup_root: Path = CGROUP_ROOT) -> Allowance:
    """The least of the host's available memory and the room in every control group above this process."""
    bounds = [Allowance(int(psutil.virtual_memory().available), "host")]
    above = groups("memory", proc, cgroup_root)
    bounds += [Allowance(room, str(group)) for group in above if (room := _room(group)) is not None]
    return min(bounds, key=lambda bound: bound.available_bytes)


def oom_kills(proc: Path = Path("/proc"), cgroup_root: Path = CGROUP_ROOT) -> int:
    """How often the kernel has killed for want of memory, on the host or in this control group, since boot."""
    count = _counter(proc / "vmstat", "oom_kill")
    for group in groups("memory", proc, cgroup_root):
        count += _counter(group / "memory.events", "oom_kill") + _counter(group / "memory.oom_control", "oom_kill")
    return count


def _room(group: Path) -> int | None:
    for limit_name, usage_name, reclaimable in (
        ("memory.max", "memory.current", "inactive_file"),
        ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
    ):
        limit, usage = _number(group / limit_name), _number(group / usage_name)
        if limit is not None and usage is not None and limit < NO_LIMIT:
            return max(0, limit - usage + _counter(group / "memory.stat", reclaimable))
    return None


def _number(path: Path) -> int | None:
    try:
        text = path.read_text(encoding="ascii").strip()
    except OSError:
        return None
    return int(text) if text.isdigit() else None


def _counter(path: Path, name: str) -> int:
    try:
        lines = path.read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith(f"{name} ")), 0)
