"""The tables and indexes of the results database, and how to ask for some of the runs. Pure."""

from dataclasses import dataclass
from typing import Any

# where a run may have taken place; the targets themselves are slow to import
TARGETS = ("local", "cluster")
# what makes the next schema of each one; a new one goes to the end
MIGRATIONS = (
    """
CREATE TABLE runs (
    run_id TEXT PRIMARY KEY, started_at TEXT NOT NULL, experiment_id TEXT, state TEXT NOT NULL, target TEXT NOT NULL,
    store TEXT NOT NULL, multiplier INTEGER NOT NULL, owner_pid INTEGER, owner_started_at REAL,
    left_behind TEXT NOT NULL DEFAULT '[]', record TEXT NOT NULL);
CREATE INDEX runs_by_start ON runs (started_at);
CREATE INDEX runs_by_experiment ON runs (experiment_id);
CREATE INDEX runs_by_multiplier ON runs (multiplier, started_at);
CREATE INDEX runs_unfinished ON runs (state) WHERE state = 'Running';
CREATE TABLE experiments (
    experiment_id TEXT PRIMARY KEY, started_at TEXT NOT NULL, multiplier INTEGER NOT NULL, record TEXT NOT NULL);
CREATE INDEX experiments_by_multiplier ON experiments (multiplier, started_at);
""",
    # all that history filters by, so that it reads the records of those runs only that it shows
    """
DROP INDEX runs_by_start;
CREATE INDEX runs_listed ON runs (started_at, run_id, target, store, multiplier, experiment_id);
""",
)
SCHEMA_VERSION = len(MIGRATIONS)


@dataclass(frozen=True)
class Filters:
    """Which runs are wanted; None: all. `since` and `until` are times of a start, as they are recorded."""

    target: str | None = None
    store: str | None = None
    multiplier: int | None = None
    since: str | None = None
    until: str | None = None

    def where(self) -> tuple[str, list[Any]]:
        """The condition, and its values."""
        asked = [
            (f"{column} {sign} ?", value)
            for column, sign, value in (
                ("target", "=", self.target), ("store", "=", self.store), ("multiplier", "=", self.multiplier),
                ("started_at", ">=", self.since), ("started_at", "<=", self.until),
            )
            if value is not None
        ]  # fmt: skip
        return " AND ".join(condition for condition, _ in asked) or "1", [value for _, value in asked]
