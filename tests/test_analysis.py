import dataclasses
import math

import pytest

from fluidbench.analysis import PART_OF, PARTS, analyse, parts_of
from fluidbench.comparison import compare
from fluidbench.control import arms_of, as_pair
from fluidbench.records import Run
from support.made import run, step
from support.recorded import experiment, one

STORES = ("pickle", "vineyard")


def analysed(runs: list[Run], stores: tuple[str, ...] = STORES, bandwidth: float | None = None):
    found = analyse(compare(runs, stores, runs[-1]), runs, bandwidth)
    assert found is not None
    return found


def test_the_parts_of_a_run_add_up_to_its_duration() -> None:
    for made in experiment():
        assert math.fsum(parts_of(made).values()) == pytest.approx(made.duration_s, abs=1e-12)


def test_the_parts_of_the_saving_add_up_to_the_saving_of_the_total() -> None:
    runs = experiment()
    [saving] = analysed(runs).savings
    assert math.fsum(saving.parts.values()) == pytest.approx(saving.saving_s, abs=1e-12)
    assert saving.saving_s == pytest.approx(compare(runs, STORES, runs[-1]).total("vineyard").saving_s, abs=1e-12)
    assert saving.elsewhere_s == pytest.approx(saving.saving_s - saving.parts["exchange"], abs=1e-12)


def test_what_lies_around_the_steps_and_the_phases_of_a_cluster_are_orchestration() -> None:
    phases = {"scheduling": 2.0, "image": 1.0, "mount": 4.0, "container": 1.0, "startup": 0.5, "load": 3.0, "exit": 1.0}
    made = run(duration_s=20.0, steps=(step(**phases),))
    assert parts_of(made) == {"exchange": 3.0, "compute": 0.0, "startup": 1.5, "orchestration": 15.5, "other": 0.0}


def test_a_phase_that_nobody_knows_is_neither_exchange_nor_compute() -> None:
    assert parts_of(run(duration_s=5.0, steps=(step(main=4.0),)))["other"] == 4.0


def test_every_known_phase_has_a_part() -> None:
    assert set(PART_OF.values()) < set(PARTS)


def test_the_profile_of_an_arm_adds_up_by_steps_too() -> None:
    for profile in analysed(experiment()).profiles:
        steps = math.fsum(seconds for entry in profile.steps for seconds in entry.phases.values())
        assert steps + profile.around_s == pytest.approx(profile.mean_s, abs=1e-9)
        assert [entry.mean_s for entry in profile.steps] == pytest.approx(
            [sum(entry.phases.values()) for entry in profile.steps]
        )


def test_the_ceiling_is_what_the_run_would_save_without_its_exchange() -> None:
    runs = [one("pickle", "e", 1, 0), one("vineyard", "e", 1, 1)]
    ceiling = analysed(runs).ceiling
    exchange_s = 1.84 + 0.02 + 2.4 + 2.1 + 0.01 + 0.001 + 0.55 + 0.005
    assert ceiling.exchange_s == pytest.approx(exchange_s)
    assert ceiling.exchange_ratio == pytest.approx(runs[0].duration_s / (runs[0].duration_s - exchange_s))
    # the dataset is read by every store
    assert ceiling.handed_over_s == pytest.approx(exchange_s - 1.86)


def test_a_run_of_nothing_but_exchange_has_no_ceiling() -> None:
    runs = [
        dataclasses.replace(entry, steps=(step(load=3.0),), duration_s=3.0)
        for entry in (one("pickle", "e", 1, 0), one("vineyard", "e", 1, 1))
    ]
    assert analysed(runs).ceiling.exchange_ratio is None


def test_shared_memory_is_held_as_long_as_the_run_takes() -> None:
    profile = analysed([one("pickle", "e", 1, 0), made := one("vineyard", "e", 1, 1)]).profiles[1]
    assert profile.shared_memory_bytes == 1_830_000_000
    assert profile.shared_memory_byte_s == pytest.approx(1.83e9 * made.duration_s)


