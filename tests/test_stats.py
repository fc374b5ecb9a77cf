import math
import random

import pytest

from fluidbench.stats import _signed_rank_cut, speedup


def test_one_and_two_rounds_have_no_interval() -> None:
    assert speedup([10.0], [8.0]).interval is None
    two = speedup([10.0, 40.0], [5.0, 10.0])
    assert two.ratio == pytest.approx(math.sqrt(8.0))
    assert (two.interval, two.method) == (None, "geometric mean")


def test_three_rounds_give_the_paired_t_interval_on_logarithms() -> None:
    # scipy.stats.ttest_1samp(log(b/a), 0).confidence_interval(0.95), scipy 1.17
    estimate = speedup([10.2, 11.1, 9.8], [8.1, 8.9, 8.3])
    assert estimate.ratio == pytest.approx(1.228566595566676, rel=1e-12)
    assert estimate.interval == pytest.approx((1.1270028064203597, 1.3392831598498363), rel=1e-9)
    assert estimate.method == "geometric mean, paired t"


def test_eight_rounds_give_hodges_lehmann_and_the_exact_wilcoxon_interval() -> None:
    # the median of the Walsh averages, and the values that scipy.stats.wilcoxon(method="exact") does not reject
    before = [10.2, 11.1, 9.8, 10.6, 12.0, 9.9, 10.4, 11.6]
    after = [8.1, 8.9, 8.3, 8.2, 9.9, 8.8, 8.0, 9.1]
    estimate = speedup(before, after)
    assert estimate.ratio == pytest.approx(1.2409763243312182, rel=1e-12)
    assert estimate.interval == pytest.approx((1.180722891566265, 1.2873006086935783), rel=1e-9)
    assert estimate.method == "Hodges-Lehmann, exact Wilcoxon"


@pytest.mark.parametrize(
    # Hollander, Wolfe, Chicken, table A.4: the lower critical values of the signed rank statistic, two-sided 5 %,
    # are 0, 2, 3, 5, 8 for n = 6 to 10 and 52 for n = 20; values up to them are rejected, so the bound is the next
    ("n", "critical"),
    [(6, 0), (7, 2), (8, 3), (9, 5), (10, 8), (12, 13), (15, 25), (20, 52)],
)
def test_the_cut_of_the_signed_rank_test_is_that_of_the_printed_tables(n: int, critical: int) -> None:
    assert _signed_rank_cut(n) == critical + 1


def test_swapping_the_arms_gives_the_reciprocal() -> None:
    before, after = [10.0, 11.0, 9.0, 10.5, 12.0, 9.9, 10.4], [8.0, 8.5, 8.3, 8.1, 9.0, 8.8, 8.2]
    forward, backward = speedup(before, after), speedup(after, before)
    assert forward.ratio == pytest.approx(1 / backward.ratio)
    assert forward.interval is not None
    assert backward.interval is not None
    assert forward.interval == pytest.approx((1 / backward.interval[1], 1 / backward.interval[0]))


def test_equal_times_give_a_ratio_of_exactly_one() -> None:
    for n in (1, 2, 3, 6, 10):
        assert speedup([5.0] * n, [5.0] * n).ratio == 1.0


def test_arms_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError):
        speedup([1.0, 2.0], [1.0])


@pytest.mark.parametrize("n", [3, 5, 6, 10])
def test_the_interval_covers_the_truth_at_least_93_in_100_times(n: int) -> None:
    # a drifting machine, noise that strikes both arms of a round alike, and a true ratio of 1.25
    chance, covered, times = random.Random(n), 0, 1500
    for _ in range(times):
        drift = [1 + 0.05 * number + chance.expovariate(3) for number in range(n)]
        before = [1.25 * level * math.exp(chance.gauss(0, 0.03)) for level in drift]
        after = [level * math.exp(chance.gauss(0, 0.03)) for level in drift]
        low, high = speedup(before, after).interval or (0, 0)
        covered += low <= 1.25 <= high
    assert covered / times >= 0.93
