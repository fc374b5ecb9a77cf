"""What every target can do; the runner knows no more of it."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from fluidbench.dataset import Dataset
from fluidbench.errors import FluidbenchError
from fluidbench.events import StepUpdate
from fluidbench.plan import Plan
from fluidbench.records import Fingerprint
from fluidbench.results import LeftBehind


@dataclass(frozen=True)
class Context:
    """What a run is given besides its plan."""

    run_id: str
    data_dir: Path
    logs: Path
    private_dir: Path


@dataclass
class Session:
    """A run on its way. `updates` ends with the last step; the measures are final when the session is left."""

    updates: Iterator[StepUpdate]
    service_start_s: float = 0.0
    # where the target itself knows how long the run took, as a Workflow does, in whole seconds
    wall_s: float | None = None
    readings: dict[str, float] = field(default_factory=dict)
    # what clearing up has to tell
    notes: list[str] = field(default_factory=list)


class Target(Protocol):
    """`local` walks a plan with processes on this machine; `cluster` has Argo walk it, and watches."""

    name: str

    def check(self, plan: Plan, data_dir: Path) -> list[FluidbenchError]:
        """What stands against running the plan, before anything is made; an empty list: nothing."""

    def prepare(self, plan: Plan, context: Context) -> Iterator[StepUpdate]:
        """Makes the dataset of the plan's multiplier, unless it is there and whole."""

    def dataset(self, plan: Plan, data_dir: Path) -> Dataset | None:
        """The dataset, checked; None where it is not made yet."""

    def session(self, plan: Plan, context: Context) -> AbstractContextManager[Session]:
        """Runs the plan; leaving it ends everything it started and removes what the run left."""

    def threads(self) -> int:
        """The threads that a step can have for itself, where nobody says otherwise."""

    def nodes(self, plan: Plan) -> list[str]:
        """The nodes that a run may be kept on; empty where there is no choice."""

    def clear(self, left: LeftBehind) -> None:
        """Removes what a run whose process was killed left on the target, beside the paths that are recorded."""

    def fingerprint(self, data_dir: Path) -> Fingerprint:
        """The stable facts of where the plan runs."""

    def readings(self) -> Mapping[str, float]:
        """What it was doing when a run began."""
