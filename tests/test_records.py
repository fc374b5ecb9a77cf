import dataclasses
import json

import msgspec
import pytest

from fluidbench.records import Run, State, Storage, worst_cache
from support.made import IDENTITY, run


def test_a_run_survives_the_way_through_json_unchanged() -> None:
    identity = dataclasses.replace(IDENTITY, storage=Storage(300e6, 0.001), placement="one node")
    record = run("r", identity=vars(identity), experiment_id="e", round=3, position=1, seed=2**31 - 1, warmup=True)
    assert msgspec.json.decode(msgspec.json.encode(record), type=Run) == record


def test_phases_keep_their_order_in_json() -> None:
    shown = json.loads(msgspec.json.encode(run()))
    assert list(shown["steps"][0]["phases"]) == ["startup", "load", "touch", "compute", "save"]


def test_states_are_written_in_the_words_of_argo() -> None:
    assert [str(state) for state in State] == [
        "Pending", "Running", "Succeeded", "Failed", "Error", "Skipped", "Omitted",
    ]  # fmt: skip


def test_floats_keep_every_digit() -> None:
    record = run("r", results={"mse": 46782242342.25459, "x": 0.1 + 0.2})
    assert msgspec.json.decode(msgspec.json.encode(record), type=Run).results == record.results


@pytest.mark.parametrize(
    ("states", "worst"),
    [
        (["cold", "cold"], "cold"),
        (["cold", "memory"], "cold"),
        (["memory"], "memory"),
        (["cold", "warm", "lukewarm"], "warm"),
        (["cold", "client-cold"], "client-cold"),
        (["warm", "unknown"], "unknown"),
        ([], "unknown"),
    ],
)
def test_a_run_is_as_cold_as_its_warmest_file(states: list[str], worst: str) -> None:
    assert worst_cache(states) == worst
