"""What else may have moved the times: outliers, drift, and what the machine was doing meanwhile. Pure, and in plain
words: none of it changes a verdict."""

import statistics
from collections.abc import Iterator, Sequence

from fluidbench import text
from fluidbench.rounds import Round

FEWEST_FOR_OUTLIERS = 5
FEWEST_FOR_DRIFT = 6
# of the modified z-score, as its authors recommend
OUTLIER_SCORE = 3.5
# beneath it a run that stands out, or a machine that drifts, is not worth a word
WORTH_TELLING = 0.02
# a reading, the share of a run's time above which it is told, and the words for it
SHARES = (
    ("cpu_steal_share", 0.01, "the hypervisor took processor time away"),
    ("throttled_share", 0.0, "the CPU limit of the control group throttled the processors"),
    ("pressure_memory_share", 0.01, "something waited for memory"),
    ("pressure_cpu_share", 0.25, "something waited for a processor"),
)
# above the usual of the same store: a cold run waits for its files by its nature
DISK_PRESSURE_ABOVE_USUAL = 0.1


def told(rounds: Sequence[Round], stores: Sequence[str]) -> list[str]:
    """Everything that an expert would want to know before believing the times, a sentence each."""
    return [*_drift(rounds), *_outliers(rounds, stores), *_readings(rounds, stores)]


def outlying(values: Sequence[float]) -> list[int]:
    """The positions of outliers by the modified z-score, the distance from the median in units of the median
    absolute deviation (Iglewicz, Hoaglin: How to Detect and Handle Outliers, 1993)."""
    if len(values) < FEWEST_FOR_OUTLIERS:
        return []
    middle = statistics.median(values)
    deviation = statistics.median(abs(value - middle) for value in values)
    limit = max(OUTLIER_SCORE * deviation / 0.6745, WORTH_TELLING * middle)
    return [position for position, value in enumerate(values) if abs(value - middle) > limit]


def drift(levels: Sequence[float]) -> float | None:
    """By which factor the second half of the rounds took longer than the first; None where the halves overlap.

    Halves of which one lies wholly above the other are the most extreme outcome of the rank sum test (Mann, Whitney,
    1947): of a machine that does not drift they come once in ten times with six rounds, once in 126 with ten.
    """
    if len(levels) < FEWEST_FOR_DRIFT:
        return None
    half = len(levels) // 2
    first, second = levels[:half], levels[-half:]
    factor = statistics.median(second) / statistics.median(first)
    apart = max(first) < min(second) or max(second) < min(first)
    return factor if apart and abs(factor - 1) > WORTH_TELLING else None


def _drift(rounds: Sequence[Round]) -> Iterator[str]:
    if not rounds or min(run.duration_s for entry in rounds for run in entry.values()) <= 0:
        return
    factor = drift([statistics.geometric_mean(run.duration_s for run in entry.values()) for entry in rounds])
    if factor is not None:
        word = "slower" if factor > 1 else "faster"
        yield (
            f"drift: the machine got {word}, all stores together took {abs(factor - 1):.0%} "
            f"{'longer' if factor > 1 else 'less'} in the second half of the rounds than in the first. "
            "The rounds are interleaved, so the ratios bear it; the seconds are those of both halves."
        )


def _outliers(rounds: Sequence[Round], stores: Sequence[str]) -> Iterator[str]:
    for store in stores:
        seconds = [entry[store].duration_s for entry in rounds]
        for position in outlying(seconds):
            usual = statistics.median(seconds)
            yield (
                f"outlier: {store} took {text.seconds(seconds[position])} in round {position + 1}, "
                f"usually {text.seconds(usual)}. It counts."
            )


def _readings(rounds: Sequence[Round], stores: Sequence[str]) -> Iterator[str]:
    for name, limit, what in SHARES:
        shares = [
            (run.readings[name], number, store)
            for number, entry in enumerate(rounds, 1)
            for store, run in entry.items() if store in stores and name in run.readings
        ]  # fmt: skip
        yield from _told(what, [entry for entry in shares if entry[0] > limit], len(shares))
    yield from _told("something waited for the disk more than usual", *_disk(rounds, stores))


def _disk(rounds: Sequence[Round], stores: Sequence[str]) -> tuple[list[tuple[float, int, str]], int]:
    """The runs that waited longer for the disk than others of their store."""
    name, found, count = "pressure_io_share", [], 0
    for store in stores:
        shares = [(entry[store].readings[name], n, store) for n, entry in enumerate(rounds, 1)
                  if name in entry[store].readings]  # fmt: skip
        usual = statistics.median(share for share, _, _ in shares) if shares else 0.0
        found += [entry for entry in shares if entry[0] > usual + DISK_PRESSURE_ABOVE_USUAL]
        count += len(shares)
    return found, count


def _told(what: str, found: Sequence[tuple[float, int, str]], of: int) -> Iterator[str]:
    if found:
        share, number, store = max(found)
        part = f"{share:.0%}" if share >= 0.01 else f"{share:.1%}"
        yield f"{what} in {len(found)} of {of} runs: at worst {part} of the time, {store} in round {number}."
