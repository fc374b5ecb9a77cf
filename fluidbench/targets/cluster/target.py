"""Turns a plan into an Argo Workflow on the current cluster, and watches it."""

import contextlib
import hashlib
import json
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path

from fluidbench import pins, text
from fluidbench.dataset import Dataset
from fluidbench.errors import DoesNotFit, FluidbenchError
from fluidbench.events import StepUpdate
from fluidbench.plan import Plan
from fluidbench.records import Fingerprint
from fluidbench.render import PipelineOptions
from fluidbench.targets.base import Context, Session
from fluidbench.targets.cluster import jobs
from fluidbench.targets.cluster.ready import ReadyCluster
from fluidbench.targets.cluster.submission import Submission, remove_run

# what a worker needs beside the objects: metadata, alignment, and the copies that a fragmented store leaves no room for
QUOTA_HEADROOM = 1.05


class ClusterTarget:
    """The cluster that `up` made current."""

    name = "cluster"

    @cached_property
    def cluster(self) -> ReadyCluster:
        return ReadyCluster.open()

    def check(self, plan: Plan, data_dir: Path) -> list[FluidbenchError]:
        quota = self.cluster.current.quota_bytes
        needed = int(plan.exchange_bytes * QUOTA_HEADROOM)
        if plan.store != "vineyard" or quota is None or needed <= quota:
            return []
        largest = int(plan.multiplier * quota / needed)
        return [
            DoesNotFit(
                f"multiplier {plan.multiplier} puts {text.size(needed)} into one Vineyard worker, "
                f"whose quota is {text.size(quota)}",
                f"The largest multiplier that fits is {largest}; or enlarge the quota: "
                f"fluidbench up --multiplier {plan.multiplier}",
            )
        ]

    def dataset(self, plan: Plan, data_dir: Path) -> Dataset | None:
        facts = jobs.facts(self.cluster, plan.multiplier)
        if facts is None:
            return None
        path = Path("/data") / f"df_{plan.multiplier}.pkl"
        return Dataset(path, plan.multiplier, facts["rows"], facts["digest"], facts["file_bytes"])

    def prepare(self, plan: Plan, context: Context) -> Iterator[StepUpdate]:
        yield from jobs.prepare(self.cluster, plan, self._options(plan, context.run_id))

    @contextlib.contextmanager
    def session(self, plan: Plan, context: Context) -> Iterator[Session]:
        with Submission(self.cluster, plan, context, self._options(plan, context.run_id)) as submission:
            session = Session(iter(()))
            session.updates = submission.updates(session)
            yield session

    def threads(self) -> int:
        return self.cluster.free_cpus()

    def nodes(self, plan: Plan) -> list[str]:
        return list(self.cluster.workers)

    def clear(self, run_id: str) -> None:
        remove_run(self.cluster, run_id)

    def fingerprint(self, data_dir: Path) -> Fingerprint:
        facts = self._facts
        return Fingerprint(facts, hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16])

    def readings(self) -> Mapping[str, float]:
        return {}

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
            "storage": current.nfs or f"hostPath {current.data_dir}",
            "argo requeue": f"{current.requeue_s} s",
        } | {name: ", ".join(values) for name, values in (told | capacity).items()}

    def _options(self, plan: Plan, run_id: str) -> PipelineOptions:
        current = self.cluster.current
        return PipelineOptions(
            store=plan.store, multiplier=plan.multiplier, namespace=current.namespace, step_image=current.step_image,
            run_id=run_id, node=plan.node, threads=plan.threads, cache_policy=plan.cache_policy,
            drop_caches=plan.drop_caches, runtime=current.runtime, pipeline=plan.pipeline,
            deadline_s=int(plan.step_timeout_s * len(plan.pipeline.steps)),
        )  # fmt: skip


NODE_FACTS = ("kernelVersion", "osImage", "containerRuntimeVersion", "kubeletVersion", "architecture")
