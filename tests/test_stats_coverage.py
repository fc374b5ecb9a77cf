"""Whether the intervals cover the truth as often as they say, by simulation with fixed seeds.

95 of 100 is nominal; 2,000 experiments tell it to half a percent, so 93 is required.
"""

from collections.abc import Callable

import numpy as np
import pytest

from fluidbench.comparison import verdict
from fluidbench.stats import change, more_rounds, speedup

TIMES = 2000
SIZES = [3, 5, 6, 10]
TRUE_RATIO = 1.25
Level = Callable[[np.random.Generator, int], np.ndarray]


def quiet(chance: np.random.Generator, rounds: int) -> np.ndarray:
    return np.ones(rounds)


def drifting(chance: np.random.Generator, rounds: int) -> np.ndarray:
    """A machine that gets slower by 8 % from round to round."""
    return 1 + 0.08 * np.arange(rounds)


def struck(chance: np.random.Generator, rounds: int) -> np.ndarray:
    """A machine that is three times as slow in one round of seven, for both arms."""
    return np.where(chance.random(rounds) < 1 / 7, 3.0, 1.0)


def times(chance: np.random.Generator, rounds: int, level: Level, ratio: float) -> tuple[list[float], list[float]]:
    """The seconds of both arms, with 3 % of noise on each."""
    shared = 10 * level(chance, rounds)
    before, after = (shared * np.exp(chance.normal(0, 0.03, rounds)) for _ in range(2))
    return (ratio * before).tolist(), after.tolist()


@pytest.mark.parametrize("level", [quiet, drifting, struck])
@pytest.mark.parametrize("rounds", SIZES)
def test_the_interval_covers_the_truth_at_least_93_times_in_100(rounds: int, level: Level) -> None:
    chance = np.random.default_rng([rounds, 5])
    intervals = [speedup(*times(chance, rounds, level, TRUE_RATIO)).interval or (0, 0) for _ in range(TIMES)]
    assert np.mean([low <= TRUE_RATIO <= high for low, high in intervals]) >= 0.93


@pytest.mark.parametrize("level", [quiet, drifting, struck])
@pytest.mark.parametrize("rounds", SIZES)
def test_a_store_against_itself_is_called_faster_or_slower_at_most_5_times_in_100(rounds: int, level: Level) -> None:
    chance = np.random.default_rng([rounds, 6])
    told = [verdict(speedup(*times(chance, rounds, level, 1.0)).interval) for _ in range(TIMES)]
    assert np.mean([word in ("faster", "slower") for word in told]) <= 0.05


@pytest.mark.parametrize("rounds", SIZES)
def test_the_interval_of_a_change_between_two_experiments_covers_the_truth(rounds: int) -> None:
    chance, covered = np.random.default_rng([rounds, 7]), 0
    for _ in range(TIMES):
        then, now = times(chance, rounds, quiet, 1 / TRUE_RATIO)
        low, high = change(then, now).interval or (0, 0)
        covered += low <= TRUE_RATIO <= high
    assert covered / TIMES >= 0.93


@pytest.mark.parametrize(("ratio", "expected"), [(1.05, "faster"), (1.0, "same")])
def test_the_rounds_that_should_do_lead_to_the_verdict_in_most_cases(ratio: float, expected: str) -> None:
    chance, asked, reached = np.random.default_rng(8), 0, 0
    for _ in range(400):
        before, after = times(chance, 6, quiet, ratio)
        first = speedup(before, after)
        more = more_rounds(first, 6, 0.02) if verdict(first.interval) == "cannot tell" else None
        if more is None or more > 60:
            continue
        again = times(chance, 6 + more, quiet, ratio)
        asked += 1
        reached += verdict(speedup(*again).interval) == expected
    assert asked > 50
    assert reached / asked >= 0.5
