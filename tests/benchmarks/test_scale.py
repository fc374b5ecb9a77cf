"""How cost grows with the table, what `lean` saves, and what `prepare` costs beside the published script."""

import math
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fluidbench.machine.sampling import SAMPLE_INTERVAL_S, Peaks
from fluidbench.needs import needs
from fluidbench.places import steps_dir
from fluidbench.plan import PIPELINES, Plan
from support.program import Program

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(7200)]
PHASES = ("load", "touch", "compute", "save")
# columns, then a table of them, then a pickle: the calls of the published prepare-data, for one table
PUBLISHED_SCRIPT = """
import os, sys
import numpy as np, pandas as pd
sys.path.insert(0, sys.argv[1])
from schema import COLUMNS, ROWS_PER_MULTIPLIER, SEED
rng, rows = np.random.default_rng(SEED), ROWS_PER_MULTIPLIER * int(sys.argv[2])
pd.DataFrame({name: rng.integers(low, high, rows) for name, low, high in COLUMNS}).to_pickle(sys.argv[3])
# as prepare-data does
with open(sys.argv[3], "rb") as file:
    os.fsync(file.fileno())
"""


def work_s(run: dict) -> float:
    return sum(step["phases"].get(phase, 0.0) for step in run["steps"] for phase in PHASES)


def peak_bytes(run: dict) -> int:
    return max(step["peak_private_bytes"] for step in run["steps"])


@pytest.mark.parametrize("pipeline", PIPELINES)
@pytest.mark.parametrize("store", ["pickle", "vineyard", "vineyard-block"])
def test_how_cost_grows(runs, figure, scaled, repeat, store: str, pipeline: str) -> None:
    sizes = [scaled(size) for size in (50, 200, 500)]
    made = [runs(size, store, min(repeat, 3), pipeline) for size in sizes]
    name = f"{pipeline}_{store}"
    times = [statistics.median(map(work_s, same)) for same in made]
    exponent = math.log(times[2] / times[1]) / math.log(sizes[2] / sizes[1])
    figure(f"growth_{sizes[1]}_to_{sizes[2]}_{name}", exponent, "exponent", "<= 1.1")
    low, middle, high = (max(map(peak_bytes, same)) for same in made)
    slopes = (middle - low) / (sizes[1] - sizes[0]), (high - middle) / (sizes[2] - sizes[1])
    figure(f"memory_slope_over_slope_{name}", slopes[1] / slopes[0], "ratio", "about 1: linear")


@pytest.mark.long
@pytest.mark.parametrize(
    ("fat", "thin", "goal"), [("pickle", "pickle", 0.45), ("vineyard", "vineyard-block", 0.35)], ids=["files", "shared"]
)
def test_lean_against_published(runs, figure, scaled, repeat, fat: str, thin: str, goal: float) -> None:
    """Alternating, so that a machine that drifts does so under both alike."""
    multiplier = scaled(1000)
    ratios = []
    for _ in range(min(repeat, 3)):
        [published], [lean] = runs(multiplier, fat), runs(multiplier, thin, pipeline="lean")
        assert lean["results"]["digest"] == published["results"]["digest"]
        ratios.append(lean["duration_s"] / published["duration_s"])
    figure(f"lean_{thin}_over_published_{fat}_at_{multiplier}", statistics.median(ratios), "ratio", f"<= {goal}")


@pytest.mark.long
@pytest.mark.parametrize(("store", "goal"), [("pickle", 10e9), ("vineyard-block", 2e9)])
def test_what_lean_takes_at_the_published_size(runs, figure, scaled, store: str, goal: float) -> None:
    multiplier = scaled(2000)
    [run] = runs(multiplier, store, pipeline="lean")
    figure(f"lean_peak_private_{store}_at_{multiplier}", peak_bytes(run), "bytes", f"<= {goal:.0f}")
    estimate = needs(Plan(store, multiplier, pipeline=PIPELINES["lean"])).private_bytes
    figure(f"estimate_over_peak_{store}_at_{multiplier}", estimate / peak_bytes(run), "ratio", "0.85 to 1.15")


def prepared(multiplier: int, place: Path) -> tuple[float, int]:
    environment = {"FLUIDBENCH_DATA_DIR": str(place), "FLUIDBENCH_REPORT": str(place / "report.json")}
    argv = [sys.executable, str(steps_dir() / "prepare_data.py"), f"--data_multiplier={multiplier}"]
    return watched(argv, environment)


def written_whole(multiplier: int, place: Path) -> tuple[float, int]:
    argv = [sys.executable, "-c", PUBLISHED_SCRIPT, str(steps_dir()), str(multiplier), str(place / "whole.pkl")]
    return watched(argv, {})


def watched(argv: list[str], environment: dict[str, str]) -> tuple[float, int]:
    """Seconds to the end of the process, and its peak of private memory."""
    peaks, began = Peaks(), time.monotonic()
    with subprocess.Popen(argv, env=os.environ | environment, stdout=subprocess.DEVNULL) as process:
        while process.poll() is None:
            peaks.sample(process.pid)
            time.sleep(SAMPLE_INTERVAL_S)
    assert process.returncode == 0
    return time.monotonic() - began, peaks.private_bytes


@pytest.mark.parametrize(
    "size", [pytest.param(200, id="small"), pytest.param(2000, id="published size", marks=pytest.mark.long)]
)
def test_prepare_against_the_published_script(bench: Program, figure, scaled, repeat, tmp_path, size: int) -> None:
    multiplier = scaled(size)
    found = []
    for number in range(1 if size == 2000 else min(repeat, 3)):
        place = tmp_path / str(number)
        place.mkdir()
        (ours_s, ours), (theirs_s, theirs) = prepared(multiplier, place), written_whole(multiplier, place)
        found.append((ours_s / theirs_s, ours / theirs))
        for path in place.iterdir():
            path.unlink()
    times, memory = (statistics.median(column) for column in zip(*found, strict=True))
    figure(f"prepare_time_over_published_at_{multiplier}", times, "ratio", "<= 0.333")
    figure(f"prepare_memory_over_published_at_{multiplier}", memory, "ratio", "<= 0.333")
