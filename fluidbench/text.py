"""Quantities as people read them."""

import re
from datetime import UTC, datetime

import humanize

from fluidbench.errors import UsageProblem

# decimal, as disks and networks are sold, unless it says otherwise
UNITS = {"": 1, "k": 1e3, "M": 1e6, "G": 1e9, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30}
_BANDWIDTH = re.compile(r"(\d+(?:\.\d+)?)\s*([kMG]i?|Ki|)B?(?:/s)?")


def size(count: float) -> str:
    """`count` bytes in decimal units, as disks and the published figures are given: 7.36 GB."""
    return str(humanize.naturalsize(count, format="%.3g"))


def bandwidth(bytes_per_s: float) -> str:
    """Bytes a second, in decimal units: 300 MB/s."""
    return f"{size(bytes_per_s)}/s"


def bandwidth_of(words: str) -> float:
    """The bytes a second that `300MB/s`, `1.2 GB/s` or `256MiB/s` stand for; raises UsageProblem for anything else."""
    found = _BANDWIDTH.fullmatch(words.strip())
    value = float(found[1]) * UNITS[found[2].replace("ki", "Ki")] if found else 0.0
    if value < 1e6:
        raise UsageProblem(
            f"{words!r} is no bandwidth of a storage", "Say it in bytes a second, 1MB/s or more: 300MB/s"
        )
    return value


def seconds(value: float) -> str:
    """A duration with a precision that fits its length, and its source: 0.031 s, 12.3 s, 4 min 10 s; 2 s.

    A whole number was told in whole seconds, as Kubernetes does, and must not look more exact than that.
    """
    if float(value).is_integer() and abs(value) < 120:
        return f"{int(value)} s"
    if value >= 120:
        return f"{int(value // 60)} min {int(value % 60)} s"
    return f"{value:.3f} s" if value < 1 else f"{value:.1f} s"


def timestamp() -> str:
    """The time of day, UTC, to the millisecond; for people, never for durations."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
