"""Records go from one database to another whole, or not at all."""

import dataclasses
import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from fluidbench.errors import ResultProblem
from fluidbench.machine.owners import this_process
from fluidbench.records import Run, State
from fluidbench.results import Results
from fluidbench.schema import Filters
from fluidbench.transfer import read, write
from support.made import run
from support.recorded import experiment, planned


def recorded(path: Path, runs: list[Run]) -> Path:
    """A database with these runs and their experiment."""
    with Results(path) as results:
        results.add_experiment(planned(runs))
        for entry in runs:
            results.begin(entry, this_process(), ())
    return path


@pytest.fixture
def ours(tmp_path: Path) -> Path:
    return recorded(tmp_path / "ours.db", experiment(rounds=2))


@pytest.fixture
def exported(ours: Path, tmp_path: Path) -> Path:
    path = tmp_path / "export.jsonl"
    with Results(ours) as results, path.open("wb") as file:
        write(results, Filters(), file)
    return path


def held(path: Path) -> tuple[list[Run], int]:
    with Results(path) as results:
        return results.history(1000), len(results.experiments_of(500))


def test_all_runs_and_experiments_arrive_as_they_were(ours: Path, exported: Path, tmp_path: Path) -> None:
    with Results(tmp_path / "theirs.db") as results:
        found = read(results, exported)
    assert (found.added, found.known) == (7, 0)
    assert held(tmp_path / "theirs.db") == held(ours) == (held(ours)[0], 1)


def test_importing_twice_and_importing_ones_own_changes_nothing(ours: Path, exported: Path, tmp_path: Path) -> None:
    for path in (ours, tmp_path / "theirs.db", tmp_path / "theirs.db"):
        with Results(path) as results:
            found = read(results, exported)
    assert (found.added, found.known) == (0, 7)
    assert held(ours) == held(tmp_path / "theirs.db")


def test_two_machines_lie_side_by_side(exported: Path, tmp_path: Path) -> None:
    theirs = recorded(tmp_path / "theirs.db", experiment(rounds=1, name="20260106-000000-bbbbbb"))
    with Results(theirs) as results:
        read(results, exported)
    runs, experiments = held(theirs)
    assert (len(runs), experiments) == (6 + 4, 2)


def test_an_export_can_be_narrowed_and_takes_only_the_experiments_it_needs(ours: Path, tmp_path: Path) -> None:
    with Results(ours) as results:
        results.begin(run("single", identity={"multiplier": 3}), this_process(), ())
        with (tmp_path / "some.jsonl").open("wb") as file:
            assert dataclasses.astuple(write(results, Filters(multiplier=3), file)) == (1, 0)
        with (tmp_path / "some.jsonl").open("wb") as file:
            assert dataclasses.astuple(write(results, Filters(store="vineyard"), file)) == (3, 1)


def test_a_run_that_is_still_running_stays_at_home(ours: Path, tmp_path: Path) -> None:
    with Results(ours) as results, (tmp_path / "all.jsonl").open("wb") as file:
        results.begin(run("now", state=State.RUNNING), this_process(), ())
        assert write(results, Filters(), file).runs == 6


def lines(text: bytes) -> list[bytes]:
    return text.splitlines(keepends=True)


ALTERATIONS: dict[str, Callable[[bytes], bytes]] = {
    "one digit": lambda text: text.replace(b'"seed":77', b'"seed":78', 1),
    "the last line gone": lambda text: b"".join(lines(text)[:-1]),
    "half of a line gone": lambda text: text[: len(text) // 2],
    "a run gone": lambda text: b"".join(lines(text)[:3] + lines(text)[4:]),
    "two runs swapped": lambda text: b"".join([*lines(text)[:2], lines(text)[3], lines(text)[2], *lines(text)[4:]]),
    "something behind it": lambda text: text + b"{}\n",
    "the last newline gone": lambda text: text[:-1],
    "nothing": lambda _: b"",
    "something else": lambda _: b"PNG\x00\xff no JSON at all\n",
    "other JSON": lambda _: b'{"runs": []}\n',
    "a list": lambda _: b"[]\n",
    "a newer version": lambda text: text.replace(b'"fluidbench_export": 1', b'"fluidbench_export": 2', 1),
}


@pytest.mark.parametrize("alteration", ALTERATIONS, ids=str)
def test_what_was_altered_or_cut_off_is_refused_whole(exported: Path, tmp_path: Path, alteration: str) -> None:
    exported.write_bytes(ALTERATIONS[alteration](exported.read_bytes()))
    with Results(tmp_path / "theirs.db") as results, pytest.raises(ResultProblem) as caught:
        read(results, exported)
    assert (caught.value.exit_code, caught.value.hint != "") == (7, True)
    assert held(tmp_path / "theirs.db") == ([], 0)


def resealed(text: bytes) -> bytes:
    """With a last line that fits again, as somebody who writes such a file by hand would make it."""
    *body, last = lines(text)
    sealed = json.loads(last) | {"sha256": hashlib.sha256(b"".join(body)).hexdigest()}
    return b"".join(body) + json.dumps(sealed).encode() + b"\n"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"state":"Succeeded","reason":"","started_at":"2026', b'"state":"Running","reason":"","started_at":"2026'),
        (b'"run_id":"20260105', b'"run_id":"../../20260105'),
        (b'"duration_s":', b'"duration_s":"long","x":'),
        (b'{"run":{', b'{"run":[{'),
    ],
    ids=["a run that has not ended", "an id that is a path", "a field of another type", "no record"],
)  # fmt: skip
def test_a_whole_file_with_a_record_that_is_none_is_refused_whole(exported, tmp_path, old: bytes, new: bytes) -> None:
    assert old in exported.read_bytes()
    exported.write_bytes(resealed(exported.read_bytes().replace(old, new)))
    with Results(tmp_path / "theirs.db") as results, pytest.raises(ResultProblem):
        read(results, exported)
    assert held(tmp_path / "theirs.db") == ([], 0)


def test_another_run_of_the_same_id_is_refused_and_nothing_is_taken(exported: Path, tmp_path: Path) -> None:
    mine = dataclasses.replace(experiment(rounds=2)[-1], duration_s=1.0)
    with Results(tmp_path / "theirs.db") as results:
        results.begin(mine, this_process(), ())
        with pytest.raises(ResultProblem, match="other values"):
            read(results, exported)
        assert results.history(9) == [mine]


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with Results(tmp_path / "r.db") as results, pytest.raises(ResultProblem, match="cannot be read"):
        read(results, tmp_path / "nothing")
