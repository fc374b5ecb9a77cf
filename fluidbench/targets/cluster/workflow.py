"""From a Workflow and its pods to what a run records and shows. Pure.

What a step's record means on a cluster. Kubernetes tells times in whole seconds, the step itself to the microsecond:

- `scheduling`, `image`, `mount`, `container` come from the node and the pod, and are whole seconds: from the node's
  start to PodScheduled; pulling images, where events tell of it; from PodScheduled to the start of the first container
  (volumes and sandbox); from there to the start of `main`. Pulls are taken out of the two.
- `startup` to `save` are the step's own measurements, from its report.
- `exit` is what is left until the node's end (the end of the process, Argo's collecting of the outputs), rounded down
  to whole seconds: half a second of it would be a claim that the times do not bear.
- The duration is the sum of the phases. What the rounding leaves out is in no step, and so in the run's unaccounted
  time. Each whole-second phase may be off by a second; only differences of several seconds mean something.

A step without a report (one that failed early, or an image of other steps) has `main` in place of its own phases.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from fluidbench.errors import FluidbenchError
from fluidbench.events import Note, StepRunning, StepStarted, StepUpdate
from fluidbench.plan import StepPlan
from fluidbench.records import Input, State, Step
from fluidbench.targets.cluster.diagnose.pods import IMAGE_REASONS
from fluidbench.targets.cluster.diagnose.reading import (
    Object,
    condition,
    container,
    event_first,
    events_of,
    parsed,
    resources_of,
)
from fluidbench.targets.cluster.diagnose.steps import failed_step, failed_workflow
from fluidbench.targets.cluster.nodes import node_of, nodes, pod_of, report_of, state_of

ENDED = frozenset({State.SUCCEEDED, State.FAILED, State.ERROR, State.SKIPPED, State.OMITTED})
BAD = frozenset({State.FAILED, State.ERROR})
ASIDE = ("evict_s", "fsync_s", "verify_s")
COUNTED = (
    "read_bytes", "written_bytes", "cpu_s", "peak_private_bytes", "peak_shared_bytes", "peak_file_bytes", *ASIDE,
)  # fmt: skip


def finished(workflow: Object) -> bool:
    """Whether the Workflow is over, well or not."""
    return (workflow.get("status") or {}).get("phase") in ENDED


def ended(previous: Object | None, workflow: Object, steps: Sequence[StepPlan]) -> list[StepPlan]:
    """The steps that ended between two states of a Workflow: their pods can be read now, and recorded."""
    return [step for step in steps if _over(workflow, step) and not (previous and _over(previous, step))]


def _over(workflow: Object, step: StepPlan) -> bool:
    return state_of(node_of(step, workflow)) in ENDED


def updates(previous: Object | None, workflow: Object, steps: Sequence[StepPlan]) -> list[StepUpdate]:
    """What is new between two successive states: steps that started, and in Argo's words what became of them.

    A step starts when its node does, before it has a place: the time until it has one is part of it. Ends are not
    told here, because a StepEnded needs the step's pod: see `ended` and `step_record`.
    """
    news: list[StepUpdate] = []
    for step in steps:
        before, node = node_of(step, previous) if previous else None, node_of(step, workflow)
        if node is None:
            continue
        if before is None and state_of(node) not in (State.OMITTED, State.SKIPPED):
            news.append(StepStarted(step.name, node.get("startedAt") or "", state_of(node)))
        elif before is not None and state_of(before) is State.PENDING and state_of(node) is State.RUNNING:
            news.append(StepRunning(step.name))
        if (words := _words(step, node)) and words != (_words(step, before) if before else ""):
            news.append(Note(words))
    return news


def _words(step: StepPlan, node: Object) -> str:
    """A node in Argo's words, where there is more to tell than that it waits or is done."""
    state, message = state_of(node), node.get("message") or ""
    if state is State.SUCCEEDED or (state is State.PENDING and not message):
        return ""
    on = f" on {node['hostNodeName']}" if state is State.RUNNING and node.get("hostNodeName") else ""
    return f"{step.name}: {state}{on}" + (f": {message}" if message else "")


def step_record(step: StepPlan, workflow: Object, pod: Object | None, events: Iterable[Object] = ()) -> Step:
    """The record of a step that ended; see the module's text for what its times mean. `events` are its pod's."""
    node = node_of(step, workflow) or {}
    state, report = state_of(node), report_of(node)
    ran = node.get("type") == "Pod" and parsed(node.get("startedAt"))
    phases = _phases(node, pod, report, list(events)) if ran else {}
    return Step(
        name=step.name,
        state=state,
        reason="" if state is State.SUCCEEDED else _reason(step, node, pod, report),
        started_at=node.get("startedAt") or "",
        finished_at=node.get("finishedAt") or "",
        duration_s=sum(phases.values()),
        phases=phases,
        node=node.get("hostNodeName") or "",
        transport=report.get("transport", ""),
        inputs=tuple(Input(**entry) for entry in report.get("inputs", ())),
        results=report.get("results", {}),
        warnings=tuple(report.get("warnings", ())),
        resources=resources_of(pod),
        **{name: report[name] for name in COUNTED if name in report},
    )


def _reason(step: StepPlan, node: Object, pod: Object | None, report: Mapping[str, Any]) -> str:
    if state_of(node) not in BAD:
        return node.get("message") or ""
    problem = failed_step(step.name, node.get("message") or "", pod=pod, error=report.get("error"))
    return problem.message.removeprefix(f"{step.name} failed: ")


