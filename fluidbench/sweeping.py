"""Clearing up after processes that were killed; apart from the runner, because every command does it first."""

from fluidbench.machine import private
from fluidbench.results import LeftBehind, Results


def sweep(results: Results) -> list[LeftBehind]:
    """Marks runs of killed processes and removes what they left."""
    private.remove_abandoned()
    found = results.sweep()
    for left in found:
        _remove(left)
    return found


def _remove(left: LeftBehind) -> None:
    from fluidbench.dataset import remove_run  # there is seldom something to remove, and `history` has to be quick

    for path in left.paths:
        remove_run(path)
