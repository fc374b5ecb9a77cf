"""Steps, stores, disks and surroundings that misbehave."""

import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.program import C_LOCALE, NO_UTF8, Outcome, Program, Watch, environment, executable, gone_within

ODD = "support.odd_stores"


def failed_run(program: Program, store: str, **env: str) -> tuple[int, dict, dict]:
    """Runs a store that fails: the exit code, the error, and what was recorded; nothing may be left."""
    ended, watch = program.watched("run", "--multiplier", "1", "--store", f"{ODD}:{store}", "--json", **env)
    assert gone_within(watch, 1)
    assert watch.left() == []
    assert list(program.data.glob("exchange*")) == []
    [recorded] = program("history", "--json").json["runs"]
    assert recorded["state"] == "Failed"
    assert ended.json["runs"] == [recorded]
    return ended.returncode, ended.json["error"], recorded


def test_a_step_that_raises_is_told_with_its_log(ready: Program) -> None:
    code, error, run = failed_run(ready, "Raises", PYTHONDONTWRITEBYTECODE="1", PYTHONHASHSEED="1")
    assert (code, error["code"]) == (6, "step_failed")
    assert "preprocess-data failed: ValueError: this store is broken" in error["message"]
    log = Path(error["hint"].removeprefix("The whole log: ")).read_text()
    assert log.count("this store is broken")
    # a user's variables that steer the interpreter, its speed above all, do not reach a step
    assert "told by ['PYTHONPATH', 'PYTHONUNBUFFERED']" in log
    assert list(run["steps"][0]["phases"])[:4] == ["startup", "load", "touch", "compute"]


def test_a_step_that_is_killed_is_not_called_out_of_memory(ready: Program) -> None:
    code, error, _ = failed_run(ready, "Killed")
    assert code == 6
    assert "preprocess-data failed: killed by signal 9" in error["message"]
    assert "out of memory" not in error["message"]


@dataclass(frozen=True)
class Busy:
    """What others were told while a run hung, and how one ended that was allowed to hang beside it for 15 s."""

    pid: int
    run: Outcome
    prepare: Outcome
    allowed: Outcome
    left: list[object]
    recorded: list[dict]


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory, dataset_home: Program) -> Busy:
    program = Program(tmp_path_factory.mktemp("busy"))
    dataset_home.copy_dataset(program.data)
    hangs = ("run", "--multiplier", "1", "--store", f"{ODD}:Hangs")
    process = program.start(*hangs)
    with Watch(process.pid) as watch:
        watch.wait_for("preprocess_data.py")
        run = program("run", "--multiplier", "1", "--json")
        prepare = program("prepare", "--multiplier", "2", "--json")
        allowed, beside = program.watched(*hangs, "--step-timeout", "15", "--allow-concurrent", "--json")
        gone_within(beside, 1)
        left = [*beside.alive(), *beside.left(), *program.data.glob("df_2*")]
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    left += [*watch.alive(), *watch.left(), *program.data.glob("exchange*")]
    recorded = program("history", "--json").json["runs"]
    return Busy(process.pid, run, prepare, allowed, left, recorded)


def test_a_step_that_hangs_is_ended_after_its_time(busy: Busy) -> None:
    error = busy.allowed.json["error"]
    assert (busy.allowed.returncode, error["code"]) == (5, "timeout")
    assert "did not end within 15 s; the last phase that ended: compute" in error["message"]
    assert "--step-timeout" in error["hint"]
    assert busy.left == []
    assert busy.allowed.json["runs"] == busy.recorded[:1]
    assert [step["state"] for step in busy.recorded[0]["steps"]] == ["Failed"]


def test_a_second_measurement_is_refused_unless_it_is_allowed(busy: Busy) -> None:
    assert (busy.run.returncode, busy.run.json["error"]["code"]) == (10, "busy")
    assert f"process {busy.pid}" in busy.run.json["error"]["message"]
    # that two go on beside each other to a good end, the lab has shown
    assert [(run["state"], run["reason"]) for run in busy.recorded[1:]] == [("Error", "interrupted")]
    assert busy.recorded[0]["state"] == "Failed"


def test_a_dataset_is_not_made_beside_a_measurement(busy: Busy) -> None:
    assert (busy.prepare.returncode, busy.prepare.json["error"]["code"]) == (10, "busy")
    assert f"process {busy.pid}" in busy.prepare.json["error"]["message"]


