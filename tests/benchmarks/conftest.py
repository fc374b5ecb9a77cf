"""What the benchmarks share: a home, how a figure is printed, and how much is run.

FLUIDBENCH_BENCH_SCALE divides the multipliers and FLUIDBENCH_BENCH_REPEAT is how often each is taken, to try them out.
"""

import json
import os
from collections.abc import Callable, Iterator

import pytest

from support.program import Program

SCALE = int(os.environ.get("FLUIDBENCH_BENCH_SCALE", "1"))
REPEAT = int(os.environ.get("FLUIDBENCH_BENCH_REPEAT", "5"))


@pytest.fixture(scope="session")
def scaled() -> Callable[[int], int]:
    """A multiplier as large as is asked for."""
    return lambda multiplier: max(1, multiplier // SCALE)


@pytest.fixture(scope="session")
def repeat() -> int:
    return REPEAT


@pytest.fixture
def figure(capfd: pytest.CaptureFixture[str]) -> Callable[[str, float, str, str], None]:
    def show(name: str, value: float, unit: str, goal: str) -> None:
        with capfd.disabled():
            print(json.dumps({"name": name, "value": round(value, 6), "unit": unit, "goal": goal}), flush=True)

    return show


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    program = Program(tmp_path_factory.mktemp("bench"))
    yield program
    program("down", "--purge")


@pytest.fixture(scope="module")
def runs(bench: Program) -> Callable[..., list[dict]]:
    """Runs of one multiplier through one store, as JSON."""

    def run(multiplier: int, store: str, repeat: int = 1, pipeline: str = "published") -> list[dict]:
        what = ("-m", str(multiplier), "--store", store, "--repeat", str(repeat), "--pipeline", pipeline)
        ended = bench("run", *what, "--json", timeout_s=3000)
        assert ended.returncode == 0, ended.stderr
        return ended.json["runs"]

    return run
