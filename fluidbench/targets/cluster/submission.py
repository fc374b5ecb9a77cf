"""One Workflow: submitted, watched to its end, its logs kept, and removed with all that it left."""

import contextlib
from collections.abc import Iterator
from typing import Any

from fluidbench.errors import FluidbenchError, StepFailed, WaitTimeout
from fluidbench.events import Note, StepEnded, StepUpdate
from fluidbench.kube import EVENT, POD, WORKFLOW, Gone
from fluidbench.plan import Plan
from fluidbench.records import State, Step
from fluidbench.render import PipelineOptions, to_yaml, workflow
from fluidbench.render.pipeline import RUN_LABEL
from fluidbench.targets.base import Context, Session
from fluidbench.targets.cluster import jobs, progress
from fluidbench.targets.cluster.diagnose import stuck
from fluidbench.targets.cluster.site import Site
from fluidbench.wait import wait_until

TICK_S = 2.0
PODS_GONE_WITHIN_S = 120.0
ENDED = (State.SUCCEEDED, State.FAILED, State.ERROR, State.OMITTED, State.SKIPPED)


class Submission:
    """A run on its way through Argo. Use it as a context manager: leaving it leaves nothing on the cluster."""

    def __init__(self, site: Site, plan: Plan, context: Context, options: PipelineOptions) -> None:
        self._site, self._plan, self._context, self._options = site, plan, context, options
        self._name = ""
        self._steps: dict[str, Step] = {}

    def __enter__(self) -> "Submission":
        manifest = workflow(self._options)
        (self._context.logs / "workflow.yaml").write_text(to_yaml([manifest]), encoding="utf-8")
        self._name = self._site.kube.create(manifest)["metadata"]["name"]
        return self

    def __exit__(self, *_: object) -> None:
        remove_run(self._site, self._context.run_id, self._options)

    def updates(self, session: Session) -> Iterator[StepUpdate]:
        """What happens until the Workflow ends. Raises what it failed of."""
        yield Note(f"Workflow {self._name}; see it with: {self._site.argo_get(self._name)}")
        seen: dict[str, Any] | None = None
        for state in self._states():
            yield from progress.between(seen, state, self._plan.pipeline.steps)
            yield from self._ended_steps(state)
            seen = state
            if progress.finished(state):
                session.wall_s = progress.wall_s(state) - sum(_aside_s(step) for step in self._steps.values())
                session.readings |= self._readings()
                self._keep_logs()
                if problem := progress.failure(state, self._pods()):
                    raise problem
                return
        raise StepFailed(f"the Workflow {self._name} was deleted while it ran", "Run it again: fluidbench run")

    def _states(self) -> Iterator[dict[str, Any]]:
        """The Workflow as it changes; on every tick its pods are looked at, so that one that is stuck is told."""
        timeout_s = self._plan.step_timeout_s * len(self._plan.pipeline.steps) + 60
        last: dict[str, Any] = {}
        watch = self._site.kube.watch(
            WORKFLOW, self._site.namespace, name=self._name, timeout_s=timeout_s, tick_s=TICK_S
        )  # fmt: skip
        for state in watch:
            if isinstance(state, Gone):
                return
            if state.get("status") == last.get("status") and not progress.finished(state):
                self._raise_if_stuck()
            yield state
            last = state
            if progress.finished(state):
                return
        raise WaitTimeout(f"the Workflow {self._name} did not end within {timeout_s:g} s")

    def _raise_if_stuck(self) -> None:
        if problem := stuck(self._pods(), self._site.kube.list(EVENT, self._site.namespace)):
            raise problem

    def _ended_steps(self, state: dict[str, Any]) -> Iterator[StepEnded]:
        for step in self._plan.pipeline.steps:
            if step.name in self._steps or progress.state_of(state, step) not in ENDED:
                continue
            record = progress.step_record(step, state, self._pod_of(step.name))
            self._steps[step.name] = record
            yield StepEnded(record)

    def _pods(self) -> list[dict[str, Any]]:
        return self._site.kube.list(
            POD, self._site.namespace, labels=f"workflows.argoproj.io/workflow={self._name}"
        )

    def _pod_of(self, step: str) -> dict[str, Any] | None:
        wanted = f"{self._name}.{step}"
        found = (
            pod for pod in self._pods()
            if pod["metadata"].get("annotations", {}).get("workflows.argoproj.io/node-name") == wanted
        )  # fmt: skip
        return next(found, None)

    def _keep_logs(self) -> None:
        for pod in self._pods():
            name = pod["metadata"]["name"]
            with contextlib.suppress(FluidbenchError):  # a log that is gone must not fail the run
                text = self._site.kube.logs(name, self._site.namespace, tail_lines=10_000)
                (self._context.logs / f"{name}.log").write_text(text, encoding="utf-8")

    def _readings(self) -> dict[str, float]:
        written = sum(step.written_bytes for step in self._steps.values() if step.transport in ("ipc", "rpc"))
        grid = self._site.current.requeue_s
        return {"shared_memory_bytes": float(written)} | ({"argo_requeue_s": grid} if grid else {})


def remove_run(site: Site, run_id: str, options: PipelineOptions | None = None) -> list[str]:
    """Stops and deletes the run's Workflows, waits for their pods, and drops its objects and files; returns what is worth telling."""
    labels = f"{RUN_LABEL}={run_id}"
    for item in site.kube.list(WORKFLOW, site.namespace, labels=labels):
        name = item["metadata"]["name"]
        if not progress.finished(item):
            site.kube.patch(WORKFLOW, name, site.namespace, {"spec": {"shutdown": "Terminate"}})
        site.kube.delete(WORKFLOW, name, site.namespace)
    # a pod that still runs would put its objects after they were dropped
    wait_until(
        lambda: None if site.kube.list(POD, site.namespace, labels=labels) else True,
        what=f"the end of the pods of run {run_id}", timeout_s=PODS_GONE_WITHIN_S, interval_s=0.5,
    )  # fmt: skip
    used = options or PipelineOptions(store="vineyard", step_image=site.current.step_image)
    notes = jobs.clean_up(
        site, run_id, used.image("clean-up"), vineyard=used.with_vineyard, node=used.node, as_root=used.drop_caches
    )
    return [note.text for note in notes]


def _aside_s(step: Step) -> float:
    return step.evict_s + step.fsync_s + step.verify_s
