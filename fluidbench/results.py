"""The results database: the only writer of records. One SQLite file; raw values are kept, summaries computed."""

import contextlib
import dataclasses
import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from fluidbench.errors import DoesNotFit, FluidbenchError, ResultProblem, WaitTimeout
from fluidbench.machine.owners import Owner
from fluidbench.records import Experiment, Run, State
from fluidbench.schema import MIGRATIONS, SCHEMA_VERSION, Filters

LOCK_TIMEOUT_S = 10.0


@dataclass(frozen=True)
class LeftBehind:
    """A run whose process is gone, the paths that it was using, and the URLs of what it had on other machines."""

    run: Run
    paths: tuple[Path, ...]
    urls: tuple[str, ...] = ()


_ALL = Filters()


class Results:
    """The recorded runs and experiments in the file at `path`, which is made when it is missing."""

    def __init__(self, path: Path, lock_timeout_s: float = LOCK_TIMEOUT_S) -> None:
        self._path = path
        self._lock_timeout_s = lock_timeout_s
        with self._told():
            self._db = sqlite3.connect(path, timeout=lock_timeout_s, isolation_level=None)
        try:
            self._migrate()
        except BaseException:
            self._db.close()
            raise

    def __enter__(self) -> "Results":
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    def begin(self, run: Run, owner: Owner, left_behind: tuple[Path | str, ...]) -> None:
        """Records a run that starts now; should its process die, `sweep` finds it with the paths and URLs."""
        paths = json.dumps([str(path) for path in left_behind])  # a path need not be UTF-8, which msgspec demands
        values = (
            run.run_id, run.started_at, run.experiment_id, run.state, run.identity.target, run.identity.store,
            run.identity.multiplier, owner.pid, owner.started_at, paths, _encode(run),
        )  # fmt: skip
        with self._transaction() as db:
            db.execute(f"INSERT INTO runs VALUES ({','.join('?' * len(values))})", values)  # noqa: S608

    def save(self, run: Run) -> None:
        """Replaces the record of a run."""
        with self._transaction() as db:
            db.execute(
                "UPDATE runs SET state = ?, record = ? WHERE run_id = ?",
                (run.state, _encode(run), run.run_id),
            )

    def sweep(self) -> list[LeftBehind]:
        """Marks the runs whose process is gone as Error, `interrupted`, and tells what they may have left."""
        found = []
        with self._transaction() as db:
            rows = db.execute(
                "SELECT owner_pid, owner_started_at, left_behind, record FROM runs WHERE state = 'Running'"
            ).fetchall()
            for pid, started_at, left_behind, record in rows:
                if Owner(pid, started_at).alive():
                    continue
                run = dataclasses.replace(_decode(record), state=State.ERROR, reason="interrupted")
                db.execute(
                    "UPDATE runs SET state = ?, record = ? WHERE run_id = ?",
                    (run.state, _encode(run), run.run_id),
                )
                places = json.loads(left_behind)
                urls = tuple(place for place in places if "://" in place)  # no Path has two slashes in a row
                found.append(LeftBehind(run, tuple(Path(place) for place in places if place not in urls), urls))
        return found

    def get(self, run_id: str) -> Run:
        """The run with this id, or the only one whose id ends or starts so; raises ResultProblem."""
        # the ids are looked through in their index; only the record of the one that is meant is read
        rows = self._query(
            "SELECT record FROM runs WHERE run_id IN (SELECT run_id FROM runs"
            " WHERE run_id = ?1 OR run_id LIKE ?1 || '%' OR run_id LIKE '%' || ?1 ORDER BY run_id <> ?1 LIMIT 2)",
            run_id,
        )
        exact = [run for run in rows if run.run_id == run_id] or rows
        if len(exact) != 1:
            problem = "is not recorded" if not exact else "names more than one run"
            raise ResultProblem(f"run {run_id!r} {problem}", "See which there are: fluidbench history")
        return exact[0]

    def history(self, limit: int, wanted: Filters = _ALL) -> list[Run]:
        """The last `limit` runs of those that are wanted, the newest first."""
        condition, values = wanted.where()
        return self._query(
            "SELECT record FROM runs WHERE run_id IN (SELECT run_id FROM runs INDEXED BY runs_listed"  # noqa: S608
            f" WHERE {condition} ORDER BY started_at DESC, run_id DESC LIMIT ?) ORDER BY started_at DESC, run_id DESC",
            *values, limit,
        )  # fmt: skip

    def raw_runs(self, wanted: Filters) -> Iterator[str]:
        """The records of runs that are wanted and have ended, as they are stored, in the order in which they began."""
        condition, values = wanted.where()
        yield from self._raw(
            f"SELECT record FROM runs WHERE {condition} AND state <> 'Running' ORDER BY rowid",  # noqa: S608
            values,
        )

    def raw_experiments(self, wanted: Filters) -> Iterator[str]:
        """The records of the experiments that these runs belong to."""
        condition, values = wanted.where()
        yield from self._raw(
            "SELECT record FROM experiments WHERE experiment_id IN"  # noqa: S608
            f" (SELECT experiment_id FROM runs WHERE {condition} AND state <> 'Running')"
            " ORDER BY rowid",
            values,
        )

    def take_in(self, records: Iterable[Run | Experiment]) -> tuple[int, int]:
        """Adds records that were made elsewhere, all or none; returns how many were new and how many known.

        Raises ResultProblem where one has the id of another record.
        """
        added = known = 0
        with self._transaction() as db:
            for record in records:
                table, key, values = _row(record)
                had = db.execute(f"SELECT record FROM {table} WHERE {key} = ?", (values[0],)).fetchone()  # noqa: S608
                if had is None:
                    db.execute(f"INSERT INTO {table} VALUES ({','.join('?' * len(values))})", values)  # noqa: S608
                elif msgspec.json.decode(had[0], type=type(record)) != msgspec.json.decode(
                    values[-1], type=type(record)
                ):
                    raise ResultProblem(
                        f"{values[0]} is recorded here already, with other values", "Nothing was imported."
                    )
                added, known = added + (had is None), known + (had is not None)
        return added, known

    def runs_of(self, multiplier: int) -> list[Run]:
        """All runs of one multiplier in the order in which they began, whatever the clock said."""
        return self._query("SELECT record FROM runs WHERE multiplier = ? ORDER BY rowid", multiplier)

    def runs_of_experiment(self, experiment_id: str) -> list[Run]:
        """All runs of one experiment in the order in which they began."""
        return self._query("SELECT record FROM runs WHERE experiment_id = ? ORDER BY rowid", experiment_id)

    def add_experiment(self, experiment: Experiment) -> None:
        with self._transaction() as db:
            db.execute("INSERT INTO experiments VALUES (?, ?, ?, ?)", _row(experiment)[2])

    def save_experiment(self, experiment: Experiment) -> None:
        """Replaces the record of an experiment."""
        with self._transaction() as db:
            db.execute(
                "UPDATE experiments SET record = ? WHERE experiment_id = ?",
                (_encode(experiment), experiment.experiment_id),
            )

    def experiments_of(self, multiplier: int) -> list[Experiment]:
        """All experiments of one multiplier, the last recorded first."""
        with self._told():
            rows = self._db.execute(
                "SELECT record FROM experiments WHERE multiplier = ? ORDER BY rowid DESC", (multiplier,)
            ).fetchall()
        return [msgspec.json.decode(record, type=Experiment) for (record,) in rows]

    def experiment(self, word: str) -> Experiment:
        """The experiment with this id, or the only one whose id ends or starts so; raises ResultProblem."""
        with self._told():
            rows = self._db.execute(
                "SELECT record FROM experiments WHERE experiment_id LIKE ?1 || '%' OR experiment_id LIKE '%' || ?1"
                " LIMIT 2",
                (word,),
            ).fetchall()
        if len(rows) != 1:
            problem = "is not recorded" if not rows else "names more than one experiment"
            raise ResultProblem(f"experiment {word!r} {problem}", "See which there are: fluidbench history")
        return msgspec.json.decode(rows[0][0], type=Experiment)

    def last_multiplier(self) -> int | None:
        """The multiplier of the run that was started last."""
        last = self.history(1)
        return last[0].identity.multiplier if last else None

    def _raw(self, statement: str, values: Sequence[Any]) -> Iterator[str]:
        with self._told():
            for (record,) in self._db.execute(statement, values):
                yield record

    def _query(self, statement: str, *values: Any) -> list[Run]:
        with self._told():
            return [_decode(record) for (record,) in self._db.execute(statement, values).fetchall()]

    def _migrate(self) -> None:
        with self._told():
            version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if version > SCHEMA_VERSION:
            raise ResultProblem(
                f"{self._path} was written by a newer FluidBench (schema {version}, this one knows {SCHEMA_VERSION})",
                "Upgrade FluidBench, or set XDG_STATE_HOME to keep results apart.",
            )
        if version == SCHEMA_VERSION:
            return
        with self._transaction() as db:
            # another process may have been faster
            had = db.execute("PRAGMA user_version").fetchone()[0]
            for statements in MIGRATIONS[had:]:
                for statement in statements.split(";"):
                    db.execute(statement)
            db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._told():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        """Turns SQLite's errors into ones that say what to do."""
        try:
            yield
        except (sqlite3.Error, msgspec.MsgspecError) as error:
            raise self._explained(error) from error

    def _explained(self, error: Exception) -> FluidbenchError:
        text = str(error)
        if "locked" in text or "busy" in text:
            return WaitTimeout(
                f"the results database {self._path} stayed locked for {self._lock_timeout_s:g} s",
                f"See who holds it: fuser -v {self._path}",
            )
        if "full" in text:
            return DoesNotFit(f"no room for the results database {self._path}", "Free some space on that disk.")
        return ResultProblem(
            f"the results database {self._path} cannot be used: {text}",
            f"Move it away to start a new one: mv {self._path} {self._path}.broken",
        )


def _encode(record: Run | Experiment) -> str:
    return msgspec.json.encode(record).decode()


def _row(record: Run | Experiment) -> tuple[str, str, tuple[Any, ...]]:
    """Table, key and values of a record that no process of this machine is at work on."""
    if isinstance(record, Experiment):
        return "experiments", "experiment_id", (
            record.experiment_id, record.started_at, record.identity.multiplier, _encode(record),
        )  # fmt: skip
    return "runs", "run_id", (
        record.run_id, record.started_at, record.experiment_id, record.state, record.identity.target,
        record.identity.store, record.identity.multiplier, None, None, "[]", _encode(record),
    )  # fmt: skip


def _decode(record: str) -> Run:
    return msgspec.json.decode(record, type=Run)


def to_builtins(record: Any) -> Mapping[str, Any]:
    """A record as the plain values that JSON is made of."""
    plain: Mapping[str, Any] = msgspec.to_builtins(record)
    return plain
