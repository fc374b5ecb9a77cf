"""One Workflow: submitted, watched to its end, its logs kept, and removed with all that it left."""

import contextlib
from collections.abc import Iterator
from typing import Any

from fluidbench.errors import FluidbenchError, StepFailed, WaitTimeout
from fluidbench.events import Note, StepEnded, StepUpdate
from fluidbench.kube import EVENT, POD, WORKFLOW, Gone
from fluidbench.plan import Plan
from fluidbench.records import Step
from fluidbench.render import PipelineOptions, to_yaml
from fluidbench.render import workflow as render_workflow
from fluidbench.render.pipeline import RUN_LABEL
from fluidbench.targets.base import Context, Session
from fluidbench.targets.cluster import jobs, workflow
from fluidbench.targets.cluster.diagnose import stuck
from fluidbench.targets.cluster.ready import ReadyCluster
from fluidbench.wait import wait_until

TICK_S = 2.0
PODS_GONE_WITHIN_S = 120.0
NODE_NAME = "workflows.argoproj.io/node-name"


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
            self._name = self._cluster.kube.create(manifest)["metadata"]["name"]
        except BaseException:
            with contextlib.suppress(FluidbenchError):  # what came before it is what is told
                self._remove_unseen()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.notes += remove_run(self._cluster, self._options)

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
            yield from workflow.updates(before, state, self._plan.pipeline.steps)
            yield from self._ended_steps(before, state)
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
        watch = self._cluster.kube.watch(
            WORKFLOW, self._cluster.namespace, name=self._name, timeout_s=timeout_s, tick_s=TICK_S
        )  # fmt: skip
        for state in watch:
            if isinstance(state, Gone):
                return
            if state.get("status") == last.get("status") and not workflow.finished(state):
                self._raise_if_stuck()
            yield state
            last = state
            if workflow.finished(state):
                return
        raise WaitTimeout(f"the Workflow {self._name} did not end within {timeout_s:g} s")

    def _raise_if_stuck(self) -> None:
        if problem := stuck(self._pods(), self._cluster.kube.list(EVENT, self._cluster.namespace)):
            raise problem

    def _ended_steps(self, before: dict[str, Any] | None, state: dict[str, Any]) -> Iterator[StepEnded]:
        ended = workflow.ended(before, state, self._plan.pipeline.steps)
        pods = self._pods() if ended else []
        events = self._cluster.kube.list(EVENT, self._cluster.namespace) if ended else []
        for step in ended:
            record = workflow.step_record(step, state, workflow.pod_of(step, state, pods), events)
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
    """Stops and deletes the run's Workflows, and drops its objects and files; returns what is worth telling."""
    labels = f"{RUN_LABEL}={options.run_id}"
    for item in cluster.kube.list(WORKFLOW, cluster.namespace, labels=labels):
        name = item["metadata"]["name"]
        if not workflow.finished(item):
            cluster.kube.patch(WORKFLOW, name, cluster.namespace, {"spec": {"shutdown": "Terminate"}})
        cluster.kube.delete(WORKFLOW, name, cluster.namespace)
    # a pod that still runs would put its objects after they were dropped
    wait_until(
        lambda: None if cluster.kube.list(POD, cluster.namespace, labels=labels) else True,
        what=f"the end of the pods of run {options.run_id}", timeout_s=PODS_GONE_WITHIN_S, interval_s=0.5,
    )  # fmt: skip
    return [note.text for note in jobs.clean_up(cluster, options)]


def _aside_s(step: Step) -> float:
    return step.evict_s + step.fsync_s + step.verify_s
