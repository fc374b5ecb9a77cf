"""What the commands need that only read or copy records. It imports little: `history` has to be quick."""

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime

from fluidbench import places
from fluidbench.cli.output import Output
from fluidbench.errors import FluidbenchError, UsageProblem
from fluidbench.moments import moment
from fluidbench.results import LeftBehind, Results
from fluidbench.schema import TARGETS, Filters
from fluidbench.sweeping import sweep


@contextlib.contextmanager
def results(output: Output) -> Iterator[Results]:
    """The results database, after what killed processes left was marked and removed."""
    with Results(places.database()) as database:
        for left in sweep(database):
            output.note(_cleared(left))
        yield database


def _cleared(left: LeftBehind) -> str:
    from fluidbench.targets import open_target

    try:
        open_target(left.run.identity.target).clear(left)
    except FluidbenchError as error:
        where = "on the cluster" if left.run.identity.target == "cluster" else f"at {', '.join(left.urls)}"
        return f"Run {left.run.run_id} had been interrupted; what it left {where} stays: {error.message}"
    return f"Run {left.run.run_id} had been interrupted; what it left was removed."


def filters(
    target: str | None, store: str | None, multiplier: int | None, since: str | None, until: str | None
) -> Filters:
    """Which runs are wanted; raises UsageProblem where a word is none that FluidBench knows."""
    if target is not None and target not in TARGETS:
        raise UsageProblem(f"there is no target {target!r}", f"Known are: {', '.join(TARGETS)}.")
    now = datetime.now(UTC)
    return Filters(
        target,
        store,
        multiplier,
        moment(since, now) if since is not None else None,
        moment(until, now, end=True) if until is not None else None,
    )
