"""What the host does for a store: the memory and disk it takes, what the steps need, and clearing up."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from fluidbench.plan import TABLES, Handover


@dataclass(frozen=True, kw_only=True)
class Footprint(Handover):
    """What a store takes beside the steps' own memory, and what it costs them."""

    shared_bytes: int = 0
    disk_bytes: int = 0


@dataclass(frozen=True)
class Place:
    """Where a run takes place: its id, the run's directory for files, a private one for sockets, and the logs.

    `s3_url` is what `--s3-url` named, `tables` are the names of those that the steps hand over.
    """

    run_id: str
    run_dir: Path
    private_dir: Path
    logs: Path
    s3_url: str = ""
    tables: tuple[str, ...] = TABLES


@dataclass(frozen=True)
class Provision:
    """What a store set up: the environment for the steps, the time a service took to start, and how much it holds."""

    environment: Mapping[str, str] = field(default_factory=dict)
    service_start_s: float = 0.0
    held_bytes: Callable[[], int] = lambda: 0


class Medium(StrEnum):
    """Where the tables of a store lie, which says what `--storage-bandwidth` does to it."""

    FILES = "files"  # read and written through steps/storage.py: limited
    MEMORY = "memory"  # no storage: not limited
    ELSEWHERE = "elsewhere"  # cannot be limited: the option is refused


class Store(Protocol):
    """The host half of a store; the step half is named by `step_store`.

    It may have more: `medium` (Medium; without it ELSEWHERE is assumed), `check(plan)`, which raises what stands
    against a run on this machine before anything is made, and, for when a run's process was killed, `outside(run_id)`,
    the paths that it makes beside its directories, which are removed, and `elsewhere(plan, run_id)`, the URLs of what
    it makes on other machines, each of which `remove(url)` gets then.
    """

    name: str
    step_store: str

    def footprint(self, exchange_bytes: int) -> Footprint:
        """Memory and disk for tables of `exchange_bytes` between the steps."""

    def provision(self, place: Place, exchange_bytes: int) -> AbstractContextManager[Provision]:
        """Sets up what the steps need; leaving it removes everything, and checks that it is gone."""
