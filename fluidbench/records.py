"""What is recorded: frozen, with units in the names, stored and printed as the same JSON."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from fluidbench import text

FORMAT_VERSION = 1


class State(StrEnum):
    """The state of a run or a step, in Argo's words."""

    PENDING = "Pending"
    RUNNING = "Running"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    ERROR = "Error"
    SKIPPED = "Skipped"
    OMITTED = "Omitted"


@dataclass(frozen=True)
class Storage:
    """An emulated storage: its limits under every file that a step reads or writes."""

    bandwidth_bytes_per_s: float
    latency_s: float = 0.0

    def __str__(self) -> str:
        return f"emulated at {text.bandwidth(self.bandwidth_bytes_per_s)}"


@dataclass(frozen=True)
class Identity:
    """What was measured. Two runs are comparable when all of it but `store` is equal."""

    target: str
    pipeline: str
    multiplier: int
    rows: int
    dataset_digest: str
    store: str
    cache_policy: str
    storage: Storage | None
    threads: int
    placement: str | None


@dataclass(frozen=True)
class Input:
    """Something that a step read. `cache` is where its bytes were when the clock started:
    cold, lukewarm, warm, memory, client-cold or unknown."""

    name: str
    bytes: int
    cache: str


@dataclass(frozen=True)
class Step:
    """One step of a run. `phases` maps a phase to seconds, in order, and adds up to `duration_s`.

    `evict_s` (before the first read), `fsync_s` and `verify_s` (after the last phase) are spent inside
    the step's process and are not part of `duration_s`. Peaks are the largest samples of RssAnon
    (private; between two, what VmHWM shows), RssShmem (shared) and RssFile (file), each for itself. `resources` are a
    container's requests and limits, as Kubernetes writes them: {"limits.memory": "2Gi"}.
    """

    name: str
    state: State
    reason: str = ""
    started_at: str = ""
    finished_at: str = ""
    duration_s: float = 0.0
    phases: Mapping[str, float] = field(default_factory=dict)
    read_bytes: int = 0
    written_bytes: int = 0
    cpu_s: float = 0.0
    peak_private_bytes: int = 0
    peak_shared_bytes: int = 0
    peak_file_bytes: int = 0
    evict_s: float = 0.0
    fsync_s: float = 0.0
    verify_s: float = 0.0
    node: str = ""
    transport: str = ""
    inputs: tuple[Input, ...] = ()
    results: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    resources: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Fingerprint:
    """Stable facts of where a run took place; `hash` covers all of them."""

    facts: Mapping[str, str]
    hash: str


@dataclass(frozen=True)
class Run:
    """One pass of a pipeline through one store. `duration_s` is the sum of all phases and `unaccounted_s`.

    `control_arm` is `a` or `b` for a run of a control, a store against itself; else empty.
    """

    run_id: str
    identity: Identity
    experiment_id: str | None
    round: int | None
    position: int | None
    seed: int | None
    warmup: bool
    state: State
    reason: str
    started_at: str
    finished_at: str
    duration_s: float
    service_start_s: float
    evict_s: float
    verify_s: float
    unaccounted_s: float
    cache: str
    results: Mapping[str, Any]
    steps: tuple[Step, ...]
    fingerprint: Fingerprint
    code_version: str
    readings: Mapping[str, float] = field(default_factory=dict)
    control_arm: str = ""


@dataclass(frozen=True)
class Experiment:
    """Rounds that were planned together: `stores` in each, in an order that `seed` decides."""

    experiment_id: str
    identity: Identity
    stores: tuple[str, ...]
    rounds: int
    seed: int
    started_at: str


CACHE_STATES = ("cold", "memory", "client-cold", "lukewarm", "warm", "unknown")


def worst_cache(states: list[str]) -> str:
    """The state that tells most against a run being cold; shared memory is what it is and is left out."""
    files = [state for state in states if state != "memory"]
    return max(files or states or ["unknown"], key=CACHE_STATES.index)


@dataclass(frozen=True)
class Finding:
    """One answer of `doctor`; `fix` says what to do where it is not good, `exit_code` how grave it is."""

    what: str
    found: str
    good: bool
    fix: str = ""
    exit_code: int = 0
