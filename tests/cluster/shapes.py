"""The objects of the cluster stand-in, in the shapes that a real cluster showed (tests/kube/fixtures). Pure.

Times are whole seconds, as Kubernetes tells them.
"""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.kube.cluster_state import Object, now

# keeps a deleted pod until its process is gone, as the grace period of a real kubelet does
KUBELET = "test/kubelet"
ARGOEXEC = "quay.io/argoproj/argoexec:v3.7.18"
WORKFLOWS = "workflows.argoproj.io"


@dataclass
class Life:
    """What happened to a pod, and when; a time that is empty has not come."""

    argo: bool
    scheduled: str = ""
    initialised: str = ""
    started: str = ""
    ended: str = ""
    exit_code: int = 0
    reason: str = "Completed"

    @property
    def phase(self) -> str:
        if self.ended:
            return "Failed" if self.exit_code else "Succeeded"
        return "Running" if self.started else "Pending"

    def status(self) -> Object:
        """The pod's status."""
        shown: Object = {"phase": self.phase, "conditions": self._conditions(), "qosClass": "Guaranteed"}
        if self.scheduled:
            shown |= {"startTime": self.scheduled, "containerStatuses": [self._container("main", self.exit_code)]}
        if self.scheduled and self.argo:
            shown["containerStatuses"].append(self._container("wait", 0))
            shown["initContainerStatuses"] = [self._init()]
        return shown

    def _conditions(self) -> list[Object]:
        def condition(kind: str, since: str, *, good: bool = True) -> Object:
            return {"type": kind, "status": "True" if good else "False", "lastTransitionTime": since}

        found = [condition("PodScheduled", self.scheduled)] if self.scheduled else []
        if self.initialised:
            found.append(condition("Initialized", self.initialised))
        if self.started:
            over = {"reason": "PodCompleted"} if self.ended else {}
            found += [condition("Ready", self.ended or self.started, good=not self.ended) | over]
        return found

    def _container(self, name: str, exit_code: int) -> Object:
        reason = self.reason if name == "main" else "Completed"
        if self.ended and self.started:
            ended = {"startedAt": self.started, "finishedAt": self.ended, "exitCode": exit_code, "reason": reason}
            state: Object = {"terminated": ended}
        elif self.started:
            state = {"running": {"startedAt": self.started}}
        else:
            state = {"waiting": {"reason": "PodInitializing" if self.argo else "ContainerCreating"}}
        started = bool(self.started) and not self.ended
        return {"name": name, "restartCount": 0, "started": started, "ready": started, "state": state, "lastState": {}}

    def _init(self) -> Object:
        over = {"startedAt": self.initialised, "finishedAt": self.initialised, "exitCode": 0, "reason": "Completed"}
        state = {"terminated": over} if self.initialised else {"waiting": {"reason": "ContainerCreating"}}
        return {"name": "init", "restartCount": 0, "image": ARGOEXEC, "ready": bool(self.initialised), "state": state}


def pod(owner: Object, name: str, spec: Object, metadata: Mapping[str, Any]) -> Object:
    """A pod that `owner` makes; deleted with it."""
    reference = {
        "apiVersion": owner["apiVersion"], "kind": owner["kind"], "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"], "controller": True, "blockOwnerDeletion": True,
    }  # fmt: skip
    named = {"name": name, "namespace": owner["metadata"]["namespace"]}
    return {
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {**metadata, **named, "ownerReferences": [reference], "finalizers": [KUBELET]},
        "spec": spec, "status": {"phase": "Pending"},
    }  # fmt: skip


def step_pod(workflow: Object, template: Object, node: Object) -> Object:
    """The pod that Argo makes of a container template."""
    name = workflow["metadata"]["name"]
    labels = {**(template.get("metadata", {}).get("labels") or {}), f"{WORKFLOWS}/workflow": name}
    marks = {f"{WORKFLOWS}/node-id": node["id"], f"{WORKFLOWS}/node-name": node["name"]}
    spec = {
        "containers": [{**template["container"], "name": "main"}, {"name": "wait", "image": ARGOEXEC}],
        "volumes": workflow["spec"].get("volumes", []),
        "nodeSelector": workflow["spec"].get("nodeSelector", {}),
        "serviceAccountName": workflow["spec"].get("serviceAccountName", "default"),
    }
    pod_name = f"{name}-{template['name']}-{node['id'].rpartition('-')[2]}"
    return pod(workflow, pod_name, spec, {"labels": labels, "annotations": marks})


def step_node(workflow: str, task: str, template: str) -> Object:
    """A node as it is when Argo has just made it."""
    full = f"{workflow}.{task}"
    return {
        "id": f"{workflow}-{zlib.crc32(full.encode())}", "name": full, "displayName": task, "type": "Pod",
        "templateName": template, "templateScope": f"local/{workflow}", "boundaryID": workflow, "phase": "Pending",
        "startedAt": now(), "finishedAt": None, "progress": "0/1",
    }  # fmt: skip


def omitted(node: Object) -> Object:
    """The node of a task whose dependencies failed."""
    why = "omitted: depends condition not met"
    return {**node, "type": "Skipped", "phase": "Omitted", "message": why, "finishedAt": now(), "nodeFlag": {}}


def cluster_node(name: str, cpus: int = 4, memory: str = "24000000Ki") -> Object:
    """A node that is Ready."""
    has = {"cpu": str(cpus), "memory": memory}
    return {
        "apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name}},
        "spec": {},
        "status": {
            "conditions": [{"type": "Ready", "status": "True"}], "capacity": has, "allocatable": has,
            "nodeInfo": {
                "kernelVersion": "6.1", "osImage": "Debian GNU/Linux 12 (bookworm)", "architecture": "amd64",
                "containerRuntimeVersion": "containerd://2.1.1", "kubeletVersion": "v1.34.4",
            },
        },
    }  # fmt: skip


def vineyard_worker(node: str, number: int, runtime: str = "vineyard") -> Object:
    """A worker of Vineyard that is ready."""
    labels = {"release": runtime, "role": "vineyard-worker", "app": "vineyard"}
    container = {"name": "vineyard-worker", "resources": {"requests": {"cpu": "100m"}}}
    return {
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": f"{runtime}-worker-{number}", "namespace": "default", "labels": labels},
        "spec": {"nodeName": node, "containers": [container]},
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]},
    }  # fmt: skip
