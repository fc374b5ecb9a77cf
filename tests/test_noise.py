"""What is told beside the times."""

import dataclasses
import random

import pytest

from fluidbench.noise import drift, outlying, told
from fluidbench.rounds import whole_rounds
from support.made import rounds

STORES = ("pickle", "vineyard")
CALM = [(10.0, 8.0), (10.1, 8.1), (10.05, 8.02), (9.95, 7.98), (10.02, 8.05), (10.08, 8.0)]


def lines(pairs: list[tuple[float, float]], **readings: dict[int, float]) -> list[str]:
    """What is told of these rounds; `readings` gives a reading of vineyard by round, 0 in all others."""
    made = [
        dataclasses.replace(run, readings={
            name: by_round.get(run.round or 0, 0.0) if run.identity.store == "vineyard" else 0.0
            for name, by_round in readings.items()
        })
        for run in rounds(*pairs)
    ]  # fmt: skip
    return told(whole_rounds(made, STORES), STORES)


def test_calm_rounds_have_nothing_to_tell() -> None:
    assert lines(CALM) == []
    assert lines(CALM, cpu_steal_share={}, pressure_io_share={}, throttled_share={}) == []


def test_no_rounds_have_nothing_to_tell() -> None:
    assert lines([]) == []


def test_a_run_far_from_the_usual_is_an_outlier_and_counts() -> None:
    [line] = lines([*CALM[:3], (10.0, 31.2), *CALM[3:]])
    assert line == "outlier: vineyard took 31.2 s in round 4, usually 8.0 s. It counts."


def test_fewer_than_five_runs_have_no_outliers_and_equal_ones_neither() -> None:
    assert outlying([1.0, 1.0, 9.0]) == []
    assert outlying([1.0] * 8) == []
    assert outlying([1.0, 1.0, 1.0, 1.0, 1.0, 1.01]) == []
    assert outlying([1.0, 1.0, 1.0, 1.0, 1.0, 1.5]) == [5]


def test_a_machine_that_gets_slower_is_told_with_how_much() -> None:
    slower = [(10 + number, 8 + 0.8 * number) for number in range(6)]
    [line] = lines(slower)
    assert "the machine got slower, all stores together took 27% longer in the second half" in line
    assert "faster" in lines(slower[::-1])[0]


def test_halves_that_overlap_or_differ_little_are_no_drift() -> None:
    assert drift([1.0, 1.5, 1.1, 1.2, 1.6, 1.7]) is None
    assert drift([1.0, 1.001, 1.002, 1.003, 1.004, 1.005]) is None
    assert drift([1.0, 2.0]) is None
    assert drift([1.0, 1.1, 1.0, 1.5, 2.0, 2.0, 2.1]) == pytest.approx(2.0)


def test_a_machine_that_does_not_drift_is_seldom_said_to() -> None:
    chance = random.Random(3)
    told_of = sum(drift([chance.gauss(10, 0.5) for _ in range(10)]) is not None for _ in range(2000))
    assert told_of / 2000 < 0.02


@pytest.mark.parametrize(
    ("reading", "share", "said"),
    [
        ("cpu_steal_share", 0.04, "the hypervisor took processor time away in 1 of 12 runs: at worst 4% of the time"),
        ("throttled_share", 0.003, "throttled the processors in 1 of 12 runs: at worst 0.3% of the time"),
        ("pressure_memory_share", 0.2, "something waited for memory in 1 of 12 runs: at worst 20% of the time"),
        ("pressure_cpu_share", 0.61, "something waited for a processor in 1 of 12 runs: at worst 61% of the time"),
        ("pressure_io_share", 0.3, "waited for the disk more than usual in 1 of 12 runs: at worst 30% of the time"),
    ],
)
def test_what_the_machine_did_meanwhile_is_told_in_words(reading: str, share: float, said: str) -> None:
    [line] = lines(CALM, **{reading: {3: share}})
    assert said in line
    assert line.endswith("vineyard in round 3.")


def test_a_store_that_always_waits_for_the_disk_is_no_noise() -> None:
    assert lines(CALM, pressure_io_share=dict.fromkeys(range(1, 7), 0.6)) == []
