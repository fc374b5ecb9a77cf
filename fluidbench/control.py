"""The noise floor: a store against itself (A/A), and the margin that it sets. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from fluidbench.records import Run
from fluidbench.rounds import NO_CODE, OwnCode, comparable, whole_rounds
from fluidbench.stats import half_width, speedup

SMALLEST_MARGIN = 0.02
CONTROL_ARMS = ("a", "b")


@dataclass(frozen=True)
class Control:
    """What two equal arms differed by. `half_width` is that of `interval`, as a part of 1, and `differs` says that
    the interval leaves out 1: then it is more than noise that tells the two apart."""

    store: str
    rounds: int
    ratio: float
    interval: tuple[float, float]
    half_width: float
    method: str
    differs: bool


def as_pair(runs: Iterable[Run], store: str) -> list[Run]:
    """The runs of a store's controls as those of two arms, which then compare like any two stores."""
    return [_renamed(run) for run in runs if run.control_arm and run.identity.store == store]


def control_of(runs: Iterable[Run], store: str, like: Run, own_code: OwnCode = NO_CODE) -> Control | None:
    """The control of a store that is recorded for this identity; None below three rounds, which give no interval."""
    pairs = [run for run in as_pair(runs, store) if not comparable(run, like, own_code)]
    first, second = arms_of(store)
    rounds = whole_rounds(pairs, (first, second))
    if not rounds or min(run.duration_s for entry in rounds for run in entry.values()) <= 0:
        return None
    found = speedup([entry[first].duration_s for entry in rounds], [entry[second].duration_s for entry in rounds])
    if found.interval is None:
        return None
    differs = not found.interval[0] <= 1 <= found.interval[1]
    return Control(store, len(rounds), found.ratio, found.interval, half_width(found.interval), found.method, differs)


def margin_of(control: Control | None) -> float:
    """How much two arms must differ before it is called a difference."""
    return max(SMALLEST_MARGIN, control.half_width) if control else SMALLEST_MARGIN


def arms_of(store: str) -> tuple[str, str]:
    """The names of the two equal arms."""
    return store, f"{store} again"


def is_control(arms: Sequence[str]) -> bool:
    """Whether these are the arms of a control."""
    return tuple(arms) == arms_of(arms[0])


def _renamed(run: Run) -> Run:
    name = arms_of(run.identity.store)[CONTROL_ARMS.index(run.control_arm)]
    return replace(run, control_arm="", identity=replace(run.identity, store=name))
