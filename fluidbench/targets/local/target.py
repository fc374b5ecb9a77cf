"""Walks a plan with processes on this machine."""

import contextlib
from collections.abc import Generator, Iterator, Mapping
from pathlib import Path

from fluidbench import dataset as datasets
from fluidbench.dataset import Dataset
from fluidbench.errors import FluidbenchError
from fluidbench.events import Note, StepUpdate
from fluidbench.machine import fingerprint as machine
from fluidbench.machine import pressure
from fluidbench.plan import Plan, storage_environment
from fluidbench.records import Fingerprint
from fluidbench.results import LeftBehind
from fluidbench.stores import open_store, remove
from fluidbench.stores.base import Place, Provision
from fluidbench.targets.base import Context, Session
from fluidbench.targets.local import preflight
from fluidbench.targets.local.step_process import StepProcess


class LocalTarget:
    """The embedded default: no Docker, no Kubernetes."""

    name = "local"

    def check(self, plan: Plan, data_dir: Path) -> list[FluidbenchError]:
        return preflight.problems(plan, data_dir)

    def dataset(self, plan: Plan, data_dir: Path) -> Dataset | None:
        if not plan.pipeline.reads_dataset:
            return datasets.none(plan.multiplier)
        return datasets.find(data_dir, plan.multiplier)

    def prepare(self, plan: Plan, context: Context) -> Iterator[StepUpdate]:
        if self.dataset(plan, context.data_dir) is None:
            yield from StepProcess(plan, plan.prepare, context, {}).run()

    def threads(self) -> int:
        return machine.threads_allowed()

    def nodes(self, plan: Plan) -> list[str]:
        return []

    def clear(self, left: LeftBehind) -> None:
        for url in left.urls:
            remove(left.run.identity.store, url)

    def fingerprint(self, data_dir: Path) -> Fingerprint:
        return machine.fingerprint(data_dir)

    def readings(self) -> Mapping[str, float]:
        return machine.readings()

    @contextlib.contextmanager
    def session(self, plan: Plan, context: Context) -> Iterator[Session]:
        store = open_store(plan.store)
        run_dir = datasets.exchange_dir(context.data_dir, context.run_id)
        place = Place(
            context.run_id, run_dir, context.private_dir, context.logs, plan.s3_url, plan.pipeline.tables
        )  # fmt: skip
        with _made_and_removed(place.run_dir):
            with store.provision(place, plan.exchange_bytes) as provision:
                session = Session(iter(()), provision.service_start_s)
                with contextlib.closing(self._walk(plan, context, provision, session)) as session.updates:
                    yield session

    def _walk(
        self, plan: Plan, context: Context, provision: Provision, session: Session
    ) -> Generator[StepUpdate, None, None]:
        if provision.service_start_s:
            yield Note(f"{plan.store} service ready after {provision.service_start_s:.1f} s")
        own = {"FLUIDBENCH_STORE": open_store(plan.store).step_store, **storage_environment(plan.storage)}
        environment = {**provision.environment, **own}
        before = pressure.counters()
        for step in plan.pipeline.steps:
            yield from StepProcess(plan, step, context, environment).run()
        session.readings |= pressure.between(before, pressure.counters())
        session.readings["shared_memory_bytes"] = float(provision.held_bytes())


@contextlib.contextmanager
def _made_and_removed(path: Path) -> Iterator[None]:
    try:
        path.mkdir(parents=True)  # inside: a Ctrl-C may come just after it
        yield
    finally:
        datasets.remove_run(path)