def test_nodes_and_ways_are_told_by_step() -> None:
    runs = [one("pickle", "e", 1, 0), one("vineyard", "e", 1, 1)]
    moved = dataclasses.replace(runs[1].steps[2], node="lab-2", transport="rpc")
    profile = analysed([runs[0], dataclasses.replace(runs[1], steps=(*runs[1].steps[:2], moved))]).profiles[1]
    assert profile.nodes == ("lab-1", "lab-2")
    assert profile.transports["train-data"] == ("ipc",)
    assert profile.transports["test-data"] == ("rpc",)


def test_rounds_are_told_in_the_order_of_their_runs() -> None:
    first, second = one("vineyard", "e", 1, 0, 1.0), one("pickle", "e", 1, 1, 2.0)
    [told] = analysed([first, second]).rounds
    assert list(told.runs) == ["vineyard", "pickle"]
    assert told.ratios["vineyard"] == pytest.approx(second.duration_s / first.duration_s)


def test_a_clock_that_is_set_back_tears_no_round() -> None:
    runs = [dataclasses.replace(entry, started_at=f"2026-01-05T{23 - hour:02}:00")
            for hour, entry in enumerate(experiment())]  # fmt: skip
    found = analysed(runs)
    assert [machine.rounds for machine in found.machines] == [len(found.rounds)] == [6]


def test_the_best_file_store_is_chosen_from_the_warm_ups_and_not_from_the_rounds() -> None:
    runs = experiment(("pickle", "parquet", "vineyard"))
    # in the rounds pickle is faster; in the warm-ups parquet is
    runs = [dataclasses.replace(r, duration_s=1.0) if r.warmup and r.identity.store == "parquet" else r for r in runs]
    best = analysed(runs, ("pickle", "parquet", "vineyard")).best_file
    assert best is not None
    assert (best.store, best.chosen_from, set(best.seconds)) == ("parquet", "warm-ups", {"pickle", "parquet"})
    assert [(entry.arm, entry.baseline) for entry in best.comparisons] == [("vineyard", "parquet")]
    assert best.comparisons[0].ratio is not None
    assert best.comparisons[0].ratio > 1


def test_an_earlier_experiment_with_more_file_stores_chooses_the_best_one() -> None:
    before = [
        dataclasses.replace(entry, started_at="2025-12-01T00:00:00.000Z")
        for entry in experiment(("pickle", "parquet"), 3, "20251201-000000-aaaaaa")
    ]
    best = analysed([*before, *experiment()]).best_file
    assert best is not None
    assert (best.store, best.chosen_from, set(best.seconds)) == (
        "pickle", "earlier experiments", {"pickle", "parquet"},
    )  # fmt: skip


def test_a_warm_up_of_another_machine_does_not_choose() -> None:
    runs = experiment()
    other = dataclasses.replace(runs[-1].fingerprint, hash="other", facts={"cpu": "two"})
    runs = [dataclasses.replace(entry, fingerprint=other) if entry.warmup else entry for entry in runs]
    assert analysed(runs).best_file is None


def test_without_a_whole_round_there_is_nothing_to_analyse() -> None:
    runs = experiment()[:1]
    assert analyse(compare(runs, STORES, runs[0]), runs, None) is None


def test_both_arms_of_a_control_are_told_apart() -> None:
    runs = [
        dataclasses.replace(one("pickle", "e", number, place), run_id=f"{number}{arm}", control_arm=arm)
        for number in (1, 2, 3)
        for place, arm in enumerate(("a", "b"))
    ]
    arms = arms_of("pickle")
    earlier = experiment(("pickle", "parquet"), 3, "e0")
    found = analyse(compare(as_pair(runs, "pickle"), arms, runs[0]), [*earlier, *runs], None)
    assert found is not None
    assert found.best_file is None
    assert [profile.arm for profile in found.profiles] == list(arms)
    assert found.machines[0].rounds == 3
    assert found.savings[0].saving_s == pytest.approx(0.0)
