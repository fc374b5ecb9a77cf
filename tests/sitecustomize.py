"""Python imports this as a program begins that the tests start: an interrupt must not stop what measures its coverage.

At every call that it traces, coverage's tracer takes and frees a lock, in two functions written in Python. A signal
that comes in between is raised as the second of them begins; then the lock is never freed, and the program hangs.
"""

import sys


def free_the_lock_always() -> None:
    """Gives the tracers the lock's own methods, which no signal can interrupt."""
    coverage = sys.modules.get("coverage")
    measuring = coverage.Coverage.current() if coverage else None
    collector = getattr(measuring, "_collector", None)
    lock = getattr(collector, "data_lock", None)
    if collector and lock:
        for holder in (collector, *collector.tracers):
            holder.lock_data, holder.unlock_data = lock.acquire, lock.release


free_the_lock_always()
