"""What a user may expect of every target: the same commands, results, records and exit codes, and nothing left."""

import dataclasses
import math
import signal
from pathlib import Path
from typing import Any

import pytest

from fluidbench import comparison, records
from support.bucket import SECRET
from support.expected import EXPECTED
from tests.conformance.conftest import ONE_MACHINE, OTHERS, STORES, Compared

both_stores = pytest.mark.parametrize("store", STORES)
every_store = pytest.mark.parametrize("store", STORES + OTHERS)
TRANSPORTS = {"vineyard": "ipc", "vineyard-block": "ipc", "s3": "s3"}
# where the tables lie that a step is going to read
CACHES = {"vineyard": "memory", "vineyard-block": "memory", "tmpfs": "memory", "s3": "client-cold"}
OWN_PHASES = ["startup", "load", "touch", "compute", "save"]
STEPS = ["preprocess-data", "train-data", "test-data"]


def names(record: type) -> set[str]:
    return {field.name for field in dataclasses.fields(record)}


def test_prepare_tells_the_facts_of_the_dataset(target: Compared) -> None:
    dataset = target.prepared.json["dataset"]
    assert (dataset["multiplier"], dataset["rows"]) == (1, EXPECTED[1].rows)
    assert dataset["file_bytes"] == (target.bench.data / "df_1.pkl").stat().st_size
    assert {run["identity"]["dataset_digest"] for run in target.runs} == {dataset["digest"]}


@every_store
def test_the_results_are_those_of_the_published_steps(target: Compared, store: str) -> None:
    expected = EXPECTED[1]
    for run in target.of(store):
        results = run["results"]
        assert (results["train_rows"], results["test_rows"]) == (expected.train_rows, expected.test_rows)
        assert results["mse"] == pytest.approx(expected.mse, rel=1e-9)
        assert results["intercept"] == pytest.approx(expected.intercept, rel=1e-9)
        assert results["coefficients"]["Id"] == pytest.approx(expected.coefficient_of_id, rel=1e-9)


@every_store
def test_every_run_of_every_store_yields_the_same_digests(target: Compared, store: str) -> None:
    digests = {name for name in target.runs[0]["results"] if name.startswith("digest")}
    assert digests == {"digest", *(f"digest_{table}" for table in ("X_train", "X_test", "y_train", "y_test"))}
    for name in digests:
        assert {run["results"][name] for run in target.of(store)} == {target.runs[0]["results"][name]}


@every_store
def test_phases_add_up_to_the_steps_and_with_the_rest_to_the_run(target: Compared, store: str) -> None:
    for run in target.of(store):
        for step in run["steps"]:
            assert math.isclose(sum(step["phases"].values()), step["duration_s"], abs_tol=1e-9)
            assert min(step["phases"].values()) >= 0
            own = [phase for phase in step["phases"] if phase in OWN_PHASES]
            assert own == OWN_PHASES[: len(own)]
            assert list(step["phases"])[-1] == "exit"
        steps_s = sum(step["duration_s"] for step in run["steps"])
        assert math.isclose(steps_s + run["unaccounted_s"], run["duration_s"], abs_tol=1e-6)


@every_store
def test_a_run_and_its_steps_are_in_argos_words(target: Compared, store: str) -> None:
    for run in target.of(store):
        assert (run["state"], run["reason"]) == ("Succeeded", "")
        assert [(step["name"], step["state"]) for step in run["steps"]] == [(name, "Succeeded") for name in STEPS]
        assert run["identity"]["target"] == target.bench.target


@every_store
def test_the_transport_and_the_bytes_are_recorded(target: Compared, store: str) -> None:
    for run in target.of(store):
        prepared, trained, tested = run["steps"]
        assert {step["transport"] for step in run["steps"]} == {TRANSPORTS.get(store, "file")}
        model = next(entry["bytes"] for entry in tested["inputs"] if entry["name"] == "model.pkl")
        assert trained["read_bytes"] + tested["read_bytes"] - model == prepared["written_bytes"]
        assert (run["readings"]["shared_memory_bytes"] > 0) == (CACHES.get(store) == "memory")
        assert all(step["warnings"] == [] for step in run["steps"])
        assert all(step["peak_private_bytes"] > 40_000_000 for step in run["steps"])


