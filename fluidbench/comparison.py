"""Recorded runs -> the comparison: whole rounds, ratios, savings, equivalence. Pure."""

import statistics
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from fluidbench import noise
from fluidbench.confounding import confounded
from fluidbench.control import SMALLEST_MARGIN, Control, control_of, margin_of
from fluidbench.records import Identity, Run, worst_cache
from fluidbench.regression import Change
from fluidbench.rounds import (
    NO_CODE,
    OwnCode,
    Round,
    comparable,
    differences,
    dropped,
    left_out,
    whole_rounds,
)
from fluidbench.stats import more_rounds, speedup


@dataclass(frozen=True)
class ArmStep:
    """One step of an arm: medians over the rounds."""

    name: str
    median_s: float
    phases: Mapping[str, float]
    read_bytes: int
    written_bytes: int
    peak_private_bytes: int
    peak_shared_bytes: int


@dataclass(frozen=True)
class Arm:
    """One store in the comparison: the ids of its runs, and medians over them."""

    label: str
    store: str
    runs: tuple[str, ...]
    median_s: float
    unaccounted_s: float
    service_start_s: float
    shared_memory_bytes: int
    steps: tuple[ArmStep, ...]


@dataclass(frozen=True)
class Compared:
    """An arm against the baseline in one scope. `ratio` is baseline / arm, None where a side is nothing;
    `saving_s` is the mean of the paired differences, so that scopes add up. `more_rounds`, of a total that cannot be
    told, is how many more should do; None where that cannot be told either."""

    arm: str
    baseline: str
    scope: str
    ratio: float | None
    interval: tuple[float, float] | None
    method: str
    verdict: str
    saving_s: float
    more_rounds: int | None = None


@dataclass(frozen=True)
class Single:
    """A run that stands beside the comparison: it has no partner in a whole round."""

    run_id: str
    store: str
    duration_s: float
    cache: str


@dataclass(frozen=True)
class Comparison:
    """What `compare` tells, and what `--json` prints. `noise` and `dropped` are sentences; `margin` is what verdicts
    are made against, and `against` how the arms changed since an earlier experiment."""

    identity: Identity | None
    rounds: int
    arms: tuple[Arm, ...]
    baseline: str
    comparisons: tuple[Compared, ...]
    equivalent: bool | None
    differences: tuple[str, ...] = ()
    singles: tuple[Single, ...] = ()
    not_comparable: Mapping[str, int] = field(default_factory=dict)
    cache: str = "unknown"
    control: Control | None = None
    confounded: tuple[str, ...] = ()
    margin: float = SMALLEST_MARGIN
    noise: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    experiments: tuple[str, ...] = ()
    against: tuple[Change, ...] = ()

    def total(self, arm: str) -> Compared:
        """The comparison of the whole run, which carries the verdict."""
        return next(entry for entry in self.comparisons if (entry.arm, entry.scope) == (arm, "total"))


def compare(runs: Sequence[Run], stores: Sequence[str], like: Run | None, own_code: OwnCode = NO_CODE) -> Comparison:
    """Compares the whole rounds among the runs that are comparable with `like`; the first store is the baseline."""
    baseline = stores[0]
    if like is None:
        return Comparison(None, 0, (), baseline, (), None)
    fitting = _fitting(runs, stores, like, own_code)
    rounds = whole_rounds(fitting, stores)
    paired = {run.run_id for entry in rounds for run in entry.values()}
    differing = tuple(differences(fitting))
    control = control_of(runs, baseline, like, own_code)
    margin = margin_of(control)
    return Comparison(
        identity=replace(like.identity, store=",".join(stores)),
        rounds=len(rounds),
        arms=tuple(_arm(store, [entry[store] for entry in rounds]) for store in stores) if rounds else (),
        baseline=baseline,
        comparisons=tuple(entry for arm in stores[1:] for entry in _compared(rounds, baseline, arm, margin)),
        equivalent=not differing if fitting else None,
        differences=differing,
        singles=tuple(
            Single(run.run_id, run.identity.store, run.duration_s, run.cache)
            for run in fitting if run.run_id not in paired
        ),
        not_comparable=left_out(runs, like, own_code),
        cache=worst_cache([run.cache for entry in rounds for run in entry.values()]),
        control=control,
        confounded=tuple(dict.fromkeys(reason for entry in rounds for reason in confounded(entry))),
        margin=margin,
        noise=tuple(noise.told(rounds, stores)),
        dropped=tuple(_dropped(runs, stores, {str(run.experiment_id) for run in fitting})),
        experiments=tuple(dict.fromkeys(str(run.experiment_id) for run in fitting if run.run_id in paired)),
    )  # fmt: skip


