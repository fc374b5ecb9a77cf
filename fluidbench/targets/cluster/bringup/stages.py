"""Stages, and how they are run: each when what it needs has ended, side by side where they can be.

A stage is a generator that yields while it waits, so many can wait in one thread: a Ctrl-C closes them all, and each
ends the program that it was running.
"""

import contextlib
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from fluidbench.command import shell_line
from fluidbench.targets.cluster.bringup.events import Event, StageEnded, StageStarted, Waiting

IDLE_S = 0.1
Work = Generator[Event, None, str]


@dataclass(frozen=True)
class Command:
    """A command that a stage would run."""

    argv: tuple[str, ...]

    def __str__(self) -> str:
        return shell_line(self.argv)


@dataclass(frozen=True)
class Manifest:
    """An object that a stage would apply."""

    content: dict[str, Any]


@dataclass(frozen=True)
class Content:
    """A file that a stage would write for a program."""

    name: str
    text: str


Planned = Command | Manifest | Content | str


class Stage(Protocol):
    """One stage of `up`. It can be run again after any interruption."""

    name: str
    needs: tuple[str, ...]

    def found(self) -> str | None:
        """What is there already, in a few words, when nothing is left to do; changes nothing."""

    def planned(self) -> Iterator[Planned]:
        """What `run` would do where nothing is there yet; touches nothing, starts nothing."""

    def run(self) -> Work:
        """Does it, and returns the outcome in a few words. Raises FluidbenchError."""


@dataclass
class _Active:
    stage: Stage
    work: Work
    began: float


def run_all(
    stages: Sequence[Stage],
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Event]:
    """Runs the stages. The first failure closes the others and is raised."""
    pending, active, ended = list(stages), list[_Active](), set[str]()
    with contextlib.ExitStack() as closing:
        while pending or active:
            for stage in [stage for stage in pending if ended.issuperset(stage.needs)]:
                pending.remove(stage)
                began = clock()
                if (outcome := stage.found()) is not None:
                    ended.add(stage.name)
                    yield StageEnded(stage.name, clock() - began, outcome, found=True)
                    continue
                yield StageStarted(stage.name)
                active.append(_Active(stage, closing.enter_context(contextlib.closing(stage.run())), began))
            idle = True
            for one in list(active):
                event = _advance(one, clock)
                yield event
                if isinstance(event, StageEnded):
                    active.remove(one)
                    ended.add(one.stage.name)
                idle = idle and isinstance(event, Waiting)
            if idle and active:
                sleep(IDLE_S)


def _advance(one: _Active, clock: Callable[[], float]) -> Event:
    try:
        return next(one.work)
    except StopIteration as stop:
        return StageEnded(one.stage.name, clock() - one.began, stop.value or "done")
