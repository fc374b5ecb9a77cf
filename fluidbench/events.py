"""What a target tells while it works; a screen turns it into lines or a tree."""

from dataclasses import dataclass

from fluidbench.records import Run, State, Step


@dataclass(frozen=True)
class Note:
    """A stage that began or ended, outside the steps: preparing, starting vineyardd, checking."""

    text: str


@dataclass(frozen=True)
class StepStarted:
    """A step began; on a cluster it is Pending at first."""

    name: str
    started_at: str
    state: State = State.RUNNING


@dataclass(frozen=True)
class StepRunning:
    """A step that was Pending is at work."""

    name: str


@dataclass(frozen=True)
class PhaseEnded:
    """A phase of a running step ended after `seconds`."""

    step: str
    phase: str
    seconds: float


@dataclass(frozen=True)
class StepEnded:
    step: Step


@dataclass(frozen=True)
class RunEnded:
    """A run was recorded, well or not."""

    run: Run


StepUpdate = Note | StepStarted | StepRunning | PhaseEnded | StepEnded | RunEnded
