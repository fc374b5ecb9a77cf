"""What a command needs of the core, opened and closed for it."""

import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from fluidbench import own_steps, places, text
from fluidbench.cli.live import Live
from fluidbench.cli.output import Output
from fluidbench.cli.recorded import results
from fluidbench.errors import UsageProblem
from fluidbench.machine import lock
from fluidbench.plan import PIPELINES, PREPARE_ONLY, PUBLISHED, Pipeline, Plan
from fluidbench.records import Storage
from fluidbench.runner import Runner
from fluidbench.stores import STORES, medium, open_store
from fluidbench.stores.base import Medium
from fluidbench.targets import open_target
from fluidbench.targets.base import Target

CACHE_POLICIES = ("cold", "warm", "dropped")
SLOWEST_STORAGE = 1e6


@contextlib.contextmanager
def runner(output: Output, target: str | None, data_dir: Path | None) -> Iterator[tuple[Runner, Live]]:
    """A runner, and the screen on stderr that shows its progress."""
    opened = open_target(target)
    if target is None and opened.name != "local":
        output.note(f"Target: {opened.name}, which `fluidbench up` made current (--target local runs here).")
    directory = _data_dir(opened, data_dir)
    with results(output) as database, Live(output) as live:
        yield Runner(opened, database, directory, live), live


def _data_dir(target: Target, asked: Path | None) -> Path:
    if target.name != "local" and asked is not None:
        raise UsageProblem(
            "--data-dir is for runs on this machine; a cluster has its data where `up` put it",
            "Leave it out, or say: fluidbench up --data-dir DIR (or --nfs SERVER:/PATH).",
        )
    return places.data_dir(asked or places.default_data_dir())


def plan(
    target: Target,
    store: str,
    multiplier: int,
    cache: str = "cold",
    threads: int | None = None,
    step_timeout_s: float = 3600.0,
    storage_bandwidth: str | None = None,
    s3_url: str = "",
    s3_secret: str = "",
    pipeline: str = PUBLISHED.name,
    steps: Path | None = None,
) -> Plan:
    """A plan from options; raises UsageProblem where they make none."""
    open_store(store)
    if s3_secret and target.name == "local":
        raise UsageProblem("--s3-secret is for a cluster", "On this machine credentials come from AWS_*, or a profile.")
    if cache not in CACHE_POLICIES:
        raise UsageProblem(f"there is no cache policy {cache!r}", f"Known are: {', '.join(CACHE_POLICIES)}.")
    return Plan(
        store,
        multiplier,
        pipeline=pipeline_of(target, pipeline, steps),
        cache_policy=cache,
        threads=threads or target.threads(),
        step_timeout_s=step_timeout_s,
        storage=storage_of(store, storage_bandwidth),
        s3_url=s3_place(s3_url),
        s3_secret=s3_secret,
    )


def store_called(store: str | None, *, vineyard: bool) -> str:
    """The store that `--store` and `--vineyard` name; raises UsageProblem where they name two."""
    if vineyard and store not in (None, "vineyard"):
        raise UsageProblem(f"--vineyard and --store {store} contradict each other", "Give one of them.")
    return store or ("vineyard" if vineyard else "pickle")


def pipeline_of(target: Target, name: str, steps: Path | None) -> Pipeline:
    """The pipeline of that name, or that of a user's own steps; raises UsageProblem where it is none."""
    if steps is None:
        return pipeline_called(name)
    if name != PUBLISHED.name:
        raise UsageProblem(f"--pipeline {name} and --steps contradict each other", "Give one of them.")
    if target.name != "local":
        raise UsageProblem(
            "--steps is for runs on this machine: the step image of a cluster does not hold your steps",
            "Say: --target local",
        )
    return own_steps.read(steps)


def pipeline_called(name: str) -> Pipeline:
    """The pipeline of that name; raises UsageProblem where there is none."""
    if name not in PIPELINES:
        raise UsageProblem(f"there is no pipeline {name!r}", f"Known are: {', '.join(PIPELINES)}.")
    return PIPELINES[name]


def s3_place(url: str = "") -> str:
    """The URL that an option gave, else that of the environment, which commands without the option take too."""
    return url or os.environ.get("FLUIDBENCH_S3_URL", "")


def storage_of(store: str, bandwidth: str | None) -> Storage | None:
    """The storage that is emulated; raises UsageProblem where it cannot be put under the store's files."""
    if bandwidth is None:
        return None
    if medium(store) is Medium.ELSEWHERE:
        own = "is reached over the network" if store in STORES else "does its file access by itself"
        raise UsageProblem(
            f"--storage-bandwidth cannot limit the store {store}, which {own}",
            "Leave one of them out. A store of your own can take part: docs/howto/add-a-store.md.",
        )
    bytes_per_s = text.parse_bandwidth(bandwidth)
    if bytes_per_s < SLOWEST_STORAGE:
        raise UsageProblem(f"{bandwidth!r} is slower than any storage", "Say 1MB/s or more: 300MB/s")
    return Storage(bytes_per_s)


def tell_emulated(output: Output, storage: Storage | None, stores: Sequence[str]) -> None:
    """What a storage that is emulated means for the stores; once, before anything runs."""
    if storage is None:
        return
    rate = text.bandwidth(storage.bandwidth_bytes_per_s)
    output.note(f"The storage is emulated: every file of the data directory is read and written at {rate} at most.")
    if unlimited := [store for store in stores if medium(store) is Medium.MEMORY]:
        output.note(f"Memory is not limited: the tables of {', '.join(unlimited)}.")
    if "arrow" in stores:
        output.note("arrow reads its files through the limit and does not map them.")


def prepare_plan(multiplier: int) -> Plan:
    """A plan that makes the dataset and no more."""
    return Plan("pickle", multiplier, pipeline=PREPARE_ONLY)


def measuring(
    what: str, allow_concurrent: bool = False, *, shared: bool = False
) -> contextlib.AbstractContextManager[None]:
    """The machine's measuring lock."""
    path = places.state_dir() / "measuring.lock"
    return lock.measuring(path, what, allow_concurrent=allow_concurrent, shared=shared)
