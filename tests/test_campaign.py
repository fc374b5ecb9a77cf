"""Experiments: order, interruptions, stores that fail, controls, and comparing with an earlier experiment."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fluidbench.errors import ResultProblem, SlowerThanAllowed, StepFailed, Terminated, UsageProblem
from fluidbench.events import Progress, RoundDropped
from fluidbench.experiment import schedule
from fluidbench.records import Run, State
from fluidbench.regression import require_no_slower
from fluidbench.results import Results
from support.scripted import Bench, Script


@pytest.fixture
def bench(home: Path, tmp_path: Path) -> Iterator[Bench]:
    with Results(tmp_path / "results.db") as results:
        yield Bench(results, tmp_path)


def steady(store: str, count: int) -> float:
    """Vineyard is 1.25 times as fast, and no run is quite like the one before."""
    return (10.0 if store == "pickle" else 8.0) * (1 + 0.001 * (count % 3))


def but(script: Script, store: str, counts: set[int], error: BaseException) -> Script:
    return lambda name, count: error if name == store and count in counts else script(name, count)


def interrupted(bench: Bench, store: str, count: int, stop: BaseException, rounds: int = 4) -> None:
    """An experiment that is stopped in the count-th run through a store; run 0 is the warm-up."""
    with pytest.raises(type(stop)):
        bench.made(but(steady, store, {count}, stop), rounds)


def slots(runs: list[Run]) -> list[tuple[int | None, str]]:
    return [(run.round, run.identity.store) for run in runs if not run.warmup]


@pytest.mark.parametrize("stop", [KeyboardInterrupt(), Terminated()])
@pytest.mark.parametrize("store", ["pickle", "vineyard"])
def test_an_interrupted_experiment_goes_on_in_its_order_and_repeats_the_torn_round_whole(
    bench: Bench, stop: BaseException, store: str
) -> None:
    interrupted(bench, store, 3, stop)
    before = bench.results.runs_of(1)
    assert [run.reason for run in before if run.state is State.ERROR] == ["interrupted"]
    campaign = bench.campaign(steady)
    missing = campaign.missing(None)
    assert missing.numbers == (3, 4)
    campaign.run(missing)
    [planned] = bench.results.experiments_of(1)
    order = [(slot.round, slot.store) for slot in schedule(planned.stores, 4, planned.seed) if slot.round]
    after = bench.results.runs_of(1)[len(before) :]
    assert slots(after) == [entry for entry in order if entry[0] >= 3]
    assert [run.warmup for run in after[:2]] == [True, True]
    assert {run.seed for run in (*before, *after)} == {planned.seed}
    found = campaign.recorded()
    assert (found.rounds, found.experiments) == (4, (planned.experiment_id,))
    pairs = dict(zip(found.arms[0].runs, found.arms[1].runs, strict=True))
    attempt = {run.run_id for run in after}
    assert all((one in attempt) == (other in attempt) for one, other in pairs.items())


def test_an_experiment_that_was_interrupted_twice_still_has_each_round_once(bench: Bench) -> None:
    interrupted(bench, "vineyard", 2, KeyboardInterrupt())
    interrupted(bench, "pickle", 2, KeyboardInterrupt())
    assert bench.made(steady).recorded().rounds == 4
    assert len(bench.results.experiments_of(1)) == 1


def test_an_interrupted_experiment_can_be_made_longer_and_keeps_its_order(bench: Bench) -> None:
    interrupted(bench, "vineyard", 2, KeyboardInterrupt(), rounds=3)
    assert bench.made(steady, 5).recorded().rounds == 5
    [planned] = bench.results.experiments_of(1)
    assert planned.rounds == 5
    whole = [entry for entry in slots(bench.results.runs_of(1)) if entry[0] and entry[0] > 2]
    assert whole == [(s.round, s.store) for s in schedule(planned.stores, 5, planned.seed) if s.round > 2]


def test_more_rounds_than_a_finished_experiment_has_are_a_new_one(bench: Bench) -> None:
    bench.made(steady, 3)
    assert bench.made(steady, 5).recorded().rounds == 5
    assert sorted(planned.rounds for planned in bench.results.experiments_of(1)) == [2, 3]


def test_an_interrupted_experiment_on_another_dataset_is_not_taken_up(bench: Bench) -> None:
    interrupted(bench, "vineyard", 2, KeyboardInterrupt())
    assert bench.campaign(steady, digest="other").missing(4).resumed is None


def test_a_round_in_which_a_store_fails_is_dropped_and_the_others_go_on(bench: Bench) -> None:
    campaign = bench.made(but(steady, "vineyard", {3}, StepFailed("train-data failed: no luck\nlog")), 4)
    found = campaign.recorded()
    assert found.rounds == 3
    assert len(found.dropped) == 1
    assert found.dropped[0].startswith("round 3 of ")
    assert found.dropped[0].endswith("was dropped: vineyard: train-data failed: no luck")
    assert [event for event in bench.heard if isinstance(event, RoundDropped)] == [
        RoundDropped(3, "vineyard", "train-data failed: no luck\nlog")
    ]
    assert campaign.missing(None).rounds == 0
    assert campaign.missing(4).numbers == (1,)


def test_the_same_store_failing_twice_in_a_row_ends_the_experiment_with_its_error(bench: Bench) -> None:
    with pytest.raises(StepFailed, match="no luck"):
        bench.made(but(steady, "vineyard", {3, 4}, StepFailed("no luck")), 6)
    found = bench.campaign(steady).recorded()
    assert (found.rounds, len(found.dropped)) == (2, 2)


def test_two_failures_with_a_success_between_them_drop_two_rounds(bench: Bench) -> None:
    found = bench.made(but(steady, "vineyard", {2, 4}, StepFailed("no luck")), 6).recorded()
    assert (found.rounds, len(found.dropped)) == (4, 2)


def test_a_store_that_fails_in_its_warm_up_ends_the_experiment_at_once(bench: Bench) -> None:
    with pytest.raises(StepFailed):
        bench.made(but(steady, "vineyard", {0}, StepFailed("no luck")), 4)
    assert len(bench.results.runs_of(1)) == 2


def test_what_no_other_round_could_mend_ends_the_experiment_at_once(bench: Bench) -> None:
    with pytest.raises(UsageProblem):
        bench.made(but(steady, "vineyard", {2}, UsageProblem("no right to do that")), 4)
    assert bench.campaign(steady).recorded().rounds == 1


def test_progress_tells_the_round_the_times_so_far_and_the_time_left(bench: Bench) -> None:
    bench.made(steady, 3)
    told = [event for event in bench.heard if isinstance(event, Progress)]
    assert [event.round for event in told] == [0, 0, 1, 1, 2, 2, 3, 3]
    assert {event.of for event in told} == {3}
    assert told[2].times == {"pickle": (), "vineyard": ()}
    assert [len(told[-2].times[store]) for store in ("pickle", "vineyard")] == [2, 2]
    assert told[0].left_s > told[1].left_s > 0


def test_a_control_runs_the_first_store_against_itself_and_sets_the_margin(bench: Bench) -> None:
    seconds = [1.0, 1.0, 1.0, 1.1, 1.1, 1.0, 1.0, 1.05, 1.05, 1.0, 1.0, 1.2, 1.2, 1.0]
    campaign = bench.made(lambda _, count: seconds[count], 6, control=True)
    runs = [run for run in bench.results.runs_of(1) if not run.warmup]
    assert {run.identity.store for run in runs} == {"pickle"}
    assert sorted(run.control_arm for run in runs) == ["a"] * 6 + ["b"] * 6
    floor = campaign.recorded().control
    assert floor is not None
    assert (floor.rounds, floor.store) == (6, "pickle")
    assert floor.half_width == pytest.approx((floor.interval[1] / floor.interval[0]) ** 0.5 - 1)
    assert [arm.label for arm in campaign.recorded().arms] == ["pickle", "pickle again"]
    later = bench.made(lambda store, _: 10.0 if store == "pickle" else 9.7, 6).recorded()
    assert later.control == floor
    assert later.margin == floor.half_width > 0.05
    assert later.total("vineyard").verdict == "same"
    assert later.singles == ()
    assert later.not_comparable == {}


def test_without_a_control_the_margin_is_two_percent_and_the_same_difference_counts(bench: Bench) -> None:
    found = bench.made(lambda store, _: 10.0 if store == "pickle" else 9.7, 6).recorded()
    assert (found.control, found.margin) == (None, 0.02)
    assert found.total("vineyard").verdict == "faster"


def test_a_quiet_control_leaves_the_margin_at_two_percent(bench: Bench) -> None:
    bench.made(steady, 6, control=True)
    found = bench.made(steady, 3).recorded()
    assert found.control is not None
    assert (found.control.half_width < 0.02, found.margin) == (True, 0.02)


def test_a_control_that_was_interrupted_goes_on(bench: Bench) -> None:
    with pytest.raises(KeyboardInterrupt):
        bench.made(but(steady, "pickle", {6}, KeyboardInterrupt()), 4, control=True)
    campaign = bench.made(steady, control=True)
    assert campaign.recorded().rounds == 4
    assert len(bench.results.experiments_of(1)) == 1


def reference(bench: Bench, factor: float = 1.0) -> str:
    bench.made(lambda store, count: steady(store, count) * factor, 6)
    return bench.results.experiments_of(1)[0].experiment_id


def test_an_arm_that_got_slower_than_in_an_earlier_experiment_is_found(bench: Bench) -> None:
    earlier = reference(bench, 0.8)
    campaign = bench.made(steady, 6, against=earlier)
    found = campaign.recorded()
    [change] = found.against
    assert found.rounds == 6
    assert earlier not in found.experiments
    assert (change.arm, change.rounds_then, change.rounds_now) == ("vineyard", 6, 6)
    assert change.ratio == pytest.approx(1.25)
    with pytest.raises(SlowerThanAllowed, match=r"vineyard takes 1\.25 times as long .*more than the 5\.0% allowed"):
        require_no_slower(found.against, 0.05)
    require_no_slower(found.against, 0.30)


def test_an_arm_that_stayed_as_it_was_passes(bench: Bench) -> None:
    earlier = reference(bench)
    require_no_slower(bench.made(steady, 6, against=earlier).recorded().against, 0.0)


def test_a_slowdown_that_the_interval_does_not_bear_out_passes(bench: Bench) -> None:
    earlier = reference(bench)
    wild = bench.made(lambda _, count: 8.0 * (1 + 0.8 * (count % 2)), 4, against=earlier).recorded()
    assert wild.against[0].ratio > 1.05
    require_no_slower(wild.against, 0.05)


def test_a_comparison_with_an_earlier_experiment_always_runs_anew_and_resumes_its_own(bench: Bench) -> None:
    earlier = reference(bench)
    assert bench.campaign(steady, against=earlier).missing(None).rounds == 6
    with pytest.raises(KeyboardInterrupt):
        bench.made(but(steady, "vineyard", {3}, KeyboardInterrupt()), 6, against=earlier)
    missing = bench.campaign(steady, against=earlier).missing(6)
    assert missing.numbers == (3, 4, 5, 6)


def test_an_experiment_that_is_no_yardstick_is_refused_before_anything_runs(bench: Bench) -> None:
    bench.made(steady, 2)
    [short] = bench.results.experiments_of(1)
    with pytest.raises(ResultProblem, match="has 2 whole rounds"):
        bench.campaign(steady, against=short.experiment_id).missing(6)
    with pytest.raises(ResultProblem, match="another dataset_digest"):
        bench.campaign(steady, digest="other", against=reference(bench)).missing(6)


def test_an_experiment_is_found_by_the_part_of_its_id_that_is_its_own(bench: Bench) -> None:
    earlier = reference(bench)
    assert bench.results.experiment(earlier[-6:]).experiment_id == earlier
    with pytest.raises(ResultProblem, match="is not recorded"):
        bench.results.experiment("nothing")