def rounds_of(runs: Sequence[Run], stores: Sequence[str], like: Run, own_code: OwnCode = NO_CODE) -> list[Round]:
    """The whole rounds that `compare` compares."""
    return whole_rounds(_fitting(runs, stores, like, own_code), stores)


def _fitting(runs: Sequence[Run], stores: Sequence[str], like: Run, own_code: OwnCode) -> list[Run]:
    return [run for run in runs if run.identity.store in stores and not comparable(run, like, own_code)]


def _dropped(runs: Sequence[Run], stores: Sequence[str], experiments: Collection[str]) -> Iterable[str]:
    for run in dropped(runs):
        if run.experiment_id in experiments and run.identity.store in stores:
            yield f"round {run.round} of {run.experiment_id} was dropped: {run.identity.store}: {_first_line(run)}"


def _first_line(run: Run) -> str:
    return (run.reason.splitlines() or [""])[0]


def scopes(rounds: Sequence[Round], stores: Sequence[str]) -> dict[str, Callable[[Run], float]]:
    """Every scope that any run of the stores has, and how to take its seconds from a run."""
    runs = [entry[store] for entry in rounds for store in stores]
    found: dict[str, Callable[[Run], float]] = {
        "total": lambda run: run.duration_s,
        "unaccounted": lambda run: run.unaccounted_s,
    }
    for run in runs:
        for step in run.steps:
            found.setdefault(f"step:{step.name}", lambda run, s=step.name: _seconds(run, s, None))  # type: ignore[misc]
            for phase in step.phases:
                found.setdefault(f"phase:{phase}", lambda run, p=phase: _seconds(run, None, p))  # type: ignore[misc]
                found.setdefault(
                    f"step:{step.name}/phase:{phase}",
                    lambda run, s=step.name, p=phase: _seconds(run, s, p),  # type: ignore[misc]
                )
    return found


def _seconds(run: Run, step: str | None, phase: str | None) -> float:
    return sum(
        seconds
        for one in run.steps if step in (None, one.name)
        for name, seconds in one.phases.items() if phase in (None, name)
    )  # fmt: skip


def _compared(rounds: Sequence[Round], baseline: str, arm: str, margin: float) -> Iterable[Compared]:
    if not rounds:
        return
    for scope, seconds in scopes(rounds, (baseline, arm)).items():
        before = [seconds(entry[baseline]) for entry in rounds]
        after = [seconds(entry[arm]) for entry in rounds]
        saving = statistics.fmean(one - other for one, other in zip(before, after, strict=True))
        if min(before + after) <= 0:
            yield Compared(arm, baseline, scope, None, None, "none", "cannot tell", saving)
            continue
        found = speedup(before, after)
        told = verdict(found.interval, margin)
        more = more_rounds(found, len(rounds), margin) if (scope, told) == ("total", "cannot tell") else None
        yield Compared(arm, baseline, scope, found.ratio, found.interval, found.method, told, saving, more)


def verdict(interval: tuple[float, float] | None, margin: float = SMALLEST_MARGIN) -> str:
    """faster, slower, same or cannot tell: where the interval lies against a margin on both sides of 1."""
    if interval is None:
        return "cannot tell"
    low, high = interval
    if low > 1 + margin:
        return "faster"
    if high < 1 / (1 + margin):
        return "slower"
    return "same" if low > 1 / (1 + margin) and high < 1 + margin else "cannot tell"


def _arm(store: str, runs: Sequence[Run]) -> Arm:
    def median(values: Iterable[float]) -> float:
        return statistics.median(values)

    steps = []
    for position, step in enumerate(runs[0].steps):
        same = [run.steps[position] for run in runs]
        steps.append(
            ArmStep(
                step.name,
                median(one.duration_s for one in same),
                {phase: median(one.phases.get(phase, 0.0) for one in same) for phase in step.phases},
                step.read_bytes,
                step.written_bytes,
                max(one.peak_private_bytes for one in same),
                max(one.peak_shared_bytes for one in same),
            )
        )
    return Arm(
        label=store, store=store, runs=tuple(run.run_id for run in runs),
        median_s=median(run.duration_s for run in runs), unaccounted_s=median(run.unaccounted_s for run in runs),
        service_start_s=median(run.service_start_s for run in runs),
        shared_memory_bytes=int(max(run.readings.get("shared_memory_bytes", 0.0) for run in runs)),
        steps=tuple(steps),
    )  # fmt: skip
