import dataclasses
import random

import pytest

from fluidbench.comparison import compare, verdict
from fluidbench.records import Fingerprint, State
from fluidbench.rounds import comparable, split_code, whole_rounds
from support.made import RESULTS, rounds, run, step

STORES = ("pickle", "vineyard")
SIX = [(10.2, 8.1), (11.1, 8.9), (9.8, 8.3), (10.6, 8.2), (12.0, 9.9), (9.9, 8.0)]


def test_only_rounds_in_which_every_store_succeeded_are_compared() -> None:
    runs = rounds((10.0, 8.0), (11.0, 9.0), (12.0, 9.5))
    runs[3] = dataclasses.replace(runs[3], state=State.FAILED)
    found = compare(runs, STORES, run())
    assert found.rounds == 2
    assert found.arms[0].runs == ("e1-1-pickle", "e1-3-pickle")
    assert [single.run_id for single in found.singles] == ["e1-2-pickle"]
    assert found.not_comparable == {"Failed": 1}


def test_rounds_of_different_experiments_are_not_paired_with_each_other() -> None:
    first, second = rounds((10.0, 8.0), experiment="e1"), rounds((20.0, 18.0), experiment="e2")
    assert whole_rounds([first[0], second[1]], STORES) == []
    assert len(whole_rounds([*first, *second], STORES)) == 2


def test_single_runs_and_warm_ups_never_enter_the_comparison() -> None:
    warm = run("w", experiment_id="e1", round=0, warmup=True, duration_s=99.0)
    single = run("s", duration_s=50.0)
    found = compare([warm, single, *rounds((10.0, 8.0))], STORES, run())
    assert found.arms[0].median_s == 10.0
    assert [entry.run_id for entry in found.singles] == ["s"]
    assert found.not_comparable == {}


def test_one_round_has_a_ratio_and_no_interval() -> None:
    total = compare(rounds((10.0, 8.0)), STORES, run()).total("vineyard")
    assert (total.ratio, total.interval, total.verdict) == (pytest.approx(1.25), None, "cannot tell")
    assert total.saving_s == pytest.approx(2.0)


def test_six_clear_rounds_are_faster_and_the_reverse_is_slower() -> None:
    assert compare(rounds(*SIX), STORES, run()).total("vineyard").verdict == "faster"
    swapped = [(after, before) for before, after in SIX]
    assert compare(rounds(*swapped), STORES, run()).total("vineyard").verdict == "slower"


def test_savings_of_the_steps_and_of_the_rest_add_up_to_that_of_the_total() -> None:
    found = compare(rounds(*SIX), STORES, run())
    savings = {entry.scope: entry.saving_s for entry in found.comparisons}
    around = found.arms[0].unaccounted_s - found.arms[1].unaccounted_s
    assert savings["total"] == pytest.approx(savings["step:train-data"] + around)
    assert savings["step:train-data"] == pytest.approx(savings["phase:load"] + savings["phase:compute"])
    assert savings["phase:load"] == pytest.approx(savings["step:train-data/phase:load"])


def test_a_scope_that_took_no_time_has_no_ratio() -> None:
    runs = [dataclasses.replace(entry, duration_s=0.0) for entry in rounds((1.0, 1.0))]
    assert compare(runs, STORES, run()).total("vineyard").ratio is None


@pytest.mark.parametrize(
    ("interval", "expected"),
    [
        (None, "cannot tell"),
        ((1.03, 1.5), "faster"),
        ((1.01, 1.5), "cannot tell"),
        ((0.5, 0.97), "slower"),
        ((0.5, 0.99), "cannot tell"),
        ((0.99, 1.01), "same"),
        ((0.9, 1.1), "cannot tell"),
        ((1.02, 1.5), "cannot tell"),
    ],
)
def test_the_verdict_is_where_the_interval_lies_against_two_percent(interval: object, expected: str) -> None:
    assert verdict(interval) == expected  # type: ignore[arg-type]


def test_a_store_that_yields_another_digest_is_not_equivalent() -> None:
    runs = rounds((10.0, 8.0))
    runs[1] = dataclasses.replace(runs[1], results={**RESULTS, "digest": "other"})
    found = compare(runs, STORES, run())
    assert found.equivalent is False
    assert found.differences == ("digest of run e1-1-vineyard (vineyard) is not that of run e1-1-pickle (pickle)",)


