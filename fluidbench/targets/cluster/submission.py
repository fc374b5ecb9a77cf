"""One Workflow: submitted, watched to its end, its logs kept, and removed with all that it left."""

import contextlib
from collections.abc import Iterator
from typing import Any

from fluidbench.errors import FluidbenchError, StepFailed, Terminated, WaitTimeout
from fluidbench.events import Note, StepEnded, StepUpdate
from fluidbench.kube import JOB, POD, WORKFLOW, Gone
from fluidbench.plan import Plan, StepPlan
from fluidbench.records import Step
from fluidbench.render import PipelineOptions, to_yaml
from fluidbench.render import workflow as render_workflow
from fluidbench.render.pipeline import RUN_LABEL
from fluidbench.targets.base import Context, Session
from fluidbench.targets.cluster import jobs, workflow
from fluidbench.targets.cluster.bringup.objects import leaving
from fluidbench.targets.cluster.controller import Attention
from fluidbench.targets.cluster.diagnose import stuck
from fluidbench.targets.cluster.nodes import pod_of
from fluidbench.targets.cluster.owner import signed
from fluidbench.targets.cluster.ready import ReadyCluster
from fluidbench.wait import wait_until

TICK_S = 2.0
PODS_GONE_WITHIN_S = 120.0
NODE_NAME = "workflows.argoproj.io/node-name"

# what of a run's options must be known to clear up after it
CLEARED_BY = ("store", "cache_policy", "s3_url", "s3_secret")


class Submission:
    """A run on its way through Argo. Use it as a context manager: leaving it leaves nothing on the cluster."""

    def __init__(self, cluster: ReadyCluster, plan: Plan, context: Context, options: PipelineOptions) -> None:
        self._cluster, self._plan, self._context, self._options = cluster, plan, context, options
        self._name = ""
        self._steps: list[Step] = []
        self.notes: list[str] = []

    def __enter__(self) -> "Submission":
        manifest = render_workflow(self._options)
        (self._context.logs / "workflow.yaml").write_text(to_yaml([manifest]), encoding="utf-8")
        try:
            own = signed(manifest, **{name: getattr(self._options, name) for name in CLEARED_BY})
            self._name = self._cluster.kube.create(own)["metadata"]["name"]
        except BaseException:
            with contextlib.suppress(FluidbenchError):  # what came before it is what is told
                self._remove_unseen()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.notes += remove_run(self._cluster, self._options)
        except (KeyboardInterrupt, Terminated):
            # all of it once more; who interrupts that too leaves it to the next command
            self.notes += remove_run(self._cluster, self._options)
            raise

    def _remove_unseen(self) -> None:
        """The answer may have been lost, or not waited for, and the Workflow be there all the same."""
        labels = f"{RUN_LABEL}={self._context.run_id}"
        if self._cluster.kube.list(WORKFLOW, self._cluster.namespace, labels=labels):
            remove_run(self._cluster, self._options)

    def updates(self, session: Session) -> Iterator[StepUpdate]:
        """What happens until the Workflow ends. Raises what it failed of."""
        yield Note(f"Workflow {self._name}; see it with: {self._cluster.argo_get(self._name)}")
        before: dict[str, Any] | None = None
        for state in self._states():
            for step in self._plan.pipeline.steps:  # one after the other: an end comes before the next one's start
                yield from workflow.updates(before, state, [step])
                yield from self._ended_steps(before, state, step)
            before = state
            if workflow.finished(state):
                self._measure(state, session)
                self._raise_if_failed(state)
                return
        raise StepFailed(f"the Workflow {self._name} was deleted while it ran", "Run it again: fluidbench run")

    def _measure(self, state: dict[str, Any], session: Session) -> None:
        wall_s = workflow.wall_s(state)
        session.wall_s = None if wall_s is None else wall_s - sum(_aside_s(step) for step in self._steps)
        session.readings |= self._readings()

    def _raise_if_failed(self, state: dict[str, Any]) -> None:
        logs = self._keep_logs()
        if problem := workflow.failure(state, self._pods(), logs):
            raise problem

    def _states(self) -> Iterator[dict[str, Any]]:
        """The Workflow as it changes; on every tick its pods are looked at, so that one that is stuck is told."""
        timeout_s = self._plan.step_timeout_s * len(self._plan.pipeline.steps) + 60
        last: dict[str, Any] = {}
        attention = Attention(self._cluster)
        watch = self._cluster.kube.watch(
            WORKFLOW, self._cluster.namespace, name=self._name, timeout_s=timeout_s, tick_s=TICK_S
        )  # fmt: skip
        for state in watch:
            if isinstance(state, Gone):
                return
            if state.get("status") == last.get("status") and not workflow.finished(state):
                self._raise_if_stuck()
                if problem := attention.problem(state):
                    raise problem
            yield state
            last = state
            if workflow.finished(state):
                return
        raise WaitTimeout(f"the Workflow {self._name} did not end within {timeout_s:g} s")

    def _raise_if_stuck(self) -> None:
        pods = self._pods()
        waiting = [pod for pod in pods if pod["status"].get("phase") == "Pending"]
        if problem := stuck(pods, self._cluster.events_of(waiting)):
            raise problem

    def _ended_steps(
        self, before: dict[str, Any] | None, state: dict[str, Any], planned: StepPlan
    ) -> Iterator[StepEnded]:
        for step in workflow.ended(before, state, [planned]):
            pod = pod_of(step, state, self._pods())
            record = workflow.step_record(step, state, pod, self._cluster.events_of([pod] if pod else []))
            self._steps.append(record)
            yield StepEnded(record)

    def _pods(self) -> list[dict[str, Any]]:
        return self._cluster.kube.list(
            POD, self._cluster.namespace, labels=f"workflows.argoproj.io/workflow={self._name}"
        )

    def _keep_logs(self) -> dict[str, str]:
        """Keeps the log of each step's container with the run; returns the logs by step."""
        logs = {}
        for pod in self._pods():
            name = pod["metadata"]["name"]
            step = pod["metadata"].get("annotations", {}).get(NODE_NAME, name).rpartition(".")[2]
            with contextlib.suppress(FluidbenchError):  # a log that is gone must not fail the run
                logs[step] = self._cluster.kube.logs(name, self._cluster.namespace, tail_lines=10_000)
                (self._context.logs / f"{step}.log").write_text(logs[step], encoding="utf-8")
        return logs

    def _readings(self) -> dict[str, float]:
        written = sum(step.written_bytes for step in self._steps if step.transport in ("ipc", "rpc"))
        return {"shared_memory_bytes": float(written)}


