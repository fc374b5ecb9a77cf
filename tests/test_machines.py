import dataclasses

import pytest

from fluidbench.analysis import analyse
from fluidbench.comparison import compare
from fluidbench.machines import alike, foreign
from fluidbench.records import Fingerprint, Run
from support.recorded import experiment

STORES = ("pickle", "vineyard")
THEIRS = Fingerprint({"cpu": "Another processor", "memory": "25 GB"}, "theirs")


def elsewhere(**changes: object) -> list[Run]:
    """An experiment of another machine."""
    runs = experiment(rounds=3, name="20260107-000000-eeeeee")
    return [dataclasses.replace(entry, fingerprint=THEIRS, **changes) for entry in runs]  # type: ignore[arg-type]


def test_rounds_of_another_machine_are_left_out_and_what_differs_is_told() -> None:
    ours = experiment()
    assert compare([*ours, *elsewhere()], STORES, ours[0]).rounds == 6
    [other] = foreign([*ours, *elsewhere()], STORES, ours[0])
    assert (other.hash, other.rounds) == ("theirs", 3)
    assert other.differences["cpu"] == ("A processor with 2 cores", "Another processor")
    assert other.differences["disk"] == ("ext4 on /dev/vda", "unknown")
    assert "memory" not in other.differences


def test_what_differs_in_more_than_the_machine_is_not_offered() -> None:
    ours = experiment()
    assert foreign([*ours, *elsewhere(code_version="9.9.9+1")], STORES, ours[0]) == []
    assert foreign(ours, STORES, ours[0]) == []
    assert foreign(ours, STORES, None) == []


def test_by_force_the_rounds_of_both_are_compared_and_each_machine_speaks_for_itself() -> None:
    ours, theirs = experiment(), elsewhere()
    found = compare(alike([*ours, *theirs], ours[0]), STORES, ours[0])
    assert found.rounds == 9
    analysis = analyse(found, [*ours, *theirs], None)
    assert analysis is not None
    assert [(machine.hash, machine.rounds) for machine in analysis.machines] == [("f1", 6), ("theirs", 3)]
    alone = compare(theirs, STORES, theirs[0])
    assert analysis.machines[1].comparisons == (alone.total("vineyard"),)
    assert analysis.machines[1].median_s["pickle"] == pytest.approx(alone.arms[0].median_s)
