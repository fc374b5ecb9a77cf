"""The pipeline `lean`, run for real through every store: the published results, and what it says of itself."""

import pytest
from local.test_pipeline import check_results

from fluidbench.stores import STORES
from support.expected import EXPECTED, MSE
from support.program import Program

# it needs a server of its own, which its own tests start
ALL_STORES = sorted(set(STORES) - {"s3"})
PHASES = {
    "preprocess-data": ["startup", "load", "compute", "save", "exit"],
    "train-data": ["startup", "load", "touch", "compute", "save", "exit"],
    "test-data": ["startup", "load", "touch", "compute", "exit"],
}


def lean(program: Program, multiplier: int, store: str) -> dict:
    run = ("run", "-m", str(multiplier), "--store", store, "--pipeline", "lean", "--allow-concurrent", "--json")
    ended = program(*run, timeout_s=1800)
    assert ended.returncode == 0, ended.stderr
    return ended.json["runs"][0]


@pytest.mark.parametrize("store", ALL_STORES)
def test_split_index_and_coefficients_are_those_of_the_published_pipeline(lab, ready: Program, store: str) -> None:
    published, run = lab.run(1, "pickle"), lean(ready, 1, store)
    assert run["identity"] == published["identity"] | {"pipeline": "lean", "store": store}
    check_results(run["results"], 1)
    # values, column names, dtypes, and the index, in the order of the rows
    for name in ("X_train", "X_test", "y_train", "y_test"):
        assert run["results"][f"digest_{name}"] == published["results"][f"digest_{name}"]
    for name, value in published["results"]["coefficients"].items():
        assert run["results"]["coefficients"][name] == pytest.approx(value, rel=1e-9)
    assert run["results"]["mse"] == pytest.approx(published["results"]["mse"], rel=1e-9)
    assert {step["name"]: list(step["phases"]) for step in run["steps"]} == PHASES
    assert sum(step["duration_s"] for step in run["steps"]) + run["unaccounted_s"] == pytest.approx(run["duration_s"])


def test_runs_of_different_pipelines_are_never_compared(ready: Program) -> None:
    compare = ("compare", "-m", "1", "--rounds", "1", "--pipeline", "lean")
    assert (ended := ready(*compare)).returncode == 0, ended.stderr
    assert "pipeline lean" in ended.stdout
    shown = ready("compare", "-m", "1", "--no-run", "--pipeline", "lean", "--json").json
    assert shown["identity"]["pipeline"] == "lean"
    assert len(shown["arms"][0]["runs"]) == 1
    other = ready("compare", "-m", "1", "--no-run", "--json").json
    assert [arm["runs"] for arm in other["arms"]] in ([], [[], []])


def test_phases_that_take_turns_are_told_once(ready: Program) -> None:
    run = ready("run", "-m", "1", "--pipeline", "lean")
    assert run.returncode == 0
    assert "pipeline lean" in run.stdout
    log = next((ready.state / "runs").glob("*/preprocess-data.log")).read_text()
    told = [line.split()[1] for line in log.splitlines() if line.startswith("phase ")]
    assert told == ["startup", "load", "compute", "save", "load", "compute", "save"]


def test_a_pipeline_that_is_not_there_is_refused(cli) -> None:
    for command in ("run", "compare", "doctor", "render"):
        ended = cli(command, "--pipeline", "fat")
        assert ended.returncode == 2
        assert "there is no pipeline 'fat'" in ended.stderr


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("store", sorted({"pickle", "vineyard-block"} & set(STORES)))
@pytest.mark.parametrize("multiplier", [100, 500, 2000])
def test_large_multipliers_yield_the_published_results_in_bounded_memory(tmp_path_factory, multiplier, store) -> None:
    program = Program(tmp_path_factory.mktemp(f"lean-{multiplier}"))
    if (told := program("doctor", "-m", str(multiplier), "--store", store, "--pipeline", "lean")).returncode == 8:
        pytest.skip(told.stderr)
    run = lean(program, multiplier, store)
    program("down", "--purge")
    if multiplier in EXPECTED:
        check_results(run["results"], multiplier)
    else:
        assert run["results"]["mse"] == pytest.approx(MSE[multiplier], rel=1e-9)
    limit = {"pickle": 10e9, "vineyard-block": 2e9}[store]
    assert max(step["peak_private_bytes"] for step in run["steps"]) <= limit
