"""Quantities as people read them."""

import re
from datetime import UTC, datetime

import humanize

from fluidbench.errors import UsageProblem

_BANDWIDTH = re.compile(r"(\d+(?:\.\d+)?)\s*([kMGT]?)(i?)(B|bit)(?:/s|ps)", re.ASCII)
_THOUSANDS = {"": 0, "k": 1, "M": 2, "G": 3, "T": 4}


def size(count: float) -> str:
    """`count` bytes in decimal units, as disks and the published figures are given: 7.36 GB."""
    return str(humanize.naturalsize(count, format="%.3g"))


def seconds(value: float) -> str:
    """A duration with a precision that fits its length, and its source: 0.031 s, 12.3 s, 4 min 10 s, 2.5 h; 2 s.

    A whole number was told in whole seconds, as Kubernetes does, and must not look more exact than that.
    """
    if float(value).is_integer() and abs(value) < 120:
        return f"{int(value)} s"
    if value >= 7200:
        return f"{value / 3600:,.1f} h"
    if value >= 120:
        return f"{int(value // 60)} min {int(value % 60)} s"
    return f"{value:.3f} s" if value < 1 else f"{value:.1f} s"


def counted(count: int, noun: str) -> str:
    """1 round, 2 rounds."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def timestamp(at: datetime | None = None) -> str:
    """A time of day in UTC, now by default, to the millisecond; it sorts as times do, and is never for durations."""
    return (at or datetime.now(UTC)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def bandwidth(bytes_per_s: float) -> str:
    """300 MB/s."""
    return f"{size(bytes_per_s)}/s"


def parse_bandwidth(words: str) -> float:
    """300MB/s, 1.2 GB/s, 10Gbit/s or 250MiB/s in bytes a second; raises UsageProblem for anything else."""
    told = _BANDWIDTH.fullmatch(words.strip())
    if not told or float(told[1]) <= 0:
        raise UsageProblem(f"{words!r} is no bandwidth", "Say it with its unit: 300MB/s, 1.2GB/s, 10Gbit/s.")
    unit = float((1024 if told[3] else 1000) ** _THOUSANDS[told[2]])
    return float(told[1]) * unit / (8 if told[4] == "bit" else 1)