def test_a_disk_that_gets_full_during_the_run_is_told(ready: Program, small_disk) -> None:
    place = small_disk(70_000_000)
    ready.copy_dataset(place)
    ended = ready("run", "--multiplier", "1", "--store", f"{ODD}:Fills", "--data-dir", str(place), "--json")
    assert ended.returncode == 8, ended.stderr
    assert f"{place} is full" in ended.json["error"]["hint"]
    assert list(place.glob("exchange*")) == []


def test_a_store_that_changes_the_data_fails_the_comparison(lab) -> None:
    store = f"{ODD}:Changes"
    assert lab.program("run", "--multiplier", "1", "--store", store).returncode == 0
    ended = lab.program("compare", "--multiplier", "1", "--no-run", "--stores", f"pickle,{store}", "--json")
    assert ended.returncode == 7
    assert ended.json["equivalent"] is False
    assert any(name.startswith("digest_X_train") for name in ended.json["differences"])
    assert ended.json["error"]["code"] == "result"


@pytest.mark.parametrize(
    ("command", "harm"), [("run", "truncated"), ("run", "altered"), ("compare", "altered"), ("prepare", "truncated")]
)
def test_a_harmed_dataset_is_never_used(ready: Program, cli, harm: str, command: str) -> None:
    path = ready.data / "df_1.pkl"
    with path.open("r+b") as file:
        if harm == "truncated":
            file.truncate(1_000_000)
        else:
            file.seek(2_000_000)
            file.write(b"\x7f")
    harmed = path.read_bytes()
    ended = cli(command, "--multiplier", "1")
    assert ended.returncode == 7
    lines = ended.stderr.splitlines()
    [error] = [number for number, line in enumerate(lines) if line.startswith("Error: ")]
    reason = "1000000 bytes, prepared were" if harm == "truncated" else f"the content of {path} is not what was"
    assert reason in lines[error]
    remove = f"rm -f {path} {path.with_suffix('.json')}"
    assert lines[error + 1 :] == [f"  Name another --data-dir, or remove it, and the next run prepares it: {remove}"]
    assert path.read_bytes() == harmed
    assert cli("history", "--json").json["runs"] == []


@pytest.mark.parametrize("settings", [NO_UTF8, {**C_LOCALE, "PYTHONIOENCODING": "ascii"}])
def test_a_home_with_spaces_and_other_letters_works_in_any_locale(lab, settings: dict[str, str]) -> None:
    # that a run does too, the lab has shown
    assert lab.run(10, "vineyard")["state"] == "Succeeded"
    for command in ("doctor", "prepare"):
        ended = lab.program(command, "--multiplier", "2", **settings)
        assert ended.returncode == 0, ended.stderr
    assert "Succeeded" in lab.program("history", **settings).stdout


@pytest.mark.parametrize("argv", [("history", "--json", "--limit", "99"), ("history",), ("--help",)])
def test_a_reader_that_goes_away_is_no_bug(lab, argv: tuple[str, ...]) -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [executable(), *argv], env=environment(lab.program.home), stdout=write, stderr=subprocess.PIPE, text=True,
        check=False,
    )  # fmt: skip
    os.close(write)
    assert done.returncode == 141
    assert done.stderr == ""


def shadow(tmp_path: Path) -> Path:
    """A package vineyard without its vineyardd, before the real one on the path."""
    package = tmp_path / "shadow" / "vineyard"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    return package.parent


def test_without_a_vineyardd_in_the_package_only_vineyard_is_refused(ready: Program, tmp_path: Path) -> None:
    path = {"PYTHONPATH": f"{shadow(tmp_path)}"}
    ended = ready("run", "--multiplier", "1", "--vineyard", "--json", **path)
    assert (ended.returncode, ended.json["error"]["code"]) == (3, "tool_missing")
    assert "has no vineyardd" in ended.json["error"]["message"]
    assert "pip install" in ended.json["error"]["hint"]
    assert ready("doctor", "--multiplier", "1", **path).returncode == 3


def test_a_store_in_the_directory_where_fluidbench_was_started_can_be_named(ready: Program) -> None:
    (ready.home / "my_store.py").write_text(
        "from fluidbench.stores.pickle_file import PickleStore\nclass Mine(PickleStore):\n    name = 'mine'\n"
    )
    ended = ready("doctor", "--multiplier", "1", "--store", "my_store:Mine", PYTHONPATH="")
    assert ended.returncode == 0, ended.stderr


def test_python_m_fluidbench_is_the_same_program(program: Program) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "fluidbench", "--version"],
        env=environment(program.home),
        capture_output=True,
        check=True,
    )
    assert done.stdout.startswith(b"fluidbench ")
