"""Where a saving came from, what it cost, and what it could be at best. Pure.

Everything here is a mean over the rounds, not a median as in the columns of the comparison: means add up.
"""

import itertools
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from fluidbench import comparison as comparing
from fluidbench import whatif
from fluidbench.comparison import Compared, Comparison
from fluidbench.control import is_control
from fluidbench.machines import Machine, machines
from fluidbench.records import Run, State
from fluidbench.rounds import comparable
from fluidbench.whatif import WhatIf

PART_OF = {
    "save": "exchange", "load": "exchange", "touch": "exchange",
    "compute": "compute",
    "startup": "startup", "exit": "startup",
    "scheduling": "orchestration", "image": "orchestration", "mount": "orchestration", "container": "orchestration",
    "pod": "orchestration",
}  # fmt: skip
# "other" holds phases that only a step without a report has: nobody can say what was in them
PARTS = ("exchange", "compute", "startup", "orchestration", "other")


@dataclass(frozen=True)
class StepMeans:
    """A step and its phases in order, on the mean."""

    name: str
    mean_s: float
    phases: Mapping[str, float]


@dataclass(frozen=True)
class Profile:
    """Where an arm's time went. `parts` add up to `mean_s`, and so do the steps' phases and `around_s`.

    `shared_memory_byte_s` is the shared memory held at the end times the run's duration: a store reserves it before
    the first step.
    """

    arm: str
    mean_s: float
    parts: Mapping[str, float]
    steps: tuple[StepMeans, ...]
    around_s: float
    dataset_s: float
    shared_memory_bytes: int
    shared_memory_byte_s: float
    nodes: tuple[str, ...]
    transports: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Saving:
    """What an arm saved against the baseline. `parts` add up to `saving_s`; `elsewhere_s` is what is not exchange."""

    arm: str
    baseline: str
    saving_s: float
    parts: Mapping[str, float]
    elsewhere_s: float


@dataclass(frozen=True)
class Ceiling:
    """What the baseline's run could save at most: if all exchange took no time, and if only what is handed over from
    step to step did. The dataset is read from a file in every store."""

    exchange_s: float
    exchange_ratio: float | None
    handed_over_s: float
    handed_over_ratio: float | None


@dataclass(frozen=True)
class RoundTimes:
    """One round that is compared: each arm's run, in the order in which they ran."""

    experiment_id: str
    round: int
    started_at: str
    runs: Mapping[str, str]
    durations_s: Mapping[str, float]
    ratios: Mapping[str, float | None]
    caches: Mapping[str, str]


@dataclass(frozen=True)
class BestFile:
    """The file store that was the fastest where it was not yet compared, and how the other arms stand against it.
    `comparisons` is empty where it is the baseline anyhow, or took no part in the rounds."""

    store: str
    chosen_from: str
    seconds: Mapping[str, float]
    comparisons: tuple[Compared, ...]


@dataclass(frozen=True)
class Analysis:
    """What the rounds of a comparison tell beside the times."""

    profiles: tuple[Profile, ...]
    savings: tuple[Saving, ...]
    ceiling: Ceiling
    rounds: tuple[RoundTimes, ...]
    best_file: BestFile | None
    what_if: tuple[WhatIf, ...]
    machines: tuple[Machine, ...]
    code_versions: tuple[str, ...]
    seeds: tuple[int, ...]
    warmups: int


def analyse(comparison: Comparison, recorded: Sequence[Run], bandwidth_bytes_per_s: float | None) -> Analysis | None:
    """The analysis of a comparison, from what is recorded; None without a whole round.

    `bandwidth_bytes_per_s` is that of another storage, to be asked what would have been.
    """
    if not comparison.rounds:
        return None
    by_id = {run.run_id: run for run in recorded}
    arms = {arm.label: [_as(by_id[run_id], arm.store) for run_id in arm.runs] for arm in comparison.arms}
    profiles = [_profile(label, runs) for label, runs in arms.items()]
    baseline, *others = profiles
    # in the order in which they were recorded, by which rounds that were repeated are told apart: clocks jump
    order = {run.run_id: place for place, run in enumerate(recorded)}
    compared = sorted((run for runs in arms.values() for run in runs), key=lambda run: order[run.run_id])
    return Analysis(
        profiles=tuple(profiles),
        savings=tuple(_saving(baseline, other) for other in others),
        ceiling=_ceiling(baseline),
        rounds=tuple(_rounds(arms)),
        best_file=None if is_control(list(arms)) else best_file(comparison, compared, recorded),
        what_if=_what_if(arms, bandwidth_bytes_per_s),
        machines=machines(compared, [arm.store for arm in comparison.arms]),
        code_versions=tuple(dict.fromkeys(run.code_version for run in compared)),
        seeds=tuple(dict.fromkeys(run.seed for run in compared if run.seed is not None)),
        warmups=len(_warmups(compared, recorded)),
    )


def _as(run: Run, arm: str) -> Run:
    """The run as one of its arm: both arms of a control are of one store."""
    return replace(run, control_arm="", identity=replace(run.identity, store=arm))


def parts_of(run: Run) -> dict[str, float]:
    """The run's duration in parts that add up to it."""
    parts = dict.fromkeys(PARTS, 0.0)
    for step in run.steps:
        for phase, seconds in step.phases.items():
            parts[PART_OF.get(phase, "other")] += seconds
    # what is around the steps, and what rounding left in no part
    parts["orchestration"] += run.duration_s - sum(parts.values())
    return parts


