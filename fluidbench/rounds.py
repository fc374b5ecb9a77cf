"""Which runs are compared: those of one identity, as whole rounds, that did the same work. Pure."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from fluidbench.records import Run, State

RELATIVE_TOLERANCE = 1e-9
Round = Mapping[str, Run]
# the code, as it is now, of the stores that bring their own: two stores never have the same
OwnCode = Mapping[str, str]
NO_CODE: OwnCode = {}


def comparable(run: Run, like: Run, own_code: OwnCode = NO_CODE) -> str:
    """Why the two cannot be compared, in a word or two; "" where they can."""
    if run.warmup or run.control_arm:
        return "a warm-up" if run.warmup else "a control"
    return mismatch(run, like, own_code) if run.state is State.SUCCEEDED else f"{run.state}"


def mismatch(run: Run, like: Run, own_code: OwnCode = NO_CODE) -> str:
    """What differs in what was measured, where, and with which code; "" where nothing does."""
    if replace(run.identity, store="") != replace(like.identity, store=""):
        ours, theirs = vars(like.identity), vars(run.identity)
        return "another " + ", ".join(name for name in ours if name != "store" and ours[name] != theirs[name])
    if run.fingerprint.hash != like.fingerprint.hash:
        ours, theirs = dict(like.fingerprint.facts), dict(run.fingerprint.facts)
        return "another " + ", ".join(name for name in sorted(ours | theirs) if ours.get(name) != theirs.get(name))
    return "" if _same_code(run, like, own_code) else "another code version"


def _same_code(run: Run, like: Run, own_code: OwnCode) -> bool:
    version, own = split_code(run.code_version)
    return version == split_code(like.code_version)[0] and own == own_code.get(run.identity.store, own)


def split_code(code_version: str) -> tuple[str, str]:
    """A code version as that of FluidBench and its steps, and the hash of a store that brings its own code."""
    version, plus, hashes = code_version.rpartition("+")
    steps, _, own = hashes.partition(".")
    return f"{version}{plus}{steps}", own


def whole_rounds(runs: Iterable[Run], stores: Sequence[str]) -> list[Round]:
    """The rounds in which every store succeeded, the oldest first; only those are compared, as pairs.

    A torn round is run again whole. Its runs come in their order, so one that stands no later in the round than
    another begins a new attempt, and what came of the last one is forgotten: a pair is never made of two attempts.
    """
    rounds: dict[tuple[str, int], dict[str, Run]] = {}
    for run in runs:
        if run.experiment_id and run.round and run.identity.store in stores:
            entry = rounds.setdefault((run.experiment_id, run.round), {})
            position = run.position or 0
            kept = {store: other for store, other in entry.items() if (other.position or 0) < position}
            rounds[run.experiment_id, run.round] = {**kept, run.identity.store: run}
    return [entry for entry in rounds.values() if len(entry) == len(stores)]


def dropped(runs: Iterable[Run]) -> Iterator[Run]:
    """The runs that failed in a round, which was dropped for it."""
    return (run for run in runs if run.round and run.experiment_id and run.state is State.FAILED)


def differences(runs: Sequence[Run]) -> Iterable[str]:
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


def left_out(runs: Sequence[Run], like: Run, own_code: OwnCode = NO_CODE) -> dict[str, int]:
    """Why runs were left out, and how many; a warm-up or a control is not meant to be compared."""
    found: dict[str, int] = {}
    for run in runs:
        reason = comparable(run, like, own_code)
        if reason and not run.warmup and not run.control_arm:
            found[reason] = found.get(reason, 0) + 1
    return found
