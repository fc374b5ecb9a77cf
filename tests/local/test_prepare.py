"""`fluidbench prepare`: the published table, once, whole or not at all, in bounded memory."""

import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import prepare_data
import schema
from fluidbench.dataset import find
from support.expected import EXPECTED
from support.program import Program, Watch


def published(rows: int) -> pd.DataFrame:
    rng = np.random.default_rng(42)
    return pd.DataFrame({name: rng.integers(low, high, rows) for name, low, high in schema.COLUMNS})


def test_the_file_is_the_published_table(dataset_home: Program) -> None:
    table = pd.read_pickle(dataset_home.data / "df_1.pkl")
    pd.testing.assert_frame_equal(table, published(10_000), check_exact=True)
    assert {str(dtype) for dtype in table.dtypes} == {"int64"}


@pytest.mark.parametrize("multiplier", [1, 2, 10])
def test_the_sum_of_all_cells_is_the_expected_one(tmp_path: Path, multiplier: int) -> None:
    path = tmp_path / f"df_{multiplier}.pkl"
    prepare_data.prepare(path, multiplier)
    table = pd.read_pickle(path)
    assert len(table) == EXPECTED[multiplier].rows
    assert int(table.to_numpy().sum()) == EXPECTED[multiplier].cells


def test_the_table_lies_uncompressed_in_the_file_and_can_be_read_in_blocks(tmp_path: Path) -> None:
    path = tmp_path / "df_1.pkl"
    facts = prepare_data.write(path, 1)
    block = np.memmap(path, np.int64, "r", facts["data_offset"], (46, 10_000))
    assert (published(10_000).to_numpy() == block.T).all()


def test_it_is_made_once(dataset_home: Program) -> None:
    before = (dataset_home.data / "df_1.pkl").stat()
    again = dataset_home("prepare", "--multiplier", "1", "--json")
    after = (dataset_home.data / "df_1.pkl").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
    assert again.json["dataset"]["rows"] == 10_000


def test_nothing_but_the_dataset_is_left(dataset_home: Program) -> None:
    assert sorted(path.name for path in dataset_home.data.iterdir()) == ["df_1.json", "df_1.lock", "df_1.pkl"]


@pytest.mark.parametrize("command", ["prepare", "run"])
def test_a_file_of_the_published_procedure_is_neither_used_nor_overwritten(cli, home: Path, command: str) -> None:
    place = home / "nas"
    place.mkdir()
    path = place / "df_1.pkl"
    published(10_000).to_pickle(path)
    before = (path.read_bytes(), path.stat().st_mtime_ns)
    ended = cli(command, "--multiplier", "1", "--data-dir", str(place))
    assert ended.returncode == 7
    assert f"Error: {path} is there, but not made by FluidBench\n  Name another --data-dir" in ended.stderr
    assert cli("down", "--purge", "--data-dir", str(place)).returncode == 0
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before
    assert list(place.iterdir()) == [path]


def test_a_file_that_a_killed_prepare_left_without_its_sidecar_is_made_anew(cli, home: Path) -> None:
    place = home / "data" / "fluidbench"
    place.mkdir(parents=True)
    (place / "df_1.lock").touch()
    (place / "df_1.pkl").write_bytes(b"half of it")
    assert cli("prepare", "--multiplier", "1").returncode == 0
    assert find(place, 1) is not None
    assert len(pd.read_pickle(place / "df_1.pkl")) == 10_000


@pytest.mark.parametrize("seen", ["partial", "pkl"])
def test_a_killed_prepare_leaves_nothing_that_a_run_takes(program: Program, seen: str) -> None:
    with program.start("prepare", "--multiplier", "20") as process:
        while not list(program.data.glob(f"df_20*.{seen}")) and process.poll() is None:
            time.sleep(0.001)
        process.kill()
    time.sleep(0.5)
    found = find(program.data, 20)
    if found is not None:  # it was quicker than the kill
        assert int(pd.read_pickle(found.path).to_numpy().sum()) > 0
        return
    assert program("prepare", "--multiplier", "20").returncode == 0
    assert find(program.data, 20) is not None
    assert not list(program.data.glob("*.partial"))


def test_two_at_once_make_one(program: Program) -> None:
    both = [program.start("prepare", "--multiplier", "3", "--json") for _ in range(2)]
    printed = [process.communicate(timeout=200) for process in both]
    assert [process.returncode for process in both] == [0, 0], printed
    assert not list(program.data.glob("*.partial"))
    assert len(pd.read_pickle(program.data / "df_3.pkl")) == 30_000
    assert find(program.data, 3) is not None


@pytest.mark.slow
def test_the_peak_of_private_memory_is_at_most_half_the_table(program: Program) -> None:
    assert peak_of_prepare(program, 150) <= 150 * 3_680_000 / 2


def peak_of_prepare(program: Program, multiplier: int) -> int:
    peak = 0
    with program.start("prepare", "--multiplier", str(multiplier)) as process:
        with Watch(process.pid) as watch:
            while process.poll() is None:
                for child in list(watch.children):
                    peak = max(peak, private_bytes(child.pid))
                time.sleep(0.005)
        assert process.returncode == 0
    return peak


def private_bytes(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon")), 0)
