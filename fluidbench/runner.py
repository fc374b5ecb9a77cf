"""Runs a plan on a target and records every step as it ends."""

import contextlib
import dataclasses
import os
import secrets
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import xxhash

from fluidbench import __version__, places
from fluidbench.dataset import exchange_dir
from fluidbench.errors import FluidbenchError, ResultProblem, Terminated
from fluidbench.events import Note, RunEnded, StepEnded, StepUpdate
from fluidbench.machine import private
from fluidbench.machine.owners import this_process
from fluidbench.own_steps import files
from fluidbench.plan import Plan
from fluidbench.records import Identity, Run, State, Step, worst_cache
from fluidbench.results import Results
from fluidbench.stores import elsewhere, outside, source_of
from fluidbench.targets.base import Context, Session, Target
from fluidbench.text import timestamp

Listener = Callable[[StepUpdate], None]


@dataclass(frozen=True)
class Slot:
    """Where a run stands in an experiment; all None for a single run."""

    experiment_id: str | None = None
    round: int | None = None
    position: int | None = None
    seed: int | None = None
    warmup: bool = False
    control_arm: str = ""


@dataclass(frozen=True)
class Runner:
    """Runs plans on one target, with their files in `data_dir`, and tells `listener` what happens."""

    target: Target
    results: Results
    data_dir: Path
    listener: Listener

    def check(self, plan: Plan) -> None:
        """Raises the first thing that stands against the plan."""
        for problem in self.target.check(plan, self.data_dir):
            raise problem

    def prepare(self, plan: Plan) -> None:
        """Makes the dataset unless it is there."""
        with self._context(new_id()) as context:
            for update in self.target.prepare(plan, context):
                self.listener(update)

    def run(self, plan: Plan, slot: Slot = Slot()) -> Run:
        """One run, recorded from its start. A failure is recorded too, and raised."""
        if not plan.node and (nodes := self.target.nodes(plan)):
            plan = dataclasses.replace(plan, node=secrets.choice(nodes))
        with self._context(new_id()) as context:
            run = self.blank(plan, slot, context.run_id)
            left_behind: tuple[Path | str, ...] = (
                context.private_dir, exchange_dir(self.data_dir, context.run_id),
                *outside(plan.store, context.run_id), *elsewhere(plan, context.run_id),
            )  # fmt: skip
            self.results.begin(run, this_process(), left_behind)
            try:
                run = self._measured(plan, run, context)
            except BaseException as error:
                self._record(_failed(self.results.get(run.run_id), error))
                raise
            self._record(run)
            return run

    def _record(self, run: Run) -> None:
        self.results.save(run)
        self.listener(RunEnded(run))

    def _measured(self, plan: Plan, run: Run, context: Context) -> Run:
        began = ended = time.monotonic()
        with self.target.session(plan, context) as session:
            began = time.monotonic()
            for update in session.updates:
                if isinstance(update, StepEnded):
                    ended = time.monotonic()
                    run = dataclasses.replace(run, steps=(*run.steps, update.step))
                    self.results.save(run)
                self.listener(update)
        for note in session.notes:
            self.listener(Note(note))
        return _finished(plan, run, session, ended - began if session.wall_s is None else session.wall_s)

    def blank(self, plan: Plan, slot: Slot = Slot(), run_id: str = "") -> Run:
        """The record of a run that starts here and now. Raises ResultProblem where there is no dataset."""
        dataset = self.target.dataset(plan, self.data_dir)
        if dataset is None:
            raise ResultProblem(
                f"the dataset of multiplier {plan.multiplier} is missing", "Make it: fluidbench prepare"
            )
        identity = Identity(
            target=self.target.name, pipeline=plan.pipeline.name, multiplier=plan.multiplier, rows=dataset.rows,
            dataset_digest=dataset.digest, store=plan.store, cache_policy=plan.cache_policy, storage=plan.storage,
            threads=plan.threads, placement="one node" if self.target.nodes(plan) else None,
        )  # fmt: skip
        return Run(
            run_id=run_id, identity=identity, experiment_id=slot.experiment_id, round=slot.round,
            position=slot.position, seed=slot.seed, warmup=slot.warmup, state=State.RUNNING, reason="",
            started_at=timestamp(), finished_at="", duration_s=0.0, service_start_s=0.0, evict_s=0.0, verify_s=0.0,
            unaccounted_s=0.0, cache="unknown", results={}, steps=(),
            fingerprint=self.target.fingerprint(self.data_dir),
            code_version=_code_version(plan), readings=dict(self.target.readings()), control_arm=slot.control_arm,
        )  # fmt: skip

    @contextlib.contextmanager
    def _context(self, run_id: str) -> Iterator[Context]:
        with private.directory() as private_dir:
            yield Context(run_id, self.data_dir, places.artifacts_dir(run_id), private_dir)


