"""What bringing up and taking down tell while they work."""

from dataclasses import dataclass


@dataclass(frozen=True)
class StageStarted:
    stage: str


@dataclass(frozen=True)
class Waiting:
    """What a stage waits for at this moment; told again and again, mostly the same."""

    stage: str
    what: str


@dataclass(frozen=True)
class Told:
    """Something that a person should know: a choice that was made, or a warning with what to do."""

    stage: str
    text: str
    warning: bool = False


@dataclass(frozen=True)
class StageEnded:
    """`found` says that there was nothing to do."""

    stage: str
    seconds: float
    outcome: str
    found: bool = False


Event = StageStarted | Waiting | Told | StageEnded
