"""What the runs would have taken on another storage: a model, not a measurement. Pure.

An arm that took T seconds, and read R bytes of files while the storage gave m bytes a second, takes

    T + R (1/w - 1/m)

at w bytes a second. m is the fastest cold read of a file among all steps of all arms: a storage gives at least so
much, and what a slower read took beyond R/m is work that stays. Where nothing was read cold, no storage was waited
for, and 1/m is 0. The same again for writes where a write waits for the storage, as it does on NFS at the closing of
the file; a local file system takes it into memory, and then 1/m is 0 for writes.
"""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from fluidbench.records import Run, Step

FROM_STORAGE = frozenset({"cold", "client-cold"})
# 50 MB/s to 12.8 GB/s, two points for each doubling
CURVE = tuple(50e6 * 2 ** (half / 2) for half in range(17))


@dataclass(frozen=True)
class Files:
    """What an arm did with files: means over its runs."""

    mean_s: float
    read_bytes: float
    written_bytes: float


@dataclass(frozen=True)
class Predicted:
    """Both arms at one bandwidth."""

    baseline_s: float
    arm_s: float
    ratio: float
    saving_s: float


@dataclass(frozen=True)
class Prediction:
    """At one bandwidth: where only reads wait for the storage, and where writes do too."""

    bandwidth_bytes_per_s: float
    reads_wait: Predicted
    writes_wait: Predicted


@dataclass(frozen=True)
class BreakEven:
    """The bandwidth at which both arms take the same time, and where the arm is the faster one:
    below it, above it, always, never; or always the same."""

    bandwidth_bytes_per_s: float | None
    faster: str


@dataclass(frozen=True)
class WhatIf:
    """The model of one arm against the baseline. The bandwidths are what the runs themselves saw; None: they never
    waited for a storage."""

    arm: str
    baseline: str
    read_bytes_per_s: float | None
    write_bytes_per_s: float | None
    baseline_files: Files
    arm_files: Files
    break_even: BreakEven
    break_even_writes_wait: BreakEven
    asked: Prediction | None
    curve: tuple[Prediction, ...]


@dataclass(frozen=True)
class Storage:
    """Seconds that the storage took for a byte, as far as the runs tell."""

    read_s_per_byte: float
    write_s_per_byte: float


def storage_of(runs: Iterable[Run]) -> Storage:
    """The fastest that any step got from a cold file; on a network file system, or an emulated storage, the fastest
    that it wrote, too.

    A step of an arm counts with the median of its runs: one lucky run is not the storage.
    """
    reads: dict[tuple[str, str], list[float]] = {}
    writes: dict[tuple[str, str], list[float]] = {}
    for run in runs:
        for step in run.steps:
            same = (run.identity.store, step.name)
            if _caches(step) and _caches(step) <= FROM_STORAGE and step.phases.get("load", 0) > 0:
                reads.setdefault(same, []).append(step.phases["load"] / _read(step))
            waited = "client-cold" in _caches(step) or run.identity.storage is not None
            if waited and _written(step) and step.phases.get("save", 0) > 0:
                writes.setdefault(same, []).append(step.phases["save"] / _written(step))
    return Storage(_fastest(reads.values()), _fastest(writes.values()))


def files_of(runs: Sequence[Run]) -> Files:
    """What the runs of one arm did with files, on the mean."""
    return Files(
        statistics.fmean(run.duration_s for run in runs),
        statistics.fmean(sum(map(_read, run.steps)) for run in runs),
        statistics.fmean(sum(map(_written, run.steps)) for run in runs),
    )


def model(
    names: tuple[str, str], baseline: Files, arm: Files, storage: Storage, asked_bytes_per_s: float | None
) -> WhatIf:
    """The model for the arm and the baseline that `names` calls so."""

    def at(bandwidth: float) -> Prediction:
        return Prediction(
            bandwidth,
            _predicted(baseline, arm, storage, bandwidth, writes_wait=False),
            _predicted(baseline, arm, storage, bandwidth, writes_wait=True),
        )

    return WhatIf(
        arm=names[0],
        baseline=names[1],
        read_bytes_per_s=_inverse(storage.read_s_per_byte),
        write_bytes_per_s=_inverse(storage.write_s_per_byte),
        baseline_files=baseline,
        arm_files=arm,
        break_even=break_even(baseline, arm, storage, writes_wait=False),
        break_even_writes_wait=break_even(baseline, arm, storage, writes_wait=True),
        asked=at(asked_bytes_per_s) if asked_bytes_per_s else None,
        curve=tuple(map(at, CURVE)),
    )


def seconds(files: Files, storage: Storage, bandwidth: float, *, writes_wait: bool) -> float:
    """What a run of the arm would take at so many bytes a second."""
    added = files.read_bytes * (1 / bandwidth - storage.read_s_per_byte)
    if writes_wait:
        added += files.written_bytes * (1 / bandwidth - storage.write_s_per_byte)
    return files.mean_s + added


def break_even(baseline: Files, arm: Files, storage: Storage, *, writes_wait: bool) -> BreakEven:
    """Where the saving is 0: it is linear in the seconds for a byte, 1/w."""
    more = baseline.read_bytes - arm.read_bytes
    # the saving of a storage that takes no time at all
    saving = baseline.mean_s - arm.mean_s - more * storage.read_s_per_byte
    if writes_wait:
        written = baseline.written_bytes - arm.written_bytes
        saving -= written * storage.write_s_per_byte
        more += written
    if saving * more < 0:
        return BreakEven(-more / saving, "below" if more > 0 else "above")
    total = saving or more
    return BreakEven(None, "always" if total > 0 else "never" if total < 0 else "always the same")


def _predicted(baseline: Files, arm: Files, storage: Storage, bandwidth: float, *, writes_wait: bool) -> Predicted:
    before = seconds(baseline, storage, bandwidth, writes_wait=writes_wait)
    after = seconds(arm, storage, bandwidth, writes_wait=writes_wait)
    return Predicted(before, after, before / after, before - after)


def _fastest(s_per_byte: Iterable[Sequence[float]]) -> float:
    return min(map(statistics.median, s_per_byte), default=0.0)


def _read(step: Step) -> int:
    """Bytes that came from files, warm ones too; a table in memory is none."""
    return sum(entry.bytes for entry in step.inputs if entry.cache != "memory")


def _written(step: Step) -> int:
    return step.written_bytes if step.transport == "file" else 0


def _caches(step: Step) -> set[str]:
    """The cache states of the files that a step read."""
    return {entry.cache for entry in step.inputs if entry.cache != "memory" and entry.bytes}


def _inverse(s_per_byte: float) -> float | None:
    return 1 / s_per_byte if s_per_byte > 0 else None
