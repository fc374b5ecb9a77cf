"""Runs of machines that are not the same: what tells them apart, and laying them side by side. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from fluidbench.comparison import Compared, compare
from fluidbench.records import Fingerprint, Run
from fluidbench.rounds import NO_CODE, OwnCode, comparable, whole_rounds


@dataclass(frozen=True)
class Machine:
    """One of the machines that took part: the facts of its fingerprint, and its own rounds compared."""

    hash: str
    facts: Mapping[str, str]
    rounds: int
    median_s: Mapping[str, float]
    comparisons: tuple[Compared, ...]


@dataclass(frozen=True)
class Foreign:
    """Whole rounds that only the fingerprint keeps out of a comparison, and each fact that differs: (here, there)."""

    hash: str
    rounds: int
    differences: Mapping[str, tuple[str, str]]


def differences(ours: Fingerprint, theirs: Fingerprint) -> dict[str, tuple[str, str]]:
    """Every fact that is not the same in both."""
    names = sorted({*ours.facts, *theirs.facts})
    told = {name: (ours.facts.get(name, "unknown"), theirs.facts.get(name, "unknown")) for name in names}
    return {name: both for name, both in told.items() if both[0] != both[1]}


def alike(runs: Iterable[Run], like: Run | None) -> list[Run]:
    """The runs as if all had been made where `like` was: the fingerprint no longer keeps them apart."""
    return [replace(run, fingerprint=like.fingerprint) if like else run for run in runs]


def foreign(runs: Sequence[Run], stores: Sequence[str], like: Run | None, own_code: OwnCode = NO_CODE) -> list[Foreign]:
    """The whole rounds of other machines, with what differs."""
    if like is None:
        return []
    others: dict[str, list[Run]] = {}
    for run in runs:
        if run.fingerprint.hash != like.fingerprint.hash and not comparable(
            replace(run, fingerprint=like.fingerprint), like, own_code
        ):
            others.setdefault(run.fingerprint.hash, []).append(run)
    return [
        Foreign(name, rounds, differences(like.fingerprint, same[0].fingerprint))
        for name, same in others.items()
        if (rounds := len(whole_rounds(same, stores)))
    ]


def machines(runs: Sequence[Run], stores: Sequence[str]) -> tuple[Machine, ...]:
    """Each machine among runs of whole rounds, and what its own rounds tell."""
    found: dict[str, list[Run]] = {}
    for run in runs:
        found.setdefault(run.fingerprint.hash, []).append(run)
    return tuple(_machine(same, stores) for same in found.values())


def _machine(runs: Sequence[Run], stores: Sequence[str]) -> Machine:
    found = compare(runs, stores, runs[0])
    return Machine(
        hash=runs[0].fingerprint.hash,
        facts=runs[0].fingerprint.facts,
        rounds=found.rounds,
        median_s={arm.store: arm.median_s for arm in found.arms},
        comparisons=tuple(entry for entry in found.comparisons if entry.scope == "total"),
    )
