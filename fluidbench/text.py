"""Quantities as people read them."""

from datetime import UTC, datetime

import humanize


def size(count: float) -> str:
    """`count` bytes in decimal units, as disks and the published figures are given: 7.36 GB."""
    return str(humanize.naturalsize(count, format="%.3g"))


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
