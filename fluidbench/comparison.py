"""Recorded runs -> the comparison: whole rounds, ratios, savings, equivalence. Pure."""

import math
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from fluidbench.confounding import Round, confounded
from fluidbench.records import Identity, Run, State, worst_cache
from fluidbench.stats import speedup

SMALLEST_MARGIN = 0.02
RELATIVE_TOLERANCE = 1e-9
NO_CODE: Mapping[str, str] = {}


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
    `saving_s` is the mean of the paired differences, so that scopes add up."""

    arm: str
    baseline: str
    scope: str
    ratio: float | None
    interval: tuple[float, float] | None
    method: str
    verdict: str
    saving_s: float


@dataclass(frozen=True)
class Single:
    """A run that stands beside the comparison: it has no partner in a whole round."""

    run_id: str
    store: str
    duration_s: float
    cache: str


@dataclass(frozen=True)
class Comparison:
    """What `compare` tells, and what `--json` prints."""

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
    control: float | None = None
    confounded: tuple[str, ...] = ()

    def total(self, arm: str) -> Compared:
        """The comparison of the whole run, which carries the verdict."""
        return next(entry for entry in self.comparisons if (entry.arm, entry.scope) == (arm, "total"))


def comparable(run: Run, like: Run, own_code: Mapping[str, str] = NO_CODE) -> str:
    """Why the two cannot be compared, in a word or two; "" where they can.

    `own_code` tells the code, as it is now, of the stores that bring their own: two stores never have the same.
    """
    if run.warmup or run.state is not State.SUCCEEDED:
        return "a warm-up" if run.warmup else f"{run.state}"
    if replace(run.identity, store="") != replace(like.identity, store=""):
        ours, theirs = vars(like.identity), vars(run.identity)
        return "another " + ", ".join(name for name in ours if name != "store" and ours[name] != theirs[name])
    if run.fingerprint.hash != like.fingerprint.hash:
        ours, theirs = dict(like.fingerprint.facts), dict(run.fingerprint.facts)
        return "another " + ", ".join(name for name in sorted(ours | theirs) if ours.get(name) != theirs.get(name))
    version, own = split_code(run.code_version)
    same = version == split_code(like.code_version)[0] and own == own_code.get(run.identity.store, own)
    return "" if same else "another code version"


def split_code(code_version: str) -> tuple[str, str]:
    """A code version as that of FluidBench and its steps, and the hash of a store that brings its own code."""
    version, plus, hashes = code_version.rpartition("+")
    steps, _, own = hashes.partition(".")
    return f"{version}{plus}{steps}", own


def whole_rounds(runs: Iterable[Run], stores: Sequence[str]) -> list[Round]:
    """The rounds in which every store succeeded, the oldest first; only those are compared, as pairs."""
    rounds: dict[tuple[str, int], dict[str, Run]] = {}
    for run in runs:
        if run.experiment_id and run.round and run.identity.store in stores:
            rounds.setdefault((run.experiment_id, run.round), {})[run.identity.store] = run
    return [entry for entry in rounds.values() if len(entry) == len(stores)]


def compare(
    runs: Sequence[Run], stores: Sequence[str], like: Run | None, own_code: Mapping[str, str] = NO_CODE
) -> Comparison:
    """Compares the whole rounds among the runs that are comparable with `like`; the first store is the baseline."""
    baseline = stores[0]
    if like is None:
        return Comparison(None, 0, (), baseline, (), None)
    fitting = [run for run in runs if run.identity.store in stores and not comparable(run, like, own_code)]
    rounds = whole_rounds(fitting, stores)
    paired = {run.run_id for entry in rounds for run in entry.values()}
    differences = tuple(_differences(fitting))
    return Comparison(
        identity=replace(like.identity, store=",".join(stores)),
        rounds=len(rounds),
        arms=tuple(_arm(store, [entry[store] for entry in rounds]) for store in stores) if rounds else (),
        baseline=baseline,
        comparisons=tuple(entry for arm in stores[1:] for entry in _compared(rounds, baseline, arm)) if rounds else (),
        equivalent=not differences if fitting else None,
        differences=differences,
        singles=tuple(
            Single(run.run_id, run.identity.store, run.duration_s, run.cache)
            for run in fitting if run.run_id not in paired
        ),
        not_comparable=_reasons(runs, like, own_code),
        confounded=tuple(dict.fromkeys(reason for entry in rounds for reason in confounded(entry))),
        cache=worst_cache([run.cache for entry in rounds for run in entry.values()]),
    )  # fmt: skip


def scopes(rounds: Sequence[Round], stores: Sequence[str]) -> dict[str, Callable[[Run], float]]:
    """Every scope that any run of the stores has, and how to take its seconds from a run."""
    runs = [entry[store] for entry in rounds for store in stores]
    found: dict[str, Callable[[Run], float]] = {"total": lambda run: run.duration_s}
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


def _compared(rounds: Sequence[Round], baseline: str, arm: str) -> Iterable[Compared]:
    for scope, seconds in scopes(rounds, (baseline, arm)).items():
        before = [seconds(entry[baseline]) for entry in rounds]
        after = [seconds(entry[arm]) for entry in rounds]
        saving = statistics.fmean(before) - statistics.fmean(after)
        if min(before + after) <= 0:
            yield Compared(arm, baseline, scope, None, None, "none", "cannot tell", saving)
            continue
        estimate = speedup(before, after)
        yield Compared(
            arm,
            baseline,
            scope,
            estimate.ratio,
            estimate.interval,
            estimate.method,
            verdict(estimate.interval),
            saving,
        )


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


def _differences(runs: Sequence[Run]) -> Iterable[str]:
    """Where the runs did not do the same work or not get the same results, against the first of them."""
    for run in runs[1:]:
        for name, expected in runs[0].results.items():
            if not _same(run.results.get(name), expected):
                yield (
                    f"{name} of run {run.run_id} ({run.identity.store}) is not that of run "
                    f"{runs[0].run_id} ({runs[0].identity.store})"
                )


def _same(value: object, expected: object) -> bool:
    if isinstance(expected, Mapping) and isinstance(value, Mapping):
        return value.keys() == expected.keys() and all(_same(value[key], expected[key]) for key in expected)
    if isinstance(expected, list) and isinstance(value, list) and len(value) == len(expected):
        return all(map(_same, value, expected))
    if isinstance(expected, float) and isinstance(value, float):
        return math.isclose(value, expected, rel_tol=RELATIVE_TOLERANCE)
    return value == expected


def _reasons(runs: Sequence[Run], like: Run, own_code: Mapping[str, str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for run in runs:
        reason = comparable(run, like, own_code)
        if reason and not run.warmup:
            found[reason] = found.get(reason, 0) + 1
    return found
