"""Which runs are pairs, and which are of the same work."""

import dataclasses

import pytest

from fluidbench.comparison import compare
from fluidbench.rounds import comparable, whole_rounds
from support.made import rounds, run

STORES = ("pickle", "vineyard")
OWN = "mine:Store"


def again(runs: list, name: str) -> list:
    return [dataclasses.replace(entry, run_id=f"{entry.run_id}-{name}") for entry in runs]


def test_a_round_that_was_run_again_counts_once_with_its_last_attempt() -> None:
    first, second = again(rounds((10.0, 8.0)), "first"), again(rounds((11.0, 9.0)), "second")
    [entry] = whole_rounds([*first, *second], STORES)
    assert {run.run_id for run in entry.values()} == {"e1-1-pickle-second", "e1-1-vineyard-second"}


def test_a_pair_is_never_made_of_two_attempts() -> None:
    first, second = again(rounds((10.0, 8.0)), "first"), again(rounds((11.0, 9.0)), "second")
    assert whole_rounds([*first, second[0]], STORES) == []
    assert len(whole_rounds([first[0], *second], STORES)) == 1


def test_a_run_of_a_control_is_not_compared_with_others_and_not_counted_as_left_out() -> None:
    control = run("c", experiment_id="c1", round=1, position=0, control_arm="a")
    found = compare([control, *rounds((10.0, 8.0))], STORES, run())
    assert (found.rounds, found.singles, found.not_comparable) == (1, (), {})


def test_a_store_of_ones_own_is_compared_with_ours_although_it_has_code_of_its_own() -> None:
    runs = rounds((10.0, 8.0), arm=OWN)
    runs[1] = dataclasses.replace(runs[1], code_version="0.1.0+1.abcd")
    own_code = {OWN: "abcd", "pickle": ""}
    assert compare(runs, ("pickle", OWN), run(), own_code).rounds == 1


@pytest.mark.parametrize("version", ["0.1.0+1.ffff", "0.1.0+2.abcd", "0.2.0+1.abcd", "0.1.0+1"])
def test_runs_of_other_code_of_ones_own_store_are_left_out(version: str) -> None:
    own = run("o", OWN, code_version=version)
    assert comparable(own, run(), {OWN: "abcd"}) == "another code version"
