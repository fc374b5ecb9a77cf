"""Whether an arm got slower than it was in an earlier experiment. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from fluidbench.errors import ResultProblem, SlowerThanAllowed, UsageProblem
from fluidbench.records import Run
from fluidbench.rounds import Round, mismatch, whole_rounds
from fluidbench.stats import FEWEST_FOR_T, change


@dataclass(frozen=True)
class Change:
    """An arm now against the same arm in `experiment_id`. `ratio` is now / then: above 1 it got slower."""

    arm: str
    experiment_id: str
    rounds_then: int
    rounds_now: int
    ratio: float
    interval: tuple[float, float] | None
    method: str


def earlier_rounds(runs: Sequence[Run], experiment_id: str, stores: Sequence[str], like: Run) -> list[Round]:
    """The whole rounds of an earlier experiment. Raises ResultProblem where it is no yardstick for runs like `like`.

    The code may have changed: that is what a nightly job looks for.
    """
    succeeded = [run for run in runs if not run.warmup and run.state == "Succeeded" and run.identity.store in stores]
    rounds = whole_rounds(succeeded, stores)
    same_code = [replace(run, code_version=like.code_version) for entry in rounds for run in entry.values()]
    if reason := next((reason for run in same_code if (reason := mismatch(run, like))), ""):
        raise ResultProblem(
            f"experiment {experiment_id} measured something else: {reason}",
            "Name one of the same identity and machine; `fluidbench history` lists them in the column round.",
        )
    if len(rounds) < FEWEST_FOR_T:
        raise ResultProblem(
            f"experiment {experiment_id} has {len(rounds)} whole rounds of {', '.join(stores)}; "
            f"it takes {FEWEST_FOR_T} to compare with",
            "Name another one, or record one: fluidbench compare --rounds 6",
        )
    return rounds


def changes(then: Sequence[Round], now: Sequence[Round], arms: Sequence[str], experiment_id: str) -> tuple[Change, ...]:
    """How each arm's time changed; arms that took no time at all are left out."""
    found = []
    for arm in arms:
        before, after = ([entry[arm].duration_s for entry in rounds] for rounds in (then, now))
        if after and min(before + after) > 0:
            estimate = change(before, after)
            found.append(
                Change(arm, experiment_id, len(then), len(now), estimate.ratio, estimate.interval, estimate.method)
            )
    return tuple(found)


def percentage(word: str) -> float:
    """5% or 5 as 0.05. Raises UsageProblem."""
    try:
        value = float(word.strip().removesuffix("%")) / 100
    except ValueError:
        value = -1.0
    if not 0 <= value < 100:
        raise UsageProblem(f"--fail-over {word!r} is not a percentage", "Say: --fail-over 5%")
    return value


def require_no_slower(found: Sequence[Change], allowed: float) -> None:
    """Raises SlowerThanAllowed where a whole interval lies beyond what is allowed."""
    slower = [entry for entry in found if entry.interval and entry.interval[0] > 1 + allowed]
    if slower:
        raise SlowerThanAllowed(
            f"{'; '.join(map(sentence, slower))}: more than the {allowed:.1%} allowed",
            "See in which step and phase: compare the medians of both with --json.",
        )


def sentence(entry: Change) -> str:
    """What became of an arm, in words."""
    if entry.interval is None:
        return f"{entry.arm}: {entry.rounds_now} rounds are too few to compare with experiment {entry.experiment_id}"
    low, high = entry.interval
    return (
        f"{entry.arm} takes {entry.ratio:.2f} times as long as in experiment {entry.experiment_id} "
        f"({low:.2f} to {high:.2f}, {entry.rounds_now} rounds against {entry.rounds_then})"
    )