@pytest.mark.parametrize(("factor", "equivalent"), [(1 + 5e-10, True), (1 + 5e-9, False)])
def test_coefficients_and_mse_may_differ_by_a_billionth_and_no_more(factor: float, equivalent: bool) -> None:
    for name in ("mse", "coefficients"):
        runs = rounds((10.0, 8.0))
        value = RESULTS[name]
        moved = {"Id": value["Id"] * factor} if isinstance(value, dict) else value * factor
        runs[1] = dataclasses.replace(runs[1], results={**RESULTS, name: moved})
        assert compare(runs, STORES, run()).equivalent is equivalent


@pytest.mark.parametrize(
    ("sums", "equivalent"),
    [([1.0, 2.0 * (1 + 1e-12)], True), ([1.0, 2.0 * (1 + 1e-6)], False), ([1.0], False), ([2.0, 1.0], False)],
)
def test_numbers_in_a_list_are_held_against_each_other_one_by_one(sums: list[float], equivalent: bool) -> None:
    runs = [dataclasses.replace(one, results={"sums": [1.0, 2.0]}) for one in rounds((10.0, 8.0))]
    runs[1] = dataclasses.replace(runs[1], results={"sums": sums})
    assert compare(runs, STORES, run()).equivalent is equivalent


def test_a_missing_result_and_not_a_number_are_differences() -> None:
    for changed in ({"digest": "abc"}, {**RESULTS, "mse": float("nan")}):
        runs = rounds((10.0, 8.0))
        runs[1] = dataclasses.replace(runs[1], results=changed)
        assert compare(runs, STORES, run()).equivalent is False


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        ({"identity": {"multiplier": 2, "rows": 20_000}}, "another multiplier, rows"),
        ({"identity": {"cache_policy": "warm"}}, "another cache_policy"),
        ({"identity": {"threads": 1}}, "another threads"),
        ({"fingerprint": Fingerprint({"cpu": "two"}, "f2")}, "another cpu"),
        ({"code_version": "0.2.0+1"}, "another code version"),
        ({"state": State.ERROR, "reason": "interrupted"}, "Error"),
        ({"state": State.RUNNING}, "Running"),
    ],
)
def test_runs_of_another_identity_machine_or_code_are_not_compared(other: dict, reason: str) -> None:
    runs = [*rounds((10.0, 8.0)), run("x", **other)]
    found = compare(runs, STORES, run())
    assert (found.rounds, found.not_comparable) == (1, {reason: 1})


def of_own_store(code: str, experiment: str = "e1") -> list:
    """A round of pickle and of a user's store, whose code is part of its code version."""
    runs = rounds((10.0, 8.0), experiment=experiment, arm="mine:Store")
    return [runs[0], dataclasses.replace(runs[1], code_version=f"{runs[1].code_version}.{code}")]


def test_a_store_that_brings_its_own_code_is_compared_with_one_that_does_not() -> None:
    found = compare(of_own_store("aa"), ("pickle", "mine:Store"), run(), {"mine:Store": "aa"})
    assert (found.rounds, found.not_comparable) == (1, {})
    assert found.total("mine:Store").ratio == pytest.approx(1.25)


def test_runs_of_a_store_whose_own_code_changed_since_are_not_compared() -> None:
    runs = [*of_own_store("aa", "e1"), *of_own_store("bb", "e2")]
    found = compare(runs, ("pickle", "mine:Store"), run(), {"mine:Store": "bb"})
    assert found.arms[1].runs == ("e2-1-mine:Store",)
    assert found.not_comparable == {"another code version": 1}


def test_the_own_code_of_a_store_that_is_not_compared_does_not_matter() -> None:
    assert compare(of_own_store("aa"), STORES, run()).not_comparable == {}


@pytest.mark.parametrize(
    ("version", "parts"),
    [
        ("0.1.0+12ab", ("0.1.0+12ab", "")),
        ("0.1.0+12ab.34cd", ("0.1.0+12ab", "34cd")),
        ("0.1.0.dev1+x+12ab.34cd", ("0.1.0.dev1+x+12ab", "34cd")),
    ],
)
def test_a_code_version_is_that_of_the_steps_and_that_of_the_store(version: str, parts: tuple[str, str]) -> None:
    assert split_code(version) == parts