def new_id() -> str:
    """An id that sorts by time and serves as a Kubernetes name."""
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"


def code_version(store: str, steps_code: str = "", s3_url: str = "", own_steps: Path | None = None) -> str:
    """The version, and hashes of the step code and of a user's store: runs of other code are not of the same work.

    `steps_code` is what the steps themselves told; an image may hold others than this FluidBench. The directory of a
    user's own steps counts with the step code. Of the store s3 the endpoint and the URL stand in for code: another
    bucket is another store.
    """
    parts = [steps_code or _hash(sorted(places.steps_dir().rglob("*.py")))]
    if own_steps:
        parts[0] = xxhash.xxh3_64(f"{parts[0]} {_hash(files(own_steps))}".encode()).hexdigest()
    if own := source_of(store):
        parts.append(_hash(own))
    elif store == "s3":
        parts.append(xxhash.xxh3_64(f"{os.environ.get('AWS_ENDPOINT_URL', '')} {s3_url}".encode()).hexdigest())
    return f"{__version__}+{'.'.join(part[:8] for part in parts)}"


def _code_version(plan: Plan, steps_code: str = "") -> str:
    return code_version(plan.store, steps_code, plan.s3_url, plan.pipeline.directory)


def _hash(paths: Iterable[Path]) -> str:
    digest = xxhash.xxh3_64()
    for path in paths:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _failed(recorded: Run, error: BaseException) -> Run:
    """The record, with the steps that ended before, of a run that did not end well."""
    reason = error.message if isinstance(error, FluidbenchError) else type(error).__name__
    state = State.FAILED if isinstance(error, FluidbenchError) else State.ERROR
    if isinstance(error, KeyboardInterrupt | Terminated):
        reason = "interrupted"
    return dataclasses.replace(recorded, state=state, reason=reason, finished_at=timestamp())


def _finished(plan: Plan, run: Run, session: Session, wall_s: float) -> Run:
    evict_s = sum(step.evict_s for step in run.steps)
    verify_s = sum(step.verify_s + step.fsync_s for step in run.steps)
    phases_s = sum(step.duration_s for step in run.steps)
    duration_s = wall_s - evict_s - verify_s
    results = _told(run.steps)
    return dataclasses.replace(
        run,
        state=State.SUCCEEDED,
        finished_at=timestamp(),
        duration_s=duration_s,
        service_start_s=session.service_start_s,
        evict_s=evict_s,
        verify_s=verify_s,
        unaccounted_s=duration_s - phases_s,
        cache=worst_cache([entry.cache for step in run.steps for entry in step.inputs]),
        results=results | {"digest": _digest(results)},
        code_version=_code_version(plan, str(results.get("steps_code", ""))),
        readings={**run.readings, **session.readings},
    )


def _told(steps: Sequence[Step]) -> dict[str, object]:
    """What the steps told, by name; what several of them told has the step before its name, that none be lost."""
    names = Counter(name for step in steps for name in step.results)
    return {
        name if names[name] == 1 or name == "steps_code" else f"{step.name}.{name}": value
        for step in steps
        for name, value in step.results.items()
    }


def _digest(results: dict[str, object]) -> str:
    """One digest over those of the tables, in the order of their names."""
    digests = [name for name in sorted(results) if name.rpartition(".")[2].startswith("digest_")]
    parts = [f"{name}={results[name]}" for name in digests]
    return xxhash.xxh3_128("\n".join(parts).encode()).hexdigest()
