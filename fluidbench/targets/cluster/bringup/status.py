"""`fluidbench status`: what is up, where, in which phase, and how full each worker of Vineyard is."""

import contextlib
import secrets
from dataclasses import dataclass, field

from fluidbench import pins
from fluidbench.errors import FluidbenchError
from fluidbench.kube import DAEMON_SET, DEPLOYMENT, NODE, POD, WORKFLOW
from fluidbench.render import round_trip_pod
from fluidbench.targets.cluster.bringup import waiting
from fluidbench.targets.cluster.bringup.argo import CONTROLLER, requeue_s
from fluidbench.targets.cluster.bringup.fluid import CSI, DEPLOYMENTS
from fluidbench.targets.cluster.bringup.objects import (
    Object,
    condition,
    images_of,
    name_of,
    rolled_out,
    status_of,
    workload_state,
)
from fluidbench.targets.cluster.bringup.options import RUNTIME
from fluidbench.targets.cluster.bringup.site import Site
from fluidbench.targets.cluster.bringup.vineyard import Seen, ended, see, worker_pods

USAGE_TIMEOUT_S = 60.0


@dataclass(frozen=True)
class NodeSeen:
    name: str
    ready: bool
    version: str


@dataclass(frozen=True)
class Part:
    """A component: `state` in words, and whether it is as it should be."""

    name: str
    state: str
    good: bool
    where: str = ""


@dataclass(frozen=True)
class Worker:
    """A worker of Vineyard. `used_bytes` is None where its node did not tell."""

    pod: str
    node: str
    phase: str
    used_bytes: int | None = None
    limit_bytes: int | None = None


@dataclass(frozen=True)
class Status:
    context: str
    kubeconfig: str | None
    namespace: str
    data: str
    ready: bool
    version: str
    nodes: tuple[NodeSeen, ...]
    parts: tuple[Part, ...]
    workers: tuple[Worker, ...]
    runs: tuple[Part, ...]
    requeue_s: float | None
    notes: tuple[str, ...] = field(default=())


def status(site: Site, *, usage: bool = True) -> Status:
    """How the current cluster is. Raises ExternalFailure when it does not answer."""
    kube, namespace = site.kube, site.current.namespace
    version = kube.server_version()
    nodes = tuple(
        NodeSeen(
            name_of(node), condition(node, "Ready"), (status_of(node).get("nodeInfo") or {}).get("kubeletVersion", "")
        )
        for node in kube.list(NODE)
    )
    deployments = kube.list(DEPLOYMENT)
    controller = next((item for item in deployments if name_of(item) == CONTROLLER), None)
    seen, notes = see(kube, namespace), list[str]()
    workers = _workers(site, usage and seen.whole, notes)
    return Status(
        context=site.current.context, kubeconfig=site.current.kubeconfig, namespace=namespace,
        data=site.current.storage, ready=site.current.ready and seen.whole, version=version,
        nodes=nodes, parts=(*_fluid(site, deployments), _argo(controller), *_vineyard(seen, namespace)),
        workers=workers, runs=_runs(site), requeue_s=requeue_s(controller) if controller else None, notes=tuple(notes),
    )  # fmt: skip


def _fluid(site: Site, deployments: list[Object]) -> list[Part]:
    held = {name_of(item): item for item in deployments if item["metadata"]["namespace"] == pins.FLUID_NAMESPACE}
    if csi := site.kube.get(DAEMON_SET, CSI, pins.FLUID_NAMESPACE):
        held[CSI] = csi
    if not held:
        return [Part("Fluid", "not installed", good=False)]
    return [_workload(held[name]) for name in (*DEPLOYMENTS, CSI) if name in held]


def _workload(item: Object) -> Part:
    image = images_of(item)[0].rpartition("/")[2]
    return Part(name_of(item), f"{workload_state(item)} {image}", rolled_out(item), item["metadata"]["namespace"])


def _argo(controller: Object | None) -> Part:
    return _workload(controller) if controller else Part("Argo", "not installed", good=False)


def _vineyard(seen: Seen, namespace: str) -> list[Part]:
    held = status_of(seen.runtime)
    return [
        Part("Dataset", seen.phase, seen.phase == "Bound", f"{namespace}/{RUNTIME}"),
        Part(
            "VineyardRuntime",
            f"master {held.get('masterPhase') or 'not there'}, workers {held.get('workerPhase') or 'not there'} "
            f"{seen.workers_ready}/{seen.replicas}",
            seen.whole,
            f"{namespace}/{RUNTIME}",
        ),
    ]


def _runs(site: Site) -> tuple[Part, ...]:
    return tuple(
        Part(name_of(item), status_of(item).get("phase") or "Pending", good=True, where=site.current.namespace)
        for item in site.kube.list(WORKFLOW, site.current.namespace)
    )


def _workers(site: Site, usage: bool, notes: list[str]) -> tuple[Worker, ...]:
    pods = worker_pods(site.kube, site.current.namespace)
    full = _usage(site, sorted({_node(pod) for pod in pods}), notes) if usage else {}
    return tuple(_worker(pod, full.get(_node(pod))) for pod in pods)


def _worker(pod: Object, full: tuple[int, int] | None) -> Worker:
    used, limit = full or (None, None)
    return Worker(name_of(pod), _node(pod), status_of(pod).get("phase", ""), used, limit)


def _node(pod: Object) -> str:
    return str(pod["spec"].get("nodeName", ""))


def _usage(site: Site, nodes: list[str], notes: list[str]) -> dict[str, tuple[int, int]]:
    """Asks each worker from a pod on its node, as the steps reach it: nobody else can."""
    pods = {node: _usage_pod(site, node) for node in nodes}
    full: dict[str, tuple[int, int]] = {}
    try:
        for pod in pods.values():
            site.kube.create(pod)
        for node, pod in pods.items():
            told = waiting.finished(ended(site, "usage", pod, USAGE_TIMEOUT_S))["round_trip"]
            full[node] = (told["used_bytes"][told["instance"]], told["limit_bytes"])
    except FluidbenchError as problem:
        notes.append(f"how full the workers are could not be asked: {problem.message}")
    finally:
        for pod in pods.values():
            with contextlib.suppress(FluidbenchError):
                site.kube.delete(POD, name_of(pod), site.current.namespace)
    return full


def _usage_pod(site: Site, node: str) -> Object:
    pod = round_trip_pod(site.current.namespace, node, site.current.step_image, site.current.runtime)
    # two that ask at the same time must not meet
    pod["metadata"]["name"] = f"fluidbench-usage-{secrets.token_hex(4)}"
    return pod
