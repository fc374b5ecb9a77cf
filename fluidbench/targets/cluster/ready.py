"""The current cluster, opened: how to reach it, and what of it a run needs to know."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from fluidbench.errors import ExternalFailure, UsageProblem
from fluidbench.kube import EVENT, NAMESPACE, NODE, POD, Kube
from fluidbench.targets.cluster import current
from fluidbench.targets.cluster.bringup.options import bytes_of
from fluidbench.targets.cluster.current import Current


@dataclass(frozen=True)
class ReadyCluster:
    """A cluster that `up` made ready."""

    current: Current
    kube: Kube

    @classmethod
    def open(cls) -> "ReadyCluster":
        """The current cluster. Raises UsageProblem where there is none, ExternalFailure where it does not answer."""
        found = current.load()
        if found is None:
            raise UsageProblem("there is no current cluster", "Make one: fluidbench up. Or run here: --target local")
        if not found.ready:
            raise UsageProblem("`fluidbench up` did not come to its end", "Let it go on from there: fluidbench up")
        kube = Kube.open(found.kubeconfig_path, found.context)
        if kube.get(NAMESPACE, found.namespace) is None:
            raise ExternalFailure(
                f"there is no namespace {found.namespace} on the cluster any more", "Make it ready again: fluidbench up"
            )
        return cls(found, kube)

    @property
    def namespace(self) -> str:
        return self.current.namespace

    @cached_property
    def workers(self) -> dict[str, dict[str, Any]]:
        """The nodes that hold a Vineyard worker that is ready, by name. Raises ExternalFailure where there is none."""
        pods = self.kube.list(POD, self.namespace, labels=f"role=vineyard-worker,release={self.current.runtime}")
        names = {pod["spec"]["nodeName"] for pod in pods if _ready(pod)}
        if not names:
            raise ExternalFailure(
                f"none of Vineyard's {len(pods)} workers is ready, and runs take place where one is",
                "See why: fluidbench status; `fluidbench up` brings back what is missing.",
            )
        return {node["metadata"]["name"]: node for node in self.kube.list(NODE) if node["metadata"]["name"] in names}

    def events_of(self, pods: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """The events of the pods, asked for by name: those of the namespace are as many as all its users make."""
        return [event for pod in pods for event in self.kube.list(EVENT, self.namespace, fields=_about(pod))]

    def free_cpus(self) -> int:
        """The whole processors that no pod has asked for, on the worker's node that has the fewest; at least 1."""
        taken = dict.fromkeys(self.workers, 0.0)
        for pod in self._asking():
            taken[pod["spec"]["nodeName"]] += sum(_cpus(container) for container in pod["spec"]["containers"])
        free = [cpus(self.workers[node]["status"]["allocatable"]["cpu"]) - asked for node, asked in taken.items()]
        return max(1, int(min(free, default=1.0)))

    def free_memory_bytes(self) -> int:
        """The memory that no pod has asked for, on the worker's node that has the least."""
        taken = dict.fromkeys(self.workers, 0)
        for pod in self._asking():
            taken[pod["spec"]["nodeName"]] += sum(_memory(container) for container in pod["spec"]["containers"])
        free = [
            bytes_of(self.workers[node]["status"]["allocatable"]["memory"]) - asked for node, asked in taken.items()
        ]
        return min(free, default=0)

    def _asking(self) -> list[dict[str, Any]]:
        """The pods on the workers' nodes whose requests count."""
        return [
            pod
            for pod in self.kube.list(POD)
            if pod["spec"].get("nodeName") in self.workers and pod["status"].get("phase") in ("Pending", "Running")
        ]

    def argo_get(self, workflow: str) -> str:
        """The line that shows a Workflow, ready to be pasted."""
        environment = f"KUBECONFIG={self.current.kubeconfig} " if self.current.kubeconfig else ""
        return f"{environment}argo get {workflow} -n {self.namespace}"


def cpus(quantity: str) -> float:
    """Kubernetes' way to write processors: 2, 0.5 or 500m."""
    return int(quantity[:-1]) / 1000 if quantity.endswith("m") else float(quantity)


def _about(pod: Mapping[str, Any]) -> str:
    return f"involvedObject.kind=Pod,involvedObject.name={pod['metadata']['name']}"


def _cpus(container: dict[str, Any]) -> float:
    return cpus(container.get("resources", {}).get("requests", {}).get("cpu", "0"))


def _memory(container: dict[str, Any]) -> int:
    return bytes_of(container.get("resources", {}).get("requests", {}).get("memory", "0"))


def _ready(pod: dict[str, Any]) -> bool:
    conditions = pod.get("status", {}).get("conditions", [])
    return any(entry["type"] == "Ready" and entry["status"] == "True" for entry in conditions)
