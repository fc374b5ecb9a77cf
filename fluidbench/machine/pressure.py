"""What a machine did meanwhile: processor time stolen, waiting for CPU, memory and disk, and throttling."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fluidbench.machine.cgroups import CGROUP_ROOT, groups

PROC = Path("/proc")
RESOURCES = ("cpu", "memory", "io")
# the ninth word of /proc/stat's first line; the two after it are contained in earlier ones
STEAL = 8


@dataclass(frozen=True)
class Counters:
    """Running totals at one time; what this kernel does not tell is missing."""

    at: float
    totals: Mapping[str, float]


def counters(proc: Path = PROC, cgroup_root: Path = CGROUP_ROOT) -> Counters:
    """The totals now."""
    totals = _processor_ticks(proc) | _throttled(proc, cgroup_root)
    for resource in RESOURCES:
        if (stalled := _stalled_s(proc / "pressure" / resource)) is not None:
            totals[f"pressure_{resource}_share"] = stalled
    return Counters(time.monotonic(), totals)


def between(before: Counters, after: Counters) -> dict[str, float]:
    """The readings of a run, as shares of its time; of steal as a share of all processors' time."""
    wall_s = max(after.at - before.at, 1e-9)
    moved = {name: after.totals[name] - total for name, total in before.totals.items() if name in after.totals}
    ticks, stolen = moved.pop("ticks", 0.0), moved.pop("stolen", 0.0)
    counts = {name: value for name, value in moved.items() if not name.endswith("_share")}
    shares = {name: min(1.0, max(0.0, value / wall_s)) for name, value in moved.items() if name not in counts}
    return counts | shares | ({"cpu_steal_share": max(0.0, stolen / ticks)} if ticks > 0 else {})


def _processor_ticks(proc: Path) -> dict[str, float]:
    words = _text(proc / "stat").partition("\n")[0].split()
    if len(words) <= STEAL or words[0] != "cpu":
        return {}
    return {"ticks": float(sum(map(int, words[1 : STEAL + 1]))), "stolen": float(words[STEAL])}


def _stalled_s(path: Path) -> float | None:
    """The seconds in which at least one task stalled (the kernel's Documentation/accounting/psi.rst)."""
    for line in _text(path).splitlines():
        kind, *words = line.split()
        if kind == "some":
            return next((int(word[6:]) / 1e6 for word in words if word.startswith("total=")), None)
    return None


def _throttled(proc: Path, cgroup_root: Path) -> dict[str, float]:
    """How long and how often the CPU limits of the control groups above this process held it, v2 and v1."""
    told = [_facts(group / "cpu.stat") for group in groups("cpu", proc, cgroup_root)]
    limited = [facts for facts in told if "nr_throttled" in facts]
    if not limited:
        return {}
    seconds = [facts.get("throttled_usec", 0) / 1e6 + facts.get("throttled_time", 0) / 1e9 for facts in limited]
    return {"throttled_share": sum(seconds), "throttled_periods": float(sum(f["nr_throttled"] for f in limited))}


def _facts(path: Path) -> dict[str, int]:
    lines = [line.split() for line in _text(path).splitlines()]
    return {words[0]: int(words[1]) for words in lines if len(words) == 2}


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except OSError:
        return ""