def test_two_runs_that_differ_only_in_the_store_are_comparable() -> None:
    assert comparable(run(store="vineyard"), run()) == ""


def test_without_a_dataset_there_is_nothing_to_compare() -> None:
    found = compare([], STORES, None)
    assert (found.identity, found.rounds, found.arms, found.equivalent) == (None, 0, (), None)


def test_the_median_of_the_rounds_stands_for_an_arm() -> None:
    arm = compare(rounds((10.0, 8.0), (30.0, 9.0), (11.0, 7.0)), STORES, run()).arms[0]
    assert (arm.median_s, arm.steps[0].phases["load"]) == (11.0, 10.0)


def test_phases_and_the_time_around_the_steps_add_up_to_the_steps_and_to_the_total() -> None:
    chance = random.Random(4)
    runs = []
    for entry in rounds(*SIX):
        steps = tuple(
            step(name, **{phase: chance.uniform(0, 9) for phase in ("startup", "load", "touch", "compute", "save")})
            for name in ("preprocess-data", "train-data", "test-data")
        )
        duration = sum(one.duration_s for one in steps) + (around := chance.uniform(0, 1))
        runs.append(dataclasses.replace(entry, steps=steps, duration_s=duration, unaccounted_s=around))
    savings = {entry.scope: entry.saving_s for entry in compare(runs, STORES, run()).comparisons}

    def total(prefix: str) -> float:
        return sum(seconds for scope, seconds in savings.items() if scope.startswith(prefix) and "/" not in scope)

    assert savings["total"] == pytest.approx(total("step:") + savings["unaccounted"], abs=1e-9)
    assert savings["total"] == pytest.approx(total("phase:") + savings["unaccounted"], abs=1e-9)
    for name in ("preprocess-data", "train-data", "test-data"):
        parts = [seconds for scope, seconds in savings.items() if scope.startswith(f"step:{name}/")]
        assert savings[f"step:{name}"] == pytest.approx(sum(parts), abs=1e-9)


@pytest.mark.parametrize("margin", [0.02, 0.1])
def test_verdicts_change_exactly_at_the_ends_of_the_margin(margin: float) -> None:
    above, below = 1 + margin, 1 / (1 + margin)
    more, less = above * (1 + 1e-12), below * (1 - 1e-12)
    inside = (below * (1 + 1e-12), above * (1 - 1e-12))
    assert verdict((more, 2.0), margin) == "faster"
    assert verdict((above, 2.0), margin) == "cannot tell"
    assert verdict((0.1, less), margin) == "slower"
    assert verdict((0.1, below), margin) == "cannot tell"
    assert verdict(inside, margin) == "same"
    assert verdict((inside[0], above), margin) == "cannot tell"
    assert verdict((below, inside[1]), margin) == "cannot tell"


def test_only_a_total_that_cannot_be_told_says_how_many_more_rounds_should_do() -> None:
    found = compare(rounds((10.0, 9.5), (10.0, 10.1), (10.0, 9.2)), STORES, run())
    assert {entry.scope for entry in found.comparisons if entry.more_rounds is not None} == {"total"}
    assert compare(rounds(*SIX), STORES, run()).total("vineyard").more_rounds is None


def test_steps_with_other_requests_and_limits_confound_a_round() -> None:
    pair = rounds((10.0, 8.0))
    alike = {"limits.memory": "2Gi", "requests.memory": "2Gi"}
    for resources, told in (
        (alike, ()),
        (
            {**alike, "limits.memory": "4Gi"},
            (
                "round 1: train-data had other requests and limits: limits.memory=2Gi, requests.memory=2Gi and "
                "limits.memory=4Gi, requests.memory=2Gi",
            ),
        ),
    ):
        runs = [
            dataclasses.replace(one, steps=tuple(dataclasses.replace(step, resources=own) for step in one.steps))
            for one, own in zip(pair, (alike, resources), strict=True)
        ]
        assert compare(runs, STORES, run()).confounded == told