def remove_run(cluster: ReadyCluster, options: PipelineOptions) -> list[str]:
    """Stops the run's Workflows, drops its objects and files, and deletes it; returns what is worth telling.

    The Workflows go last: should any of it fail, a later command finds them, and clears up (see `abandoned`).
    """
    labels = f"{RUN_LABEL}={options.run_id}"
    workflows = cluster.kube.list(WORKFLOW, cluster.namespace, labels=labels)
    for item in workflows:
        if not workflow.finished(item):
            stop = {"spec": {"shutdown": "Terminate"}}
            cluster.kube.patch(WORKFLOW, item["metadata"]["name"], cluster.namespace, stop)
    _remove_pods(cluster, labels, options.run_id)
    notes = [note.text for note in jobs.clean_up(cluster, options)]
    for item in workflows:
        cluster.kube.delete(WORKFLOW, item["metadata"]["name"], cluster.namespace)
    return notes


def _remove_pods(cluster: ReadyCluster, labels: str, run_id: str) -> None:
    """Also waits for their end: a pod that still runs would put its objects after they were dropped."""
    for job in cluster.kube.list(JOB, cluster.namespace, labels=labels):
        jobs.remove(cluster, job["metadata"]["name"])

    def gone() -> bool | None:
        left = cluster.kube.list(POD, cluster.namespace, labels=labels)
        for pod in left:
            if not leaving(pod):
                cluster.kube.delete(POD, pod["metadata"]["name"], cluster.namespace)
        return None if left else True

    what = f"the end of the pods of run {run_id}"
    wait_until(gone, what=what, timeout_s=PODS_GONE_WITHIN_S, interval_s=0.5)


def _aside_s(step: Step) -> float:
    return step.evict_s + step.fsync_s + step.verify_s
