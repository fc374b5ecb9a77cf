"""The figures of `make bench`: one JSON line each, ratios within one run, and no assertion on time."""

import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fluidbench.places import steps_dir
from support.program import Program, Watch

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(3600)]


def load_s(run: dict) -> float:
    """The load phase of train-data alone: X_train and y_train from Vineyard."""
    return next(step["phases"]["load"] for step in run["steps"] if step["name"] == "train-data")


def test_vineyard_load(runs, figure, scaled, repeat) -> None:
    sizes = [scaled(size) for size in (50, 200, 500)]
    small, middle, large = (statistics.median(map(load_s, runs(size, "vineyard", repeat))) for size in sizes)
    figure(f"vineyard_load_at_{sizes[1]}", middle, "s", "< 0.030")
    figure(f"vineyard_load_{sizes[2]}_over_{sizes[0]}", large / small, "ratio", "about 1: does not grow")


@pytest.mark.parametrize("store", ["pickle", "vineyard"])
def test_what_is_added_around_the_steps(runs, figure, scaled, repeat, store: str) -> None:
    found = [run["unaccounted_s"] for run in runs(scaled(50), store, repeat)]
    figure(f"around_the_steps_{store}", statistics.median(found), "s", "< 0.5")


WHOLE = "import pandas, sklearn.linear_model, sklearn.model_selection, sklearn.metrics, vineyard"


def test_startup_against_importing_everything_whole(runs, figure, repeat) -> None:
    """Alternating in one session, so that a machine that drifts does so under both alike."""
    ratios: dict[str, list[float]] = {}
    for _ in range(repeat):
        began = time.monotonic()
        subprocess.run([sys.executable, "-W", "ignore", "-c", WHOLE], check=True, cwd=steps_dir(), capture_output=True)
        whole = time.monotonic() - began
        for store in ("pickle", "vineyard"):
            [run] = runs(1, store)
            for step in run["steps"]:
                ratios.setdefault(f"{store}_{step['name']}", []).append(step["phases"]["startup"] / whole)
    for name, found in ratios.items():
        figure(f"startup_over_whole_imports_{name}", statistics.median(found), "ratio", "<= 0.7")


def test_peak_private_memory_of_prepare_against_the_table(bench: Program, figure, scaled) -> None:
    for multiplier in (scaled(100), scaled(400)):
        peak = 0
        with bench.start("prepare", "-m", str(multiplier), "--data-dir", str(bench.home / "fresh")) as process:
            with Watch(process.pid) as watch:
                while process.poll() is None:
                    peak = max([peak, *(private_bytes(child.pid) for child in list(watch.children))])
                    time.sleep(0.002)
            assert process.returncode == 0
        figure(f"prepare_peak_private_over_table_at_{multiplier}", peak / (multiplier * 3_680_000), "ratio", "<= 0.5")
    bench("down", "--purge", "--data-dir", str(bench.home / "fresh"))


def private_bytes(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon")), 0)


def test_the_help(bench: Program, figure, repeat) -> None:
    found = []
    for _ in range(repeat):
        began = time.monotonic()
        assert bench("--help").returncode == 0
        found.append(time.monotonic() - began)
    figure("help", statistics.median(found), "s", "<= 0.3")