@every_store
def test_where_the_tables_were_when_a_step_began_to_read_is_recorded(target: Compared, store: str) -> None:
    cold = "cold" if target.of("pickle")[0]["cache"] != "memory" else "memory"
    for run in target.of(store):
        states = {entry["name"]: entry["cache"] for step in run["steps"] for entry in step["inputs"]}
        tables = {states[name] for name in ("X_train", "X_test", "y_train", "y_test")}
        assert tables == {CACHES.get(store, cold)}
        assert (states["df_1.pkl"], states["model.pkl"]) == (cold, cold)


def test_runs_through_a_bucket_leave_no_object_there_and_nobody_hears_of_the_keys(target: Compared) -> None:
    [run] = target.of("s3")
    assert target.bucket.objects() == []
    told = "".join(target.others["s3"].stdout + target.others["s3"].stderr)
    state = target.bench.program.state
    for path in [*(state / "runs" / run["run_id"]).iterdir(), *state.glob("*.db*"), *state.glob("*.sqlite*")]:
        told += path.read_text(errors="replace")
    assert run["run_id"] in told
    assert SECRET not in told


def test_a_store_for_one_machine_is_refused_elsewhere(target: Compared) -> None:
    for store in ONE_MACHINE:
        ended = target.others[store]
        if target.bench.target == "local":
            assert ended.returncode == 0, ended.stderr
        else:
            assert (ended.returncode, ended.json["error"]["code"]) == (2, "usage")
            assert "is for one machine" in ended.json["error"]["message"]


def test_a_run_on_an_emulated_storage_takes_its_time_and_is_never_compared_with_another(target: Compared) -> None:
    limit = ("--storage-bandwidth", "20MB/s")
    ended = target.bench("run", "-m", "1", "--threads", "1", *limit, "--json")
    assert ended.returncode == 0, ended.stderr
    [run] = ended.json["runs"]
    assert run["identity"]["storage"] == {"bandwidth_bytes_per_s": 20e6, "latency_s": 0.0}
    assert run["results"]["digest"] == target.runs[0]["results"]["digest"]
    assert all(step["warnings"] == [] for step in run["steps"])
    first = run["steps"][0]
    for phase, size in (("load", first["read_bytes"]), ("save", first["written_bytes"])):
        assert first["phases"][phase] >= size / 20e6 - 0.02
    shown = target.bench("compare", "-m", "1", "--no-run", "--threads", "1", *limit, "--json")
    assert shown.json["rounds"] == 0
    assert "another storage" in shown.json["not_comparable"]
    assert "emulated at 20 MB/s" in target.bench("history", "-n", "1", COLUMNS="200").stdout


def test_the_records_have_the_same_shape_everywhere(target: Compared) -> None:
    told: dict[str, Any] = target.compared.json
    assert names(comparison.Comparison) <= set(told)
    for run in target.runs:
        assert set(run) == names(records.Run)
        assert set(run["identity"]) == names(records.Identity)
        for step in run["steps"]:
            assert set(step) == names(records.Step)
    assert target.prepared.json["format_version"] == told["format_version"] == 1


def test_a_comparison_pairs_the_runs_of_whole_rounds_after_one_warm_up_of_each_store(target: Compared) -> None:
    told = target.compared.json
    assert (told["rounds"], told["equivalent"], told["differences"]) == (2, True, [])
    rounds = {(run["round"], run["identity"]["store"]) for run in target.runs if not run["warmup"]}
    assert rounds == {(number, store) for number in (1, 2) for store in STORES}
    assert {store: len(target.of(store, warmup=True)) for store in STORES} == dict.fromkeys(STORES, 1)
    assert len({run["experiment_id"] for run in target.runs}) == 1
    for store, arm in zip(STORES, told["arms"], strict=True):
        assert sorted(arm["runs"]) == sorted(run["run_id"] for run in target.of(store))


def test_within_a_round_all_steps_of_both_stores_are_on_one_node(target: Compared) -> None:
    for number in (1, 2):
        nodes = {step["node"] for run in target.runs if run["round"] == number for step in run["steps"]}
        assert len(nodes) == 1
    assert target.compared.json["confounded"] == []


