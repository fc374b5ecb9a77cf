import math

import pytest

from fluidbench.stats import Estimate, _signed_rank_cut, change, half_width, more_rounds, speedup


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


def test_half_of_an_interval_is_taken_on_the_logarithms() -> None:
    assert half_width((1 / 1.02, 1.02)) == pytest.approx(0.02)
    assert half_width((1.30, 1.30)) == 0.0


def made(ratio: float, half: float) -> Estimate:
    return Estimate(ratio, (ratio / (1 + half), ratio * (1 + half)), "made")


def test_more_rounds_are_those_of_the_sample_size_of_a_t_test() -> None:
    # spread = log(1.05) sqrt(6) / t(0.975, 5) = 0.0465; the way from 1.06 to 1.02 is 0.0385:
    # 14 is the first n at which (t(0.975, n-1) + t(0.8, n-1)) 0.0465 / sqrt(n) is less
    assert more_rounds(made(1.06, 0.05), 6, 0.02) == 14 - 6


def test_the_further_from_the_margin_the_fewer_rounds_are_asked_for() -> None:
    asked = [more_rounds(made(ratio, 0.1), 6, 0.02) or 0 for ratio in (1.04, 1.06, 1.10, 1.20)]
    assert asked == sorted(asked, reverse=True)
    assert asked[-1] >= 1
    assert more_rounds(made(0.9, 0.1), 6, 0.02) == more_rounds(made(1 / 0.9, 0.1), 6, 0.02)


def test_at_the_margin_itself_no_number_of_rounds_is_named() -> None:
    assert more_rounds(made(1.02, 0.1), 6, 0.02) is None
    assert more_rounds(Estimate(1.5, None, "geometric mean"), 2, 0.02) is None


def test_a_change_is_now_over_then_with_welchs_interval() -> None:
    # exp of scipy.stats.ttest_ind(log(now), log(then), equal_var=False).confidence_interval(0.95), scipy 1.17
    found = change([10.0, 10.4, 10.1], [12.1, 12.9, 12.2, 12.6])
    assert found.ratio == pytest.approx(1.2251, abs=1e-3)
    assert found.interval is not None
    low, high = found.interval
    assert low < found.ratio < high
    assert math.sqrt(low * high) == pytest.approx(found.ratio)
    assert change([1.0, 1.0, 1.0], [2.0, 2.0, 2.0]).interval == (2.0, 2.0)
    assert change([1.0, 1.0], [2.0, 2.0, 2.0]).interval is None
