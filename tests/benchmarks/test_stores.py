"""Figures of the stores: what `vineyard-block` costs against a copy of the same bytes, and how exact a bandwidth is."""

import contextlib
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fluidbench.places import steps_dir
from fluidbench.plan import exchange_bytes
from fluidbench.tools import vineyardd
from storage import Bucket, LimitedFile
from tests.benchmarks.conftest import REPEAT, SCALE

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(3600)]
MULTIPLIER = max(1, 200 // SCALE)
Figure = Callable[[str, float, str, str], None]

# the table X_train of a multiplier, in a process of its own, with what the exchange needs imported
TABLE = """
    import sys, time
    import numpy as np, pandas as pd
    import frames, pagecache
    from pathlib import Path
    from stores import open_store
    multiplier, store = int(sys.argv[1]), open_store(sys.argv[2], Path(sys.argv[3]), "bench")

    def table():
        rows = multiplier * 7637
        block = np.random.default_rng(7).integers(0, 1 << 40, (45, rows))
        index = np.random.default_rng(8).permutation(rows)
        return pd.DataFrame(block.T, columns=[f"c{n}" for n in range(45)], index=index, copy=False)

    def clocked(act):
        began = time.perf_counter()
        result = act()
        return result, time.perf_counter() - began

    def private():
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon"))
"""
SAVE = """
    made = table()
    target = made.to_numpy().T.copy()
    copies = [clocked(lambda: np.copyto(target, made.to_numpy().T))[1] for _ in range(3)]
    del target
    before = private()
    print(clocked(lambda: store.save("X_train", made))[1], min(copies), (private() - before) / made.to_numpy().nbytes)
    store.settle()
"""
LOAD = """
    for path in store.files("X_train"):
        pagecache.evict(path)
    before = private()
    loaded, load_s = clocked(lambda: store.load("X_train"))
    touch_s = clocked(lambda: frames.touch(loaded))[1]
    print(load_s, touch_s, (private() - before) / loaded.to_numpy(copy=False).nbytes)
"""


@pytest.fixture
def place() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="fbb-", dir="/tmp"))
    yield made
    shutil.rmtree(made)


def in_a_step(code: str, multiplier: int, store: str, place: Path, environment: dict[str, str]) -> list[float]:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(TABLE + code), str(multiplier), store, str(place)],
        env=os.environ | environment, cwd=steps_dir(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return [float(word) for word in done.stdout.split()]


@contextlib.contextmanager
def served(multiplier: int, place: Path) -> Iterator[dict[str, str]]:
    size = int(1.05 * exchange_bytes(multiplier)) + 64_000_000
    with vineyardd.serving(size, place, place / "vineyardd.log"):
        yield vineyardd.environment(place)


def test_vineyard_block_against_a_copy_of_the_same_bytes_and_against_cold_pickle(figure: Figure, place: Path) -> None:
    ratios, against_pickle, loads, grown = [], [], [], []
    for number in range(REPEAT):
        there = place / str(number)
        there.mkdir()
        with served(MULTIPLIER, there) as environment:
            save_s, copy_s, save_grown = in_a_step(SAVE, MULTIPLIER, "vineyard-block", there, environment)
            load_s, touch_s, load_grown = in_a_step(LOAD, MULTIPLIER, "vineyard-block", there, environment)
        pickled_s = in_a_step(SAVE, MULTIPLIER, "pickle", there, {})[0]
        pickled_s += sum(in_a_step(LOAD, MULTIPLIER, "pickle", there, {})[:2])
        ratios.append((save_s + load_s + touch_s) / copy_s)
        against_pickle.append(pickled_s / (save_s + load_s + touch_s))
        loads.append(load_s)
        grown += [save_grown, load_grown]
        shutil.rmtree(there)
    name = f"vineyard_block_at_{MULTIPLIER}"
    figure(f"{name}_save_load_touch_over_memcpy", statistics.median(ratios), "ratio", "<= 8")
    figure(f"{name}_load", statistics.median(loads), "s", "< 0.010")
    figure(f"{name}_private_memory_over_table", max(grown), "ratio", "< 0.05")
    figure(f"{name}_pickle_cold_over_it", statistics.median(against_pickle), "ratio", ">= 10 where the disk is slow")
    for direction, bytes_per_s in disk(place, MULTIPLIER * 7637 * 45 * 8).items():
        figure(f"disk_{direction}_beside_it", bytes_per_s / 1e6, "MB/s", "a fact")


def disk(place: Path, size: int) -> dict[str, float]:
    """What the disk gives for so many bytes: written and synced, then read cold."""
    import pagecache

    data = os.urandom(1 << 20)
    began = time.monotonic()
    with (place / "data").open("wb", buffering=0) as file:
        for _ in range(size >> 20):
            file.write(data)
        os.fsync(file.fileno())
    written = time.monotonic()
    pagecache.evict(place / "data")
    into, began_to_read = bytearray(1 << 24), time.monotonic()
    with (place / "data").open("rb", buffering=0) as file:
        while file.readinto(into):
            pass
    return {"write": size / (written - began), "read": size / (time.monotonic() - began_to_read)}


@pytest.mark.parametrize("multiplier", [50, 200, 500])
def test_vineyard_block_load_at_any_size(figure: Figure, place: Path, multiplier: int) -> None:
    multiplier = max(1, multiplier // SCALE)
    with served(multiplier, place) as environment:
        in_a_step(SAVE, multiplier, "vineyard-block", place, environment)
        loads = [in_a_step(LOAD, multiplier, "vineyard-block", place, environment)[0] for _ in range(REPEAT)]
    figure(f"vineyard_block_load_at_{multiplier}", statistics.median(loads), "s", "< 0.010")


@pytest.mark.parametrize("megabytes_per_s", [100, 300, 1000])
@pytest.mark.parametrize("mode", ["rb", "wb"])
def test_the_rate_of_an_emulated_storage(figure: Figure, megabytes_per_s: int, mode: str) -> None:
    """In memory: what is measured is the bucket, and not this machine's disk."""
    if not Path("/dev/shm").is_dir():
        pytest.skip("there is no /dev/shm")
    size = int(megabytes_per_s * 1e6)
    data = bytearray(size)
    with tempfile.NamedTemporaryFile(dir="/dev/shm") as place:
        Path(place.name).write_bytes(data)
        found, busy = [], []
        for _ in range(REPEAT):
            file = LimitedFile(Path(place.name), mode, Bucket(megabytes_per_s * 1e6))
            began, worked = time.monotonic(), time.process_time()
            _ = file.readinto(data) if mode == "rb" else file.write(data)
            found.append(size / (time.monotonic() - began))
            busy.append(time.process_time() - worked)
            file.close()
    name = f"emulated_{megabytes_per_s}_MB_per_s_{'read' if mode == 'rb' else 'write'}"
    figure(f"{name}_over_asked", statistics.median(found) / (megabytes_per_s * 1e6), "ratio", "0.97 to 1.03")
    figure(f"{name}_processor", statistics.median(busy), "s of a second", "what the copy itself takes")
