"""The plain sentences around the table."""

import dataclasses

import pytest

from fluidbench.comparison import Comparison, compare
from fluidbench.control import as_pair
from fluidbench.regression import Change
from fluidbench.report.sentences import headline, remarks
from support.made import rounds, run

STORES = ("pickle", "vineyard")
OTHER = dict(zip(STORES, reversed(STORES), strict=True))
SIX = [(10.2, 8.1), (11.1, 8.9), (9.8, 8.3), (10.6, 8.2), (12.0, 9.9), (9.9, 8.0)]


def compared(*pairs: tuple[float, float]) -> Comparison:
    return compare(rounds(*pairs), STORES, run())


def test_a_clear_answer_has_ratio_interval_rounds_seconds_and_what_was_exchange() -> None:
    assert headline(compared(*SIX)) == [
        "Vineyard is 1.24x faster (1.18 to 1.29, 6 rounds): 2.0 s less, of which 2.0 s exchange."
    ]


def test_a_slower_arm_is_told_as_such() -> None:
    [line] = headline(compared(*[(after, before) for before, after in SIX]))
    assert line == "Vineyard is slower, 0.81x as fast (0.77 to 0.85, 6 rounds): 2.0 s more, of which 2.0 s exchange."


def test_the_same_is_told_with_the_margin_that_it_was_measured_against() -> None:
    same = compared(*[(10.0 + 0.01 * number, 10.0) for number in range(6)])
    assert headline(same)[0].startswith("Vineyard is the same, within 2 % (1.00x; 1.00 to 1.0")
    wide = dataclasses.replace(same, margin=0.135)
    assert "within 14 %" in headline(wide)[0]


def test_where_it_cannot_be_told_the_number_of_rounds_that_should_do_is() -> None:
    [line] = headline(compared((10.0, 9.5), (10.0, 10.1), (10.0, 9.2)))
    assert line.startswith("Vineyard: cannot tell (1.04x; 0.9")
    assert "3 rounds): about " in line
    assert line.endswith(" more rounds should do.")


def test_too_few_rounds_say_so() -> None:
    assert "one round proves nothing" in headline(compared((10.0, 8.0)))[0]
    assert "2 rounds are too few to say how sure that is" in headline(compared((10.0, 8.0), (11.0, 8.0)))[0]


def test_a_gain_that_exchange_took_from_is_told() -> None:
    runs = [
        dataclasses.replace(entry, duration_s=entry.duration_s - (9.0 if entry.identity.store == "vineyard" else 0.0))
        for entry in rounds(*[(after, before) for before, after in SIX])
    ]
    assert "less, although exchange took 2.0 s more" in headline(compare(runs, STORES, run()))[0]


def test_a_gain_in_exchange_of_which_a_part_was_paid_for_elsewhere_is_told() -> None:
    runs = [
        dataclasses.replace(entry, duration_s=entry.duration_s + (0.5 if entry.identity.store == "vineyard" else 0.0))
        for entry in rounds(*SIX)
    ]
    [line] = headline(compare(runs, STORES, run()))
    assert line.endswith(": 1.5 s less: exchange took 2.0 s less, all else 0.500 s more.")
    [line] = headline(compare([dataclasses.replace(one, identity=dataclasses.replace(
        one.identity, store=OTHER[one.identity.store])) for one in runs], STORES, run()))  # fmt: skip
    assert line.endswith(": 1.5 s more: exchange took 2.0 s more, all else 0.500 s less.")


@pytest.mark.parametrize(("policy", "other"), [("cold", "warm"), ("warm", "cold"), ("dropped", "warm")])
def test_the_cache_policy_is_named_and_that_there_is_another(policy: str, other: str) -> None:
    runs = [
        dataclasses.replace(entry, identity=dataclasses.replace(entry.identity, cache_policy=policy))
        for entry in rounds(*SIX)
    ]
    [line] = [line for line in remarks(compare(runs, STORES, runs[0])) if line.startswith("Cache: ")]
    assert line.startswith(f"Cache: {policy}, ")
    assert line.endswith(f"The other policy is --cache {other}.")


def control_runs(*pairs: tuple[float, float]) -> list:
    return [
        dataclasses.replace(
            entry, identity=dataclasses.replace(entry.identity, store="pickle"), control_arm="ab"[position % 2]
        )
        for position, entry in enumerate(rounds(*pairs, experiment="c1"))
    ]


def test_the_margin_and_where_it_comes_from_stand_beneath_the_answer() -> None:
    assert "Margin: 2 %, not measured here. Measure it: fluidbench compare --control" in remarks(compared(*SIX))
    controls = control_runs((10.0, 10.5), (10.0, 9.4), (10.0, 10.2), (10.2, 10.0), (10.0, 10.1), (9.9, 10.0))
    found = compare([*rounds(*SIX), *controls], STORES, run())
    [line] = [line for line in remarks(found) if line.startswith("Margin")]
    assert line.startswith("Margin: 5.7 %.")
    assert "Control: pickle against itself " in line


def test_a_control_answers_with_the_noise_floor() -> None:
    runs = control_runs((10.0, 10.5), (10.0, 9.4), (10.0, 10.2), (10.2, 10.0), (10.0, 10.1), (9.9, 10.0))
    floor = compare([*rounds(*SIX), *runs], STORES, run()).control
    found = compare(as_pair(runs, "pickle"), ("pickle", "pickle again"), run())
    [line] = headline(dataclasses.replace(found, control=floor))
    assert line.startswith("Control: pickle against itself is 0.")
    assert "The noise floor is 5.7 %:" in line
    assert not [line for line in remarks(found) if line.startswith("Margin")]


def test_a_control_whose_equal_arms_differ_is_a_warning() -> None:
    runs = control_runs(*[(10.0 + 0.01 * number, 9.0) for number in range(6)])
    found = compare([*rounds(*SIX), *runs], STORES, run())
    assert any("something other than noise told two equal arms apart" in line for line in remarks(found))


def test_dropped_rounds_noise_and_changes_are_told() -> None:
    found = dataclasses.replace(
        compared(*SIX), dropped=("round 3 was dropped",), noise=("drift",),
        against=(Change("vineyard", "e0", 6, 6, 1.2, (1.1, 1.3), "t"), Change("other", "e0", 6, 2, 1.2, None, "t")),
    )  # fmt: skip
    told = remarks(found)
    assert "Dropped: round 3 was dropped" in told
    assert "Noise: drift" in told
    assert "vineyard takes 1.20 times as long as in experiment e0 (1.10 to 1.30, 6 rounds against 6)." in told
    assert "other: 2 rounds are too few to compare with experiment e0." in told
