"""Both pipelines, run for real: what they yield, and what is recorded of them."""

import math

import psutil
import pytest

from support.expected import EXPECTED, MSE
from support.program import Program

STORES = ("pickle", "vineyard")
PHASES = {
    "preprocess-data": ["startup", "load", "touch", "compute", "save", "exit"],
    "train-data": ["startup", "load", "touch", "compute", "save", "exit"],
    "test-data": ["startup", "load", "touch", "compute", "exit"],
}


def check_results(results: dict, multiplier: int) -> None:
    expected = EXPECTED[multiplier]
    assert (results["train_rows"], results["test_rows"]) == (expected.train_rows, expected.test_rows)
    assert results["mse"] == pytest.approx(expected.mse, rel=1e-9)
    assert results["intercept"] == pytest.approx(expected.intercept, rel=1e-9)
    assert results["coefficients"]["Id"] == pytest.approx(expected.coefficient_of_id, rel=1e-9)


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize("multiplier", [1, 2, 10])
def test_the_results_are_those_of_the_published_steps(lab, multiplier: int, store: str) -> None:
    run = lab.run(multiplier, store)
    assert run["identity"]["rows"] == EXPECTED[multiplier].rows
    check_results(run["results"], multiplier)


@pytest.mark.parametrize("multiplier", [1, 2, 10])
def test_both_stores_yield_the_same_digest_and_coefficients(lab, multiplier: int) -> None:
    first, second = (lab.run(multiplier, store)["results"] for store in STORES)
    assert first["digest"] == second["digest"]
    digests = [name for name in first if name.startswith("digest_")]
    assert sorted(digests) == ["digest_X_test", "digest_X_train", "digest_y_test", "digest_y_train"]
    assert [first[name] for name in digests] == [second[name] for name in digests]
    assert len(first["coefficients"]) == 45
    for name, value in first["coefficients"].items():
        assert second["coefficients"][name] == pytest.approx(value, rel=1e-9)


@pytest.mark.parametrize("store", STORES)
def test_phases_add_up_to_the_steps_and_with_the_rest_to_the_run(lab, store: str) -> None:
    for multiplier in (1, 2, 10):
        run = lab.run(multiplier, store)
        for step in run["steps"]:
            assert math.isclose(sum(step["phases"].values()), step["duration_s"], abs_tol=1e-9)
            assert list(step["phases"]) == PHASES[step["name"]]
            assert min(step["phases"].values()) >= 0
        steps = sum(step["duration_s"] for step in run["steps"])
        assert math.isclose(steps + run["unaccounted_s"], run["duration_s"], abs_tol=1e-6)


@pytest.mark.parametrize("store", STORES)
def test_a_run_takes_no_less_time_than_its_parts(lab, store: str) -> None:
    run = lab.run(10, store)
    assert run["unaccounted_s"] >= 0
    for part in ("evict_s", "verify_s"):
        assert run[part] > 0
    assert (run["service_start_s"] > 0) == (store == "vineyard")


def test_every_file_that_a_cold_run_read_was_cold(lab) -> None:
    if lab.run(1, "pickle")["cache"] == "memory":
        pytest.skip("the data directory is in memory, where nothing can be evicted")
    for multiplier in (1, 2, 10):
        for run in (lab.run(multiplier, store) for store in STORES):
            inputs = {entry["name"]: entry["cache"] for step in run["steps"] for entry in step["inputs"]}
            tables = {name: state for name, state in inputs.items() if not name.endswith(".pkl")}
            files = {name: state for name, state in inputs.items() if name.endswith(".pkl")}
            assert set(files) == {f"df_{multiplier}.pkl", "model.pkl"}
            assert set(files.values()) == {"cold"} == {run["cache"]}
            assert set(tables) == {"X_train", "X_test", "y_train", "y_test"}
            assert set(tables.values()) == {"cold" if run["identity"]["store"] == "pickle" else "memory"}


def test_the_bytes_that_were_read_are_those_that_were_written(lab) -> None:
    for store in STORES:
        prepared, trained, tested = lab.run(10, store)["steps"]
        model = next(entry["bytes"] for entry in tested["inputs"] if entry["name"] == "model.pkl")
        assert trained["read_bytes"] + tested["read_bytes"] - model == prepared["written_bytes"]
        assert trained["written_bytes"] == model
        assert prepared["read_bytes"] == pytest.approx(36_800_000, rel=0.001)


def test_memory_is_told_apart_into_private_and_shared(lab) -> None:
    files, shared = (lab.run(10, store)["steps"] for store in STORES)
    assert max(step["peak_shared_bytes"] for step in files) < 1_000_000
    assert shared[0]["peak_shared_bytes"] > 30_000_000
    assert all(step["peak_private_bytes"] > 40_000_000 for step in (*files, *shared))


def test_the_transport_says_how_the_tables_went(lab) -> None:
    for store, transport in (("pickle", "file"), ("vineyard", "ipc")):
        assert {step["transport"] for step in lab.run(1, store)["steps"]} == {transport}


def test_the_shared_memory_that_vineyard_held_is_recorded(lab) -> None:
    assert lab.run(10, "pickle")["readings"]["shared_memory_bytes"] == 0
    assert lab.run(10, "vineyard")["readings"]["shared_memory_bytes"] == pytest.approx(36_700_000, rel=0.1)


def large(tmp_path_factory: pytest.TempPathFactory, multiplier: int) -> tuple[dict, dict]:
    needed = 190e6 + 2.35 * 3.68e6 * multiplier + 1.1 * 3.68e6 * multiplier + 5e8
    if psutil.virtual_memory().available < needed:
        pytest.skip(f"multiplier {multiplier} needs {needed / 1e9:.1f} GB of memory")
    program = Program(tmp_path_factory.mktemp(f"large-{multiplier}"))
    runs = []
    for store in STORES:
        ended = program("run", "-m", str(multiplier), "--store", store, "--json", timeout_s=1800)
        assert ended.returncode == 0, ended.stderr
        runs.append(ended.json["runs"][0])
    program("down", "--purge")
    return runs[0], runs[1]


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("multiplier", [100, 200, 500, 2000])
def test_large_multipliers_yield_the_published_results_in_both_stores(tmp_path_factory, multiplier: int) -> None:
    files, shared = large(tmp_path_factory, multiplier)
    assert files["results"]["digest"] == shared["results"]["digest"]
    for run in (files, shared):
        if multiplier in EXPECTED:
            check_results(run["results"], multiplier)
        else:
            assert run["results"]["mse"] == pytest.approx(MSE[multiplier], rel=1e-9)
