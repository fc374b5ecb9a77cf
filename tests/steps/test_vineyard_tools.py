"""clean-up and round-trip against a real vineyardd."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from fluidbench.places import steps_dir
from fluidbench.tools import vineyardd

pytestmark = pytest.mark.skipif(bool(vineyardd.unsupported()), reason=vineyardd.unsupported() or "supported")
TABLE = pd.DataFrame({"a": range(50_000), "b": range(50_000)})


@pytest.fixture
def server(tmp_path: Path) -> Iterator[vineyardd.Server]:
    with vineyardd.serving(64_000_000, tmp_path, tmp_path / "vineyardd.log") as serving:
        yield serving


def put(server: vineyardd.Server, name: str) -> None:
    import vineyard

    vineyard.Client(socket=str(server.socket)).put(TABLE, name=name, persist=True)


def ran(script: str, tmp_path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """The script as a process, with the server of the test; `RUN_ID` names the run."""
    env = vineyardd.clean_environment() | vineyardd.environment(tmp_path) | {"FLUIDBENCH_DATA_DIR": str(tmp_path)}
    argv = [sys.executable, str(steps_dir() / script)]
    return subprocess.run(argv, env=env | environment, capture_output=True, text=True, timeout=60, check=False)


def said(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_clean_up_leaves_nothing_of_a_run_and_everything_of_others(tmp_path: Path, server: vineyardd.Server) -> None:
    for name in ("X_train-mine", "y_train-mine", "X_train-others"):
        put(server, name)
    for run in ("mine", "others"):
        (tmp_path / "runs" / run).mkdir(parents=True)
        (tmp_path / "runs" / run / "model.pkl").touch()
    held = server.used_bytes()

    answer = said(ran("clean_up.py", tmp_path, FLUIDBENCH_RUN_ID="mine"))["clean_up"]

    assert answer["dropped"] == ["X_train", "y_train"]
    assert answer["removed_files"] is True
    assert answer["names_left"] == 1
    assert list(server.client.list_names("*", limit=99)) == ["X_train-others"]
    assert 0 < server.used_bytes() < held
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["others"]


def test_the_last_clean_up_frees_what_is_found_under_no_name_too(tmp_path: Path, server: vineyardd.Server) -> None:
    put(server, "X_test-mine")
    put(server, "X_test-mine")  # leaks the one before

    answer = said(ran("clean_up.py", tmp_path, FLUIDBENCH_RUN_ID="mine"))["clean_up"]

    assert set(answer["used_bytes"].values()) == {0}
    assert answer["problem"] == ""
    assert server.used_bytes() == 0


def test_clean_up_can_be_repeated(tmp_path: Path, server: vineyardd.Server) -> None:
    said(ran("clean_up.py", tmp_path, FLUIDBENCH_RUN_ID="never-run"))
    answer = said(ran("clean_up.py", tmp_path, FLUIDBENCH_RUN_ID="never-run"))["clean_up"]
    assert (answer["dropped"], answer["removed_files"]) == ([], False)


@pytest.mark.parametrize("run_id", ["..", ".", "", "../others", "/"])
def test_clean_up_removes_no_directory_but_a_runs(tmp_path: Path, run_id: str) -> None:
    (tmp_path / "runs").mkdir()
    done = ran("clean_up.py", tmp_path, FLUIDBENCH_RUN_ID=run_id)
    assert done.returncode == 2
    assert "is no run id" in done.stderr
    assert (tmp_path / "runs").exists()


def test_a_round_trip_tells_that_it_went_through_shared_memory(tmp_path: Path, server: vineyardd.Server) -> None:
    answer = said(ran("round_trip.py", tmp_path))["round_trip"]
    assert answer["transport"] == "ipc"
    assert answer["equal"] is True
    assert answer["limit_bytes"] == 64_000_000
    assert server.used_bytes() == 0


def test_without_an_address_no_server_of_its_own_is_started(tmp_path: Path) -> None:
    env = {name: value for name, value in os.environ.items() if not name.startswith("VINEYARD_")}
    argv = [sys.executable, str(steps_dir() / "round_trip.py")]
    done = subprocess.run(argv, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "neither VINEYARD_CONFIG nor VINEYARD_IPC_SOCKET" in done.stderr
