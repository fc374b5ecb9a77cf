"""What a target tells while it works; a screen turns it into lines or a tree."""

from dataclasses import dataclass

from fluidbench.records import Step


@dataclass(frozen=True)
class Note:
    """A stage that began or ended, outside the steps: preparing, starting vineyardd, checking."""

    text: str


@dataclass(frozen=True)
class StepStarted:
    name: str
    started_at: str


@dataclass(frozen=True)
class PhaseEnded:
    """A phase of a running step ended after `seconds`."""

    step: str
    phase: str
    seconds: float


@dataclass(frozen=True)
class StepEnded:
    step: Step


StepUpdate = Note | StepStarted | PhaseEnded | StepEnded
