"""Point and interval of a speed-up from paired rounds. Pure; docs/measurement.md says why these."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

CONFIDENCE = 0.95
FEWEST_FOR_T = 3
FEWEST_FOR_WILCOXON = 6


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
    """Student's t on the differences of the logarithms."""
    from scipy.stats import t  # takes a second to import

    mean = statistics.fmean(logs)
    half = t.ppf((1 + CONFIDENCE) / 2, len(logs) - 1) * statistics.stdev(logs) / math.sqrt(len(logs))
    return mean, mean - half, mean + half


def _hodges_lehmann(logs: Sequence[float]) -> tuple[float, float, float]:
    """The median of the Walsh averages, and the interval that inverts the exact signed-rank test
    (Hollander, Wolfe, Chicken: Nonparametric Statistical Methods, 3rd ed., 3.2 and 3.3)."""
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
