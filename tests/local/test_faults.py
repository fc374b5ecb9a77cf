"""Steps, stores, disks and surroundings that misbehave."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from support.program import Program, Watch, environment, executable, gone_within

ODD = "support.odd_stores"


@pytest.fixture
def ready(program: Program, dataset_home: Program) -> Program:
    """A home of the test's own whose dataset is prepared already."""
    program.data.mkdir(parents=True)
    for name in ("df_1.pkl", "df_1.json"):
        os.link(dataset_home.data / name, program.data / name)
    return program


def failed_run(program: Program, store: str, *more: str) -> tuple[int, dict, dict]:
    """Runs a store that fails: the exit code, the error, and what was recorded; nothing may be left."""
    ended, watch = program.watched("run", "--multiplier", "1", "--store", f"{ODD}:{store}", "--json", *more)
    assert gone_within(watch, 1)
    assert watch.left() == []
    assert list(program.data.glob("runs/*")) == []
    recorded = program("history", "--json").json["runs"][0]
    assert recorded["state"] == "Failed"
    return ended.returncode, ended.json["error"], recorded


def test_a_step_that_raises_is_told_with_its_log(ready: Program) -> None:
    code, error, run = failed_run(ready, "Raises")
    assert (code, error["code"]) == (6, "step_failed")
    assert "preprocess-data failed: ValueError: this store is broken" in error["message"]
    assert Path(error["hint"].removeprefix("The whole log: ")).read_text().count("this store is broken")
    assert list(run["steps"][0]["phases"])[:4] == ["startup", "load", "touch", "compute"]


def test_a_step_that_is_killed_is_not_called_out_of_memory(ready: Program) -> None:
    code, error, _ = failed_run(ready, "Killed")
    assert code == 6
    assert "preprocess-data failed: killed by signal 9" in error["message"]
    assert "out of memory" not in error["message"]


def test_a_step_that_hangs_is_ended_after_its_time(ready: Program) -> None:
    code, error, _ = failed_run(ready, "Hangs", "--step-timeout", "15")
    assert (code, error["code"]) == (5, "timeout")
    assert "did not end within 15 s; the last phase that ended: compute" in error["message"]
    assert "--step-timeout" in error["hint"]


def test_a_disk_that_gets_full_during_the_run_is_told(ready: Program, small_disk) -> None:
    place = small_disk(70_000_000)
    for name in ("df_1.pkl", "df_1.json"):
        shutil.copy2(ready.data / name, place / name)
    ended = ready("run", "--multiplier", "1", "--store", f"{ODD}:Fills", "--data-dir", str(place), "--json")
    assert ended.returncode == 8, ended.stderr
    assert f"{place} is full" in ended.json["error"]["hint"]
    assert list(place.glob("runs/*")) == []


def test_a_store_that_changes_the_data_fails_the_comparison(lab) -> None:
    store = f"{ODD}:Changes"
    assert lab.program("run", "--multiplier", "1", "--store", store).returncode == 0
    ended = lab.program("compare", "--multiplier", "1", "--no-run", "--stores", f"pickle,{store}", "--json")
    assert ended.returncode == 7
    assert ended.json["equivalent"] is False
    assert any(name.startswith("digest_X_train") for name in ended.json["differences"])
    assert ended.json["error"]["code"] == "result"


@pytest.mark.parametrize("harm", ["truncated", "altered"])
@pytest.mark.parametrize("command", ["run", "compare", "prepare"])
def test_a_harmed_dataset_is_never_used(program: Program, dataset_home: Program, cli, harm: str, command: str) -> None:
    program.data.mkdir(parents=True)
    for name in ("df_1.pkl", "df_1.json"):
        shutil.copy(dataset_home.data / name, program.data / name)
    with (program.data / "df_1.pkl").open("r+b") as file:
        if harm == "truncated":
            file.truncate(1_000_000)
        else:
            file.seek(2_000_000)
            file.write(b"\x7f")
    ended = cli(command, "--multiplier", "1")
    assert ended.returncode == 7
    assert "Remove it, and the next run prepares it again: rm " in ended.stderr


def test_a_second_measurement_is_refused_unless_it_is_allowed(ready: Program) -> None:
    process = ready.start("run", "--multiplier", "1", "--store", f"{ODD}:Hangs")
    with Watch(process.pid) as watch:
        watch.wait_for("preprocess_data.py")
        refused = ready("run", "--multiplier", "1", "--json")
        beside = ready("run", "--multiplier", "1", "--allow-concurrent")
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    assert (refused.returncode, refused.json["error"]["code"]) == (10, "busy")
    assert f"process {process.pid}" in refused.json["error"]["message"]
    assert beside.returncode == 0, beside.stderr
    states = [run["state"] for run in ready("history", "--json").json["runs"]]
    assert states == ["Succeeded", "Error"]


NO_UTF8 = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


@pytest.mark.parametrize("settings", [{"LC_ALL": "C", "PYTHONIOENCODING": "ascii"}, NO_UTF8])
def test_a_data_directory_with_spaces_and_other_letters_works_in_any_locale(
    ready: Program, dataset_home: Program, settings: dict[str, str]
) -> None:
    place = ready.home / "mein Verzeichnis 中文"
    place.mkdir()
    for name in ("df_1.pkl", "df_1.json"):
        os.link(dataset_home.data / name, place / name)
    ended = ready("run", "--multiplier", "1", "--vineyard", "--data-dir", str(place), **settings)
    assert ended.returncode == 0, ended.stderr
    assert "Succeeded" in ended.stdout


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