def _phases(node: Object, pod: Object | None, report: Mapping[str, Any], events: Sequence[Object]) -> dict[str, float]:
    """In order. The marks of a pod may be missing from some point on: it then stood in the phase before that."""
    own = {name: float(seconds) for name, seconds in report.get("phases", {}).items()}
    began, end = parsed(node["startedAt"]), parsed(node.get("finishedAt")) or parsed(node["startedAt"])
    if began is None or end is None or end < began:
        return own
    if pod is None:
        return {"pod": _rest((end - began).total_seconds(), own, report), **own}
    marks = _marks(pod)
    around: dict[str, float] = {}
    at = began
    for phase, mark in marks:
        if mark is None:
            return {**around, **_standing(phase, pod, (end - at).total_seconds()), **own}
        reached = min(max(mark, at), end)  # clocks of two nodes may differ by a second
        around[phase] = (reached - at).total_seconds()
        at = reached
    around = _with_pulls(around, _pulled_s(pod, events))
    if own:
        return {**around, **own, "exit": _rest((end - at).total_seconds(), own, report)}
    main_end = min(_main_end(pod) or end, end)  # one that was still running when Argo gave up has no end
    main_s = max(0.0, (main_end - at).total_seconds())
    return {**around, "main": main_s, "exit": (end - at).total_seconds() - main_s}


def _marks(pod: Object) -> list[tuple[str, datetime | None]]:
    """The end of each phase before `main`."""
    scheduled = condition(pod, "PodScheduled")
    first = (pod.get("status") or {}).get("initContainerStatuses") or (pod.get("status") or {}).get("containerStatuses")
    return [
        ("scheduling", parsed(scheduled.get("lastTransitionTime")) if scheduled.get("status") == "True" else None),
        ("mount", _started(first[0]) if first else None),
        ("container", _started(container(pod, "main"))),
    ]


def _started(status: Object) -> datetime | None:
    state = status.get("state") or {}
    return parsed((state.get("terminated") or state.get("running") or {}).get("startedAt"))


def _standing(phase: str, pod: Object, seconds: float) -> dict[str, float]:
    """The phase in which a pod stood until its end."""
    waiting = (container(pod, "main").get("state") or {}).get("waiting") or {}
    return {"image" if waiting.get("reason") in IMAGE_REASONS | {"ErrImagePull"} else phase: seconds}


def _main_end(pod: Object) -> datetime | None:
    return parsed(((container(pod, "main").get("state") or {}).get("terminated") or {}).get("finishedAt"))


def _pulled_s(pod: Object, events: Sequence[Object]) -> dict[str, float]:
    """Whole seconds of pulling before the first container (`mount`) and after it (`container`), from events."""
    pulled = {"mount": 0.0, "container": 0.0}
    first = _marks(pod)[1][1]
    began: dict[str, datetime] = {}
    for event in sorted(events_of(pod, events), key=lambda event: str(event_first(event))):
        at, image = parsed(event_first(event)), _quoted(event.get("message") or "")
        if at and event.get("reason") == "Pulling":
            began[image] = at
        if at and event.get("reason") == "Pulled" and image in began:
            pulled["mount" if first and at <= first else "container"] += (at - began.pop(image)).total_seconds() // 1
    return pulled


def _quoted(message: str) -> str:
    return message.split('"')[1] if message.count('"') >= 2 else message


def _with_pulls(around: Mapping[str, float], pulled: Mapping[str, float]) -> dict[str, float]:
    taken = {phase: min(pulled[phase], around[phase]) for phase in pulled}
    return {
        "scheduling": around["scheduling"],
        "image": sum(taken.values()),
        "mount": around["mount"] - taken["mount"],
        "container": around["container"] - taken["container"],
    }


def _rest(span_s: float, own: Mapping[str, float], report: Mapping[str, Any]) -> float:
    """Whole seconds of a span that are neither the step's own phases nor what it did beside them."""
    beside_s = sum(float(report.get(name, 0.0)) for name in ASIDE)
    return float(max(0.0, span_s - sum(own.values()) - beside_s) // 1)


def failure(
    workflow: Object, pods: Iterable[Object] = (), logs: Mapping[str, str] | None = None
) -> FluidbenchError | None:
    """Why a Workflow ended badly; None where it did not, or has not ended.

    Argo leaves the Workflow's own message empty when a step failed: the reason stands in the nodes, and there in the
    first that failed. `logs` maps a step to the end of its log.
    """
    status = workflow.get("status") or {}
    if status.get("phase") not in BAD:
        return None
    failed = [node for node in nodes(workflow).values() if node.get("type") == "Pod" and state_of(node) in BAD]
    if not failed:
        return failed_workflow(status.get("message") or "", workflow["metadata"]["name"])
    node = min(failed, key=lambda node: node.get("finishedAt") or "~")
    name = node["displayName"]
    step = StepPlan(name, "", (), 0)
    pod, error = pod_of(step, workflow, pods), report_of(node).get("error")
    problem = failed_step(name, node.get("message") or "", pod=pod, error=error, log=(logs or {}).get(name, ""))
    return _with_omitted(problem, workflow)


def _with_omitted(problem: FluidbenchError, workflow: Object) -> FluidbenchError:
    """The same error, saying which steps did not run because of it."""
    omitted = [node["displayName"] for node in nodes(workflow).values() if state_of(node) is State.OMITTED]
    if omitted:
        first, newline, log = problem.message.partition("\n")
        said = f"{first} (so {' and '.join(sorted(omitted))} did not run){newline}{log}"
        return type(problem)(said, problem.hint)
    return problem


def wall_s(workflow: Object) -> float | None:
    """From the Workflow's start to its end, in whole seconds: the `Duration` of `argo get`."""
    began, end = (parsed((workflow.get("status") or {}).get(mark)) for mark in ("startedAt", "finishedAt"))
    return (end - began).total_seconds() if began and end else None
