"""A storage of a given bandwidth: what is read and written through it is the same, and how fast is asked of a clock."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest

import storage
from fluidbench.places import steps_dir
from storage import Bucket, LimitedFile

# what rounding in the clocks may make of it
CLOCK_S = 1e-6
TABLE = pd.DataFrame(np.random.default_rng(5).integers(0, 9, (30_000, 4)), columns=list("abcd"))


@pytest.fixture
def limited(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(storage.VARIABLE, str(10e9))
    storage.bucket.cache_clear()
    yield
    storage.bucket.cache_clear()


def test_without_a_limit_the_published_calls_get_the_path_itself(tmp_path: Path) -> None:
    storage.bucket.cache_clear()
    for handed in (storage.reading, storage.writing):
        with handed(tmp_path / "file") as file:
            assert file == tmp_path / "file"


@pytest.mark.usefixtures("limited")
def test_the_same_calls_write_the_same_bytes_through_a_limit(tmp_path: Path) -> None:
    TABLE.to_pickle(tmp_path / "plain")
    with storage.writing(tmp_path / "limited") as file:
        TABLE.to_pickle(file)
    assert (tmp_path / "limited").read_bytes() == (tmp_path / "plain").read_bytes()
    with storage.reading(tmp_path / "plain") as file:
        pd.testing.assert_frame_equal(pd.read_pickle(file), TABLE)


@pytest.mark.usefixtures("limited")
def test_a_model_goes_through_a_limit(tmp_path: Path) -> None:
    model = {"coefficients": np.arange(100_000.0), "intercept": 1.5}
    with storage.writing(tmp_path / "model") as file:
        joblib.dump(model, file)
    with storage.reading(tmp_path / "model") as file:
        back = joblib.load(file)
    assert back["intercept"] == 1.5
    assert (back["coefficients"] == model["coefficients"]).all()


@pytest.mark.usefixtures("limited")
@pytest.mark.parametrize("name", ["pickle", "parquet", "arrow"])
def test_stores_go_through_a_limit_and_map_nothing(tmp_path: Path, name: str) -> None:
    from stores import open_store

    store = open_store(name, tmp_path, "run1")
    store.save("X_train", TABLE)
    pd.testing.assert_frame_equal(store.load("X_train"), TABLE)
    assert str(tmp_path) not in Path("/proc/self/maps").read_text()


@pytest.mark.parametrize("mode", ["rb", "wb"])
def test_a_transfer_takes_no_less_time_than_the_bandwidth_allows_and_no_processor(tmp_path: Path, mode: str) -> None:
    size, bytes_per_s = 30_000_000, 50e6
    (tmp_path / "file").write_bytes(bytes(size))
    file = LimitedFile(tmp_path / "file", mode, Bucket(bytes_per_s))
    began, worked = time.monotonic(), time.process_time()
    if mode == "rb":
        assert file.readinto(bytearray(size)) == size
    else:
        assert file.write(bytes(size)) == size
    elapsed, worked = time.monotonic() - began, time.process_time() - worked
    file.close()
    # no sooner: a slow machine may take longer
    assert elapsed >= size / bytes_per_s - CLOCK_S
    assert worked < elapsed


def test_all_files_and_threads_share_one_bucket(tmp_path: Path) -> None:
    size, bytes_per_s = 5_000_000, 50e6
    shared = Bucket(bytes_per_s)
    files = [LimitedFile(tmp_path / str(number), "wb", shared) for number in range(4)]
    threads = [threading.Thread(target=file.write, args=(bytes(size),)) for file in files]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert time.monotonic() - began >= 4 * size / bytes_per_s - CLOCK_S


def test_a_pause_saves_nothing_up(tmp_path: Path) -> None:
    size, bytes_per_s = 5_000_000, 50e6
    file = LimitedFile(tmp_path / "file", "wb", Bucket(bytes_per_s))
    file.write(bytes(size))
    time.sleep(0.3)
    began = time.monotonic()
    file.write(bytes(size))
    assert time.monotonic() - began >= size / bytes_per_s - CLOCK_S


def test_a_limited_file_can_be_sought_in_and_ends_where_the_file_does(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes(range(200)))
    file = LimitedFile(tmp_path / "file", "rb", Bucket(1e9))
    assert file.seek(-10, os.SEEK_END) == 190
    assert file.read() == bytes(range(190, 200))
    assert (file.read(), file.tell()) == (b"", 200)


def test_a_step_is_told_of_the_bandwidth_by_its_environment() -> None:
    code = "import storage; print(storage.bucket()._bytes_per_s)"
    env = os.environ | {"PYTHONPATH": str(steps_dir()), storage.VARIABLE: "300000000"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env)
    assert float(done.stdout) == 300e6
