"""Point and interval of a speed-up from paired rounds, and how many more rounds should do. Pure; docs/measurement.md
says why these."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

CONFIDENCE = 0.95
POWER = 0.8
FEWEST_FOR_T = 3
FEWEST_FOR_WILCOXON = 6
# beyond so many the answer is not "more rounds" but "it lies at the margin"
MOST_ROUNDS = 1000


@dataclass(frozen=True)
class Estimate:
    """The centre of the per-round ratios; `interval` is None where there are too few rounds for one."""

    ratio: float
    interval: tuple[float, float] | None
    method: str


def speedup(baseline_s: Sequence[float], arm_s: Sequence[float]) -> Estimate:
    """How many times faster the arm is, from times of the same rounds in the same order, all above 0."""
    logs = [math.log(before / after) for before, after in zip(baseline_s, arm_s, strict=True)]
    if len(logs) < FEWEST_FOR_T:
        return Estimate(math.exp(statistics.fmean(logs)), None, "geometric mean")
    point, low, high = _hodges_lehmann(logs) if len(logs) >= FEWEST_FOR_WILCOXON else _paired_t(logs)
    method = "Hodges-Lehmann, exact Wilcoxon" if len(logs) >= FEWEST_FOR_WILCOXON else "geometric mean, paired t"
    return Estimate(math.exp(point), (math.exp(low), math.exp(high)), method)


def _paired_t(logs: Sequence[float]) -> tuple[float, float, float]:
    """Student's t on the differences of the logarithms (Student: The probable error of a mean, Biometrika 6, 1908)."""
    from scipy.stats import t  # takes a second to import

    mean = statistics.fmean(logs)
    half = t.ppf((1 + CONFIDENCE) / 2, len(logs) - 1) * statistics.stdev(logs) / math.sqrt(len(logs))
    return mean, mean - half, mean + half


def _hodges_lehmann(logs: Sequence[float]) -> tuple[float, float, float]:
    """The median of the Walsh averages, and the interval that inverts the exact signed-rank test
    (Hollander, Wolfe, Chicken: Nonparametric Statistical Methods, 3rd ed., 3.2 and 3.3). scipy has the test, not
    the interval."""
    walsh = sorted((first + second) / 2 for i, first in enumerate(logs) for second in logs[i:])
    cut = _signed_rank_cut(len(logs))
    return statistics.median(walsh), walsh[cut - 1], walsh[-cut]


def _signed_rank_cut(n: int) -> int:
    """The interval ends at the c-th smallest and the c-th largest Walsh average: the largest c with
    P(W < c) <= 2.5 %."""
    ways = [1]
    for rank in range(1, n + 1):
        without, including = ways + [0] * rank, [0] * rank + ways
        ways = [one + other for one, other in zip(without, including, strict=True)]
    tail, cut = 0, 0
    while (tail + ways[cut]) / 2**n <= (1 - CONFIDENCE) / 2:
        tail += ways[cut]
        cut += 1
    return cut


def half_width(interval: tuple[float, float]) -> float:
    """Half of an interval of ratios, as a part of 1: 0.98 to 1.02 is 0.02. Taken on the logarithms, where it is
    as far up as down."""
    low, high = interval
    return math.sqrt(high / low) - 1


def more_rounds(estimate: Estimate, rounds: int, margin: float) -> int | None:
    """How many more rounds should lead to a verdict in four of five cases, if ratio and spread stay what they are.

    The sample size of a t test on the mean of the logarithms with power 80 % (Chow, Shao, Wang: Sample Size
    Calculations in Clinical Research, 2nd ed., 3.1): the least n at which (t(97.5 %) + t(80 %)) s / sqrt(n) is less
    than the way from the ratio to the nearest end of the margin. None without an interval, and where it would take
    more than MOST_ROUNDS.
    """
    if estimate.interval is None:
        return None
    from scipy.stats import t

    low, high = (math.log(end) for end in estimate.interval)
    way = abs(abs(math.log(estimate.ratio)) - math.log1p(margin))
    spread = (high - low) / 2 * math.sqrt(rounds) / t.ppf((1 + CONFIDENCE) / 2, rounds - 1)
    counts = range(rounds + 1, MOST_ROUNDS + 1)
    freedom = [count - 1 for count in counts]
    reach = t.ppf((1 + CONFIDENCE) / 2, freedom) + t.ppf(POWER, freedom)
    enough = (n for n, factor in zip(counts, reach, strict=True) if factor * spread / math.sqrt(n) < way)
    found = next(enough, None)
    return None if found is None else found - rounds


def change(then_s: Sequence[float], now_s: Sequence[float]) -> Estimate:
    """How many times as long something takes now as it took then, from runs that are no pairs: Welch's t on the
    logarithms (Welch: The generalization of Student's problem, Biometrika 34, 1947)."""
    then, now = ([math.log(seconds) for seconds in times] for times in (then_s, now_s))
    ratio = math.exp(statistics.fmean(now) - statistics.fmean(then))
    if min(len(then), len(now)) < FEWEST_FOR_T:
        return Estimate(ratio, None, "geometric means")
    from scipy.stats import ttest_ind

    if statistics.pvariance(then) + statistics.pvariance(now) == 0:  # scipy has no interval of nothing
        return Estimate(ratio, (ratio, ratio), "geometric means, Welch's t")
    interval = ttest_ind(now, then, equal_var=False).confidence_interval(CONFIDENCE)
    return Estimate(ratio, (math.exp(interval.low), math.exp(interval.high)), "geometric means, Welch's t")
