"""How long `history` takes with 100,000 recorded runs: one JSON line each, and no assertion on time."""

import json
import os
import resource
import sqlite3
import statistics
import time
from pathlib import Path

import pytest

from fluidbench.records import Run
from fluidbench.results import Results
from support.program import Program
from support.recorded import one

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(3600)]
SCALE = int(os.environ.get("FLUIDBENCH_BENCH_SCALE", "1"))
MANY = 100_000 // SCALE
REPEAT = int(os.environ.get("FLUIDBENCH_BENCH_REPEAT", "5"))
ASKED = {
    "last": (),
    "store": ("--store", "vineyard"),
    "nothing_found": ("--store", "nosuch"),
    "since_until": ("--since", "2026-01-01", "--until", "2026-01-02"),
    "multiplier_and_target": ("--multiplier", "500", "--target", "local", "--limit", "50"),
    "one_run": ("r0000007",),
}


def recorded(path: Path) -> int:
    """A database of so many runs, all alike but for id, time and store; returns its bytes."""
    path.parent.mkdir(parents=True)
    with Results(path):
        pass
    like: dict[str, Run] = {store: one(store, "e", 1, 0) for store in ("pickle", "vineyard")}
    texts = {store: json.dumps(_plain(run)) for store, run in like.items()}

    def rows():
        for number in range(MANY):
            store = "vineyard" if number % 1000 == 0 else "pickle"
            at = f"2026-{1 + number * 11 // MANY:02}-01T{number % 24:02}:00:00.{number % 1000:03}Z"
            text = texts[store].replace(like[store].run_id, f"r{number:07}", 1)
            yield f"r{number:07}", at, "e", "Succeeded", "local", store, 500, None, None, "[]", text

    with sqlite3.connect(path) as db:
        db.executemany("INSERT INTO runs VALUES (?,?,?,?,?,?,?,?,?,?,?)", rows())
    db.close()
    return path.stat().st_size


def _plain(run: Run) -> object:
    import msgspec

    return msgspec.to_builtins(run)


def asked(program: Program, options: tuple[str, ...]) -> tuple[float, float]:
    """Wall and processor seconds of one command; the latter hardly depends on what else the machine does."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.monotonic()
    assert program("history", *options, "--json").returncode == 0
    wall = time.monotonic() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def test_history_of_many_runs(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    program, empty = Program(tmp_path / "many"), Program(tmp_path / "empty")
    empty.home.mkdir()
    size = recorded(program.state / "results.db")
    figures = [("database", size / 1e6, "MB", f"{MANY} runs")]
    for name, options in {**ASKED, "with_an_empty_database": ()}.items():
        of = empty if name == "with_an_empty_database" else program
        walls, processors = zip(*(asked(of, options) for _ in range(REPEAT)), strict=True)
        figures.append((f"history_{name}", statistics.median(walls), "s", "< 0.5"))
        figures.append((f"history_{name}_cpu", statistics.median(processors), "s", ""))
    with capfd.disabled():
        for name, value, unit, goal in figures:
            print(json.dumps({"name": name, "value": round(value, 6), "unit": unit, "goal": goal}), flush=True)