def _profile(label: str, runs: Sequence[Run]) -> Profile:
    mean = statistics.fmean
    parts = [parts_of(run) for run in runs]
    steps = tuple(_step_means(position, runs) for position in range(len(runs[0].steps)))
    mean_s = mean(run.duration_s for run in runs)
    held = [run.readings.get("shared_memory_bytes", 0.0) for run in runs]
    return Profile(
        arm=label,
        mean_s=mean_s,
        parts={part: mean(one[part] for one in parts) for part in PARTS},
        steps=steps,
        around_s=mean_s - sum(sum(step.phases.values()) for step in steps),
        dataset_s=mean(_dataset_s(run) for run in runs),
        shared_memory_bytes=int(max(held)),
        shared_memory_byte_s=mean(bytes_ * run.duration_s for bytes_, run in zip(held, runs, strict=True)),
        nodes=tuple(sorted({step.node for run in runs for step in run.steps if step.node})),
        transports={step.name: _transports(step.name, runs) for step in steps},
    )


def _step_means(position: int, runs: Sequence[Run]) -> StepMeans:
    same = [run.steps[position] for run in runs]
    phases = dict.fromkeys(phase for step in same for phase in step.phases)
    return StepMeans(
        same[0].name,
        statistics.fmean(step.duration_s for step in same),
        {phase: statistics.fmean(step.phases.get(phase, 0.0) for step in same) for phase in phases},
    )


def _transports(step: str, runs: Sequence[Run]) -> tuple[str, ...]:
    return tuple(sorted({one.transport for run in runs for one in run.steps if one.name == step and one.transport}))


def _dataset_s(run: Run) -> float:
    """Reading what no step wrote: the exchange that every store has alike."""
    dataset = f"df_{run.identity.multiplier}.pkl"
    return sum(
        step.phases.get("load", 0.0) + step.phases.get("touch", 0.0)
        for step in run.steps if {entry.name for entry in step.inputs} == {dataset}
    )  # fmt: skip


def _saving(baseline: Profile, arm: Profile) -> Saving:
    parts = {part: baseline.parts[part] - arm.parts[part] for part in PARTS}
    total = baseline.mean_s - arm.mean_s
    return Saving(arm.arm, baseline.arm, total, parts, total - parts["exchange"])


def _ceiling(baseline: Profile) -> Ceiling:
    exchange_s = baseline.parts["exchange"]
    handed_over_s = exchange_s - baseline.dataset_s
    return Ceiling(exchange_s, _without(baseline, exchange_s), handed_over_s, _without(baseline, handed_over_s))


def _without(baseline: Profile, seconds: float) -> float | None:
    rest = baseline.mean_s - seconds
    return baseline.mean_s / rest if rest > 0 else None


def _rounds(arms: Mapping[str, Sequence[Run]]) -> list[RoundTimes]:
    baseline, *others = arms
    rounds = []
    for same in zip(*arms.values(), strict=True):
        runs = dict(sorted(zip(arms, same, strict=True), key=lambda entry: entry[1].position or 0))
        before = runs[baseline].duration_s
        rounds.append(
            RoundTimes(
                experiment_id=same[0].experiment_id or "",
                round=same[0].round or 0,
                started_at=min(run.started_at for run in same),
                runs={label: run.run_id for label, run in runs.items()},
                durations_s={label: run.duration_s for label, run in runs.items()},
                ratios={
                    label: before / runs[label].duration_s if runs[label].duration_s > 0 else None for label in others
                },
                caches={label: run.cache for label, run in runs.items()},
            )
        )
    return rounds


def best_file(comparison: Comparison, compared: Sequence[Run], recorded: Sequence[Run]) -> BestFile | None:
    """Chosen from the warm-ups of these experiments or, where they do not have all, from earlier experiments."""
    like = compared[0]
    warm = _medians(_warmups(compared, recorded), like)
    earlier = _medians(_earlier(compared, recorded), like)
    seconds, chosen_from = (earlier, "earlier experiments") if set(earlier) > set(warm) else (warm, "warm-ups")
    if not seconds:
        return None
    best = min(seconds, key=lambda store: seconds[store])
    stores = [arm.store for arm in comparison.arms]
    if best == comparison.baseline or best not in stores:
        return BestFile(best, chosen_from, seconds, ())
    against = [best, *(store for store in stores if store not in seconds)]
    found = comparing.compare(compared, against, like)
    return BestFile(best, chosen_from, seconds, tuple(entry for entry in found.comparisons if entry.scope == "total"))


def _warmups(compared: Sequence[Run], recorded: Sequence[Run]) -> list[Run]:
    ids = {run.experiment_id for run in compared}
    return [run for run in recorded if run.warmup and run.experiment_id in ids and run.state is State.SUCCEEDED]


def _earlier(compared: Sequence[Run], recorded: Sequence[Run]) -> list[Run]:
    ids, first = {run.experiment_id for run in compared}, compared[0].run_id
    before = itertools.takewhile(lambda run: run.run_id != first, recorded)
    return [run for run in before if run.experiment_id and run.experiment_id not in ids and not run.warmup]


def _medians(runs: Sequence[Run], like: Run) -> dict[str, float]:
    """Of each file store among runs of the same work at the same place."""
    times: dict[str, list[float]] = {}
    for run in runs:
        same = comparable(replace(run, warmup=False), like) == ""
        if same and all(step.transport == "file" for step in run.steps):
            times.setdefault(run.identity.store, []).append(run.duration_s)
    return {store: statistics.median(found) for store, found in times.items()}


def _what_if(arms: Mapping[str, Sequence[Run]], bandwidth_bytes_per_s: float | None) -> tuple[WhatIf, ...]:
    storage = whatif.storage_of(run for runs in arms.values() for run in runs)
    baseline, *others = ((label, whatif.files_of(runs)) for label, runs in arms.items())
    return tuple(
        whatif.model((label, baseline[0]), baseline[1], files, storage, bandwidth_bytes_per_s)
        for label, files in others
    )