def test_a_comparison_that_is_recorded_is_not_run_again(target: Compared) -> None:
    again = target.bench("compare", "-m", "1", "--rounds", "2", "--threads", "1", "--json")
    assert again.json["rounds"] == 2
    assert len(target.bench.recorded()) >= len(target.runs)
    assert [arm["runs"] for arm in again.json["arms"]] == [arm["runs"] for arm in target.compared.json["arms"]]


def test_nothing_is_left_of_all_these_runs_but_the_dataset(target: Compared) -> None:
    assert target.left == []
    assert {path.name for path in target.bench.data.iterdir()} - {"exchange"} == {"df_1.json", "df_1.lock", "df_1.pkl"}


def test_logs_are_kept_for_each_run(target: Compared) -> None:
    for run in target.runs:
        kept = {path.name for path in (target.bench.program.state / "runs" / run["run_id"]).iterdir()}
        assert {f"{step}.log" for step in STEPS} <= kept


@both_stores
def test_a_failing_step_ends_the_run_with_6_and_leaves_nothing(target: Compared, store: str) -> None:
    # a directory is in the way of the model
    ended = target.bench.during(
        lambda run_dir, _: (run_dir / "model.pkl").mkdir(),
        "run", "-m", "1", "--store", store, "--threads", "1", "--json",
    )  # fmt: skip
    assert ended.returncode == 6, ended.stderr
    error = ended.json["error"]
    assert error["code"] == "step_failed"
    assert "train-data failed: IsADirectoryError" in error["message"]
    run = target.bench.recorded()[0]
    assert run["state"] == "Failed"
    assert [(step["name"], step["state"]) for step in run["steps"]][:2] == [
        ("preprocess-data", "Succeeded"), ("train-data", "Failed")
    ]  # fmt: skip
    assert {step["state"] for step in run["steps"][2:]} <= {"Omitted"}
    assert target.bench.left() == []


@both_stores
def test_ctrl_c_ends_the_run_with_130_and_leaves_nothing(target: Compared, store: str) -> None:
    def interrupt(_: Path, process: Any) -> None:
        process.send_signal(signal.SIGINT)

    ended = target.bench.during(interrupt, "run", "-m", "1", "--store", store, "--threads", "1", "--json")
    assert ended.returncode == 130, ended.stderr
    assert "Traceback" not in ended.stderr
    assert ended.json["error"]["code"] == "interrupted"
    run = target.bench.recorded()[0]
    assert (run["state"], run["reason"], run["identity"]["store"]) == ("Error", "interrupted", store)
    assert target.bench.left() == []


def test_what_cannot_fit_is_refused_with_8_before_anything_is_made(target: Compared) -> None:
    before = len(target.bench.recorded())
    for command in (("run", "--vineyard"), ("compare", "--yes")):
        ended = target.bench(*command, "-m", "1000000", "--json")
        assert (ended.returncode, ended.json["error"]["code"]) == (8, "does_not_fit"), ended.stderr
        assert "multiplier" in ended.json["error"]["message"] + ended.json["error"]["hint"]
    assert len(target.bench.recorded()) == before
    assert target.bench.left() == []


def test_an_unknown_store_is_a_usage_problem(target: Compared) -> None:
    ended = target.bench("run", "-m", "1", "--store", "nothing", "--json")
    assert (ended.returncode, ended.json["error"]["code"]) == (2, "usage")


def test_lean_yields_the_published_tables_and_results_on_every_target(target: Compared) -> None:
    ended = target.bench(
        "run", "-m", "1", "--store", "vineyard-block", "--pipeline", "lean", "--threads", "1", "--json"
    )
    assert ended.returncode == 0, ended.stderr
    [run], published = ended.json["runs"], target.of("vineyard-block")[0]
    assert run["identity"] == published["identity"] | {"pipeline": "lean"}
    assert run["results"]["digest"] == published["results"]["digest"]
    for name, value in published["results"]["coefficients"].items():
        assert run["results"]["coefficients"][name] == pytest.approx(value, rel=1e-9)
    assert target.bench.left() == []
