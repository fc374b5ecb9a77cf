"""Turns a plan into an Argo Workflow on the current cluster, and watches it."""

import contextlib
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from fluidbench import pins
from fluidbench.dataset import Dataset
from fluidbench.errors import FluidbenchError, ResultProblem
from fluidbench.events import StepUpdate
from fluidbench.kube import WORKFLOW
from fluidbench.plan import Plan
from fluidbench.records import Finding, Fingerprint
from fluidbench.render import PipelineOptions
from fluidbench.render.pipeline import RUN_LABEL
from fluidbench.results import LeftBehind
from fluidbench.targets.base import Context, Session
from fluidbench.targets.cluster import abandoned, controller, fit, jobs
from fluidbench.targets.cluster.bringup.argo import requeue_s
from fluidbench.targets.cluster.ready import ReadyCluster
from fluidbench.targets.cluster.submission import Submission, remove_run


class ClusterTarget:
    """The cluster that `up` made current."""

    name = "cluster"

    @cached_property
    def cluster(self) -> ReadyCluster:
        return ReadyCluster.open()

    def check(self, plan: Plan, data_dir: Path) -> list[FluidbenchError]:
        away = controller.problem(self.cluster)
        return ([away] if away else []) + fit.problems(self.cluster, plan, self._options(plan, ""))

    def fit(self, plan: Plan) -> Finding:
        """Whether the plan fits, for `doctor`."""
        return fit.finding(self.cluster, plan, self._options(plan, ""))

    def dataset(self, plan: Plan, data_dir: Path) -> Dataset | None:
        facts = jobs.facts(self.cluster, plan.multiplier)
        if facts is None:
            return None
        path = Path("/data") / f"df_{plan.multiplier}.pkl"
        return Dataset(path, plan.multiplier, facts["rows"], facts["digest"], facts["file_bytes"])

    def prepare(self, plan: Plan, context: Context) -> Iterator[StepUpdate]:
        yield from abandoned.clear(self.cluster)
        # a run takes a dataset that was once found whole, and its first step looks whether it still is that
        if not plan.pipeline.hands_over or self.dataset(plan, context.data_dir) is None:
            yield from jobs.prepare(self.cluster, plan, self._options(plan, context.run_id))

    @contextlib.contextmanager
    def session(self, plan: Plan, context: Context) -> Iterator[Session]:
        dataset = self.dataset(plan, context.data_dir)
        left_over = [note.text for note in abandoned.clear(self.cluster)]
        options = replace(self._options(plan, context.run_id), dataset_digest=dataset.digest if dataset else "")
        try:
            with Submission(self.cluster, plan, context, options) as submission:
                session = Session(iter(()), notes=left_over)
                submission.notes = session.notes
                session.updates = submission.updates(session)
                yield session
        except ResultProblem:
            jobs.forget(self.cluster, plan.multiplier)
            raise

    def threads(self) -> int:
        return self.cluster.free_cpus()

    def nodes(self, plan: Plan) -> list[str]:
        return list(self.cluster.workers)

    def clear(self, left: LeftBehind) -> None:
        run, had = left.run, left.run.identity
        options = PipelineOptions(
            store=had.store,
            step_image=self.cluster.current.step_image,
            cache_policy=had.cache_policy,
            run_id=run.run_id,
        )
        ours = f"{RUN_LABEL}={run.run_id}"
        for workflow in self.cluster.kube.list(WORKFLOW, self.cluster.namespace, labels=ours):
            options = abandoned.noted_options(self.cluster, run.run_id, workflow)
        remove_run(self.cluster, options)

    def fingerprint(self, data_dir: Path) -> Fingerprint:
        facts = self._facts
        return Fingerprint(facts, hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16])

    def readings(self) -> Mapping[str, float]:
        """How often Argo's controller looks at a Workflow, now: it may have been changed since `up`."""
        found = controller.find(self.cluster)
        return {"argo_requeue_s": requeue_s(found)} if found else {}

    @cached_property
    def _facts(self) -> dict[str, str]:
        """Of the nodes that runs are kept on; equal nodes are told once."""
        nodes = self.cluster.workers.values()
        told = {name: sorted({node["status"]["nodeInfo"][name] for node in nodes}) for name in NODE_FACTS}
        capacity = {name: sorted({node["status"]["capacity"][name] for node in nodes}) for name in ("cpu", "memory")}
        current = self.cluster.current
        return {
            "kubernetes": self.cluster.kube.server_version(),
            "step image": current.step_image,
            "vineyard": pins.VINEYARD_VERSION,
            "storage": current.storage,
        } | {name: ", ".join(values) for name, values in (told | capacity).items()}

    def _options(self, plan: Plan, run_id: str) -> PipelineOptions:
        current = self.cluster.current
        return PipelineOptions(
            store=plan.store, multiplier=plan.multiplier, namespace=current.namespace, step_image=current.step_image,
            run_id=run_id, node=plan.node, threads=plan.threads, cache_policy=plan.cache_policy,
            runtime=current.runtime, pipeline=plan.pipeline, storage=plan.storage, s3_url=plan.s3_url,
            s3_secret=plan.s3_secret,
            deadline_s=int(plan.step_timeout_s * len(plan.pipeline.steps)),
        )  # fmt: skip


NODE_FACTS = ("kernelVersion", "osImage", "containerRuntimeVersion", "kubeletVersion", "architecture")
