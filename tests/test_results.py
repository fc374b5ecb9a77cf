import dataclasses
import sqlite3
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from fluidbench import targets
from fluidbench.errors import ResultProblem, WaitTimeout
from fluidbench.machine.owners import Owner, this_process
from fluidbench.records import Experiment, State
from fluidbench.results import Results
from fluidbench.schema import MIGRATIONS, SCHEMA_VERSION, TARGETS, Filters
from support.made import IDENTITY, run, step
from support.program import environment

GONE = Owner(2**22 - 7, 1.0)
# begins and saves so many runs in a database that another process writes at the same time
WRITER = """
import dataclasses, sys
from pathlib import Path
from fluidbench.machine.owners import this_process
from fluidbench.results import Results
from support.made import run, step
for number in range(25):
    with Results(Path(sys.argv[1])) as results:
        record = run(f"{sys.argv[2]}-{number:02}", steps=())
        results.begin(record, this_process(), ())
        results.save(dataclasses.replace(record, steps=(step("one"),)))
        results.save(dataclasses.replace(record, steps=(step("one"), step("two"))))
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "results.db"


def running(run_id: str = "r1"):
    return run(run_id, state=State.RUNNING, steps=())


def test_a_run_comes_back_as_it_was_recorded(path: Path) -> None:
    with Results(path) as results:
        results.begin(run("r1"), this_process(), ())
    with Results(path) as results:
        assert results.get("r1") == run("r1")


def test_every_step_is_kept_as_it_ends(path: Path) -> None:
    with Results(path) as results:
        results.begin(running(), this_process(), ())
        results.save(dataclasses.replace(running(), steps=(step("one"),)))
        with Results(path) as other:
            assert [entry.name for entry in other.get("r1").steps] == ["one"]


def test_a_run_whose_process_is_gone_is_marked_interrupted_and_keeps_its_steps(path: Path) -> None:
    left = (Path("/tmp/somewhere"), Path("/data/exchange/r1"))
    with Results(path) as results:
        results.begin(running(), GONE, left)
        results.save(dataclasses.replace(running(), steps=(step("one"),)))
        found = results.sweep()
        marked = results.get("r1")
        assert results.sweep() == []
    assert [(entry.run.run_id, entry.paths) for entry in found] == [("r1", left)]
    assert (marked.state, marked.reason, len(marked.steps)) == (State.ERROR, "interrupted", 1)


def test_paths_and_urls_of_what_is_left_are_told_apart(path: Path) -> None:
    with Results(path) as results:
        results.begin(running(), GONE, (Path("//data//exchange/r1"), "s3://bucket/prefix/r1"))
        [left] = results.sweep()
    assert (left.paths, left.urls) == ((Path("//data/exchange/r1"),), ("s3://bucket/prefix/r1",))


def test_a_run_of_a_living_process_is_not_swept(path: Path) -> None:
    with Results(path) as results:
        results.begin(running(), this_process(), ())
        assert results.sweep() == []
        assert results.get("r1").state is State.RUNNING


def test_the_number_of_a_dead_process_that_another_has_now_does_not_save_the_run(path: Path) -> None:
    with Results(path) as results:
        results.begin(running(), dataclasses.replace(this_process(), started_at=1.0), ())
        assert len(results.sweep()) == 1


def test_a_database_of_a_newer_version_is_refused_and_left_alone(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    db.close()
    before = path.read_bytes()
    with pytest.raises(ResultProblem, match="newer FluidBench") as caught:
        Results(path)
    assert (caught.value.exit_code, path.read_bytes()) == (7, before)


def test_a_corrupt_database_is_refused_and_left_alone(path: Path) -> None:
    path.write_bytes(b"this is no database" * 100)
    with pytest.raises(ResultProblem, match="cannot be used") as caught:
        Results(path)
    assert "mv " in caught.value.hint
    assert path.read_bytes().startswith(b"this is no database")


def test_a_record_that_cannot_be_read_is_a_result_problem(path: Path) -> None:
    with Results(path) as results:
        results.begin(run("r1"), this_process(), ())
    with sqlite3.connect(path) as db:
        db.execute("UPDATE runs SET record = '{\"run_id\": 3}'")
    db.close()
    with Results(path) as results, pytest.raises(ResultProblem):
        results.get("r1")


def test_a_locked_database_is_waited_for_and_then_named(path: Path) -> None:
    with Results(path):
        pass
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    with pytest.raises(WaitTimeout, match=r"stayed locked for 0\.2 s") as caught:
        Results(path, lock_timeout_s=0.2).begin(run("r1"), this_process(), ())
    holder.close()
    assert (caught.value.exit_code, str(path) in caught.value.hint) == (5, True)


def test_two_processes_that_write_at_once_lose_nothing(path: Path) -> None:
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(path), name], env=environment(path.parent))
        for name in ("a", "b")
    ]
    assert [writer.wait(120) for writer in writers] == [0, 0]
    with Results(path) as results:
        runs = results.history(99)
        assert len(runs) == 50
        assert all([entry.name for entry in record.steps] == ["one", "two"] for record in runs)


def test_a_failed_transaction_leaves_no_half_of_itself(path: Path) -> None:
    with Results(path) as results:
        results.begin(run("r1"), this_process(), ())
        with pytest.raises(ResultProblem):
            results.begin(run("r1"), this_process(), ())
        assert len(results.history(9)) == 1


def test_a_part_of_an_id_is_enough_where_it_is_the_only_one(path: Path) -> None:
    with Results(path) as results:
        for name in ("20260101-000000-aaaaaa", "20260102-000000-bbbbbb"):
            results.begin(run(name), this_process(), ())
        assert results.get("bbbbbb").run_id == results.get("20260102").run_id == "20260102-000000-bbbbbb"
        for unclear in ("2026", "nothing"):
            with pytest.raises(ResultProblem):
                results.get(unclear)


def test_history_is_the_newest_first_and_can_be_narrowed(path: Path) -> None:
    with Results(path) as results:
        assert results.last_multiplier() is None
        for day, store, multiplier in ((1, "pickle", 1), (2, "vineyard", 1), (3, "pickle", 5)):
            record = run(f"r{day}", store, identity={"multiplier": multiplier}, started_at=f"2026-01-0{day}")
            results.begin(record, this_process(), ())
        assert [entry.run_id for entry in results.history(2)] == ["r3", "r2"]
        assert [entry.run_id for entry in results.history(9, Filters(store="pickle", multiplier=1))] == ["r1"]
        assert [entry.run_id for entry in results.runs_of(1)] == ["r1", "r2"]
        assert results.last_multiplier() == 5


def test_experiments_are_kept(path: Path) -> None:
    planned = Experiment("e1", IDENTITY, ("pickle", "vineyard"), 3, 42, "2026-01-01T00:00:00Z")
    with Results(path) as results:
        results.add_experiment(planned)
        assert results.experiments_of(1) == [planned]
        assert results.experiments_of(2) == []


def test_a_database_of_the_first_schema_is_migrated_and_keeps_its_runs(path: Path) -> None:
    with sqlite3.connect(path) as db:
        for statement in MIGRATIONS[0].split(";"):
            db.execute(statement)
        db.execute("PRAGMA user_version = 1")
        plain = msgspec.json.encode(run("r1")).decode()
        row = ("r1", "2026-01-01", None, "Succeeded", "local", "pickle", 1, None, None, "[]", plain)
        db.execute("INSERT INTO runs VALUES (?,?,?,?,?,?,?,?,?,?,?)", row)
    db.close()
    with Results(path) as results:
        assert results.history(9, Filters(store="pickle")) == [run("r1")]
    with sqlite3.connect(path) as db:
        assert db.execute("PRAGMA user_version").fetchone()[0] == SCHEMA_VERSION
    db.close()


def test_a_clock_that_is_set_back_does_not_change_the_order_of_runs(path: Path) -> None:
    runs = [run(f"r{number}", started_at=f"2026-01-0{9 - number}", experiment_id="e") for number in range(9)]
    with Results(path) as results:
        for one in runs:
            results.begin(one, this_process(), ())
            results.save(one)
        assert results.runs_of(1) == runs
        assert results.runs_of_experiment("e") == runs


def test_history_reads_the_records_of_those_runs_only_that_it_lists(path: Path) -> None:
    with Results(path) as results:
        for number in range(9):
            results.begin(run(f"r{number}", started_at=f"2026-01-0{number + 1}"), this_process(), ())
    with sqlite3.connect(path) as db:
        db.execute("UPDATE runs SET record = 'no JSON' WHERE run_id < 'r7'")
        # the condition is answered by the index alone
        plan = db.execute("EXPLAIN QUERY PLAN SELECT run_id FROM runs INDEXED BY runs_listed WHERE store = 'x' AND 1")
        assert "COVERING INDEX runs_listed" in " ".join(str(line) for line in plan)
    db.close()
    with Results(path) as results:
        assert [entry.run_id for entry in results.history(2, Filters(target="local"))] == ["r8", "r7"]


def test_the_targets_that_history_knows_are_those_there_are() -> None:
    assert set(TARGETS) == set(targets.TARGETS)
