"""The Vineyard store against a real vineyardd, in this process."""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pytest

import frames
from fluidbench.errors import ExternalFailure
from fluidbench.places import steps_dir
from fluidbench.stores.base import Place
from fluidbench.stores.vineyard_object import VineyardStore
from fluidbench.tools import vineyardd

if reason := vineyardd.unsupported():
    pytest.skip(reason, allow_module_level=True)
SIZE = 64_000_000


@pytest.fixture
def private() -> Iterator[Path]:
    # the path of a socket may not be longer than 107 bytes
    path = Path(tempfile.mkdtemp(prefix="fbt-", dir="/tmp"))
    yield path
    shutil.rmtree(path)


@contextlib.contextmanager
def step_store(server: vineyardd.Server, monkeypatch: pytest.MonkeyPatch):
    from stores import open_store

    monkeypatch.setenv("VINEYARD_IPC_SOCKET", str(server.socket))
    yield open_store("vineyard", Path("/unused"), "run1")


def tables() -> dict[str, pd.DataFrame | pd.Series]:
    chance = np.random.default_rng(3)
    frame = pd.DataFrame(
        {"whole": chance.integers(0, 9, 500), "real": chance.random(500), "small": np.arange(500, dtype=np.int32)},
        index=chance.permutation(500),
    )
    return {"X_train": frame, "y_train": frame["whole"], "X_test": frame.iloc[:7], "y_test": frame["real"].iloc[:7]}


def test_tables_come_back_with_the_same_values_columns_dtypes_and_index(private, monkeypatch) -> None:
    with vineyardd.serving(SIZE, private, private / "log") as server:
        with step_store(server, monkeypatch) as store:
            for name, table in tables().items():
                store.save(name, table)
                back = store.load(name)
                assert type(back) is type(table)
                assert frames.digest(back) == frames.digest(table)
                assert (np.asarray(back) == np.asarray(table)).all()
                assert back.index.equals(table.index)
                assert back.index.dtype == table.index.dtype
                if isinstance(table, pd.DataFrame):
                    assert list(back.columns) == list(table.columns)
                    assert back.dtypes.equals(table.dtypes)
                else:
                    assert (back.name, back.dtype) == (table.name, table.dtype)


def test_memory_is_back_to_what_it_was_when_the_run_is_over(private, monkeypatch) -> None:
    place = Place("run1", private / "run", private, private)
    with VineyardStore().provision(place, 4_000_000) as provision:
        monkeypatch.setenv("VINEYARD_IPC_SOCKET", provision.environment["VINEYARD_IPC_SOCKET"])
        from stores import open_store

        before = provision.held_bytes()
        store = open_store("vineyard", Path("/unused"), "run1")
        for name, table in tables().items():
            store.save(name, table)
        assert provision.held_bytes() > before
    # provision raises where anything is left


def test_memory_that_a_step_leaks_is_noticed(private, monkeypatch) -> None:
    place = Place("run1", private / "run", private, private)

    def leak() -> None:
        with VineyardStore().provision(place, 4_000_000) as provision:
            monkeypatch.setenv("VINEYARD_IPC_SOCKET", provision.environment["VINEYARD_IPC_SOCKET"])
            from stores import open_store

            open_store("vineyard", Path("/unused"), "another-run").save("X_train", tables()["X_train"])

    with pytest.raises(ExternalFailure, match="still holds"):
        leak()


def test_the_server_has_its_memory_reserved_in_a_memfd_when_it_is_ready(private) -> None:
    with vineyardd.serving(SIZE, private, private / "log") as server:
        [process] = [child for child in psutil.Process().children() if "vineyardd" in child.name()]
        maps = Path(f"/proc/{process.pid}/smaps").read_text().split("VmFlags")
        arena = [entry for entry in maps if "memfd:" in entry]
        resident = sum(
            int(line.split()[1]) for entry in arena for line in entry.splitlines() if line.startswith("Rss:")
        )
        assert resident * 1024 >= SIZE
        assert server.start_s > 0
        assert server.used_bytes() == 0


def test_the_socket_lies_where_only_its_owner_may_look_and_is_gone_afterwards(private) -> None:
    assert private.stat().st_mode & 0o777 == 0o700
    with vineyardd.serving(SIZE, private, private / "log") as server:
        assert server.socket.is_socket()
        assert server.socket.parent == private
    assert not any("vineyardd" in child.name() for child in psutil.Process().children())


def test_a_step_without_an_address_fails_and_starts_no_server(tmp_path: Path) -> None:
    code = "import sys; from pathlib import Path; from stores import open_store; open_store('vineyard', Path('.'), 'r')"
    env = {name: value for name, value in os.environ.items() if not name.startswith("VINEYARD")}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False,
        env=env | {"PYTHONPATH": str(steps_dir()), "TMPDIR": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 1
    assert "VINEYARD_CONFIG" in done.stderr
    assert not list(tmp_path.iterdir())


def test_a_server_that_ends_before_it_is_ready_is_told_with_its_log(private) -> None:
    with pytest.raises(ExternalFailure, match="vineyardd ended") as caught:
        with vineyardd.serving(1 << 60, private, private / "log"):
            pass
    assert str(private / "log") in caught.value.hint


def test_the_environment_of_the_user_does_not_reach_a_step(monkeypatch) -> None:
    monkeypatch.setenv("VINEYARD_IPC_SOCKET", "/var/run/somebody-elses.sock")
    monkeypatch.setenv("FLUIDBENCH_STORE", "other")
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setenv("SOMETHING_ELSE", "kept")
    kept = vineyardd.clean_environment()
    assert not {"VINEYARD_IPC_SOCKET", "FLUIDBENCH_STORE", "PYTHONDONTWRITEBYTECODE"} & set(kept)
    assert kept["SOMETHING_ELSE"] == "kept"
