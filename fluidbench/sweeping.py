"""Clearing up after processes that were killed; apart from the runner, because every command does it first."""

from fluidbench.dataset import remove_run
from fluidbench.machine import private
from fluidbench.results import LeftBehind, Results


def sweep(results: Results) -> list[LeftBehind]:
    """Marks runs of killed processes and removes what they left."""
    private.remove_abandoned()
    found = results.sweep()
    for left in found:
        for path in left.paths:
            remove_run(path)
    return found
