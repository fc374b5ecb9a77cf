"""What Fluid, Argo and the volume controller would do, on the test API server: objects that are made become well."""

import json
from dataclasses import dataclass, field
from typing import Any

from fluidbench.kube import CRD, DATASET, DEPLOYMENT, POD, PVC, VINEYARD_RUNTIME
from tests.kube.apiserver import ApiServer

Object = dict[str, Any]
NODES = ("bench-worker", "bench-worker2", "bench-worker3")


@dataclass
class Stack:
    """The controllers. A test takes one away by putting its name into `off`."""

    api: ApiServer
    off: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        api = self.api
        api.when("ADDED", PVC, self._claim)
        api.when("ADDED", CRD, self._definition)
        api.when("ADDED", DEPLOYMENT, self._deployment)
        api.when("ADDED", DATASET, self._dataset)
        api.when("DELETED", DATASET, self._dataset_gone)
        api.when("ADDED", POD, self._pod)

    def _claim(self, claim: Object) -> None:
        if "volumes" not in self.off:
            name, namespace = claim["metadata"]["name"], claim["metadata"]["namespace"]
            self.api.status(PVC, name, namespace, {"phase": "Bound"})

    def _definition(self, definition: Object) -> None:
        established = {"conditions": [{"type": "Established", "status": "True"}]}
        self.api.status(CRD, definition["metadata"]["name"], "", established)

    def _deployment(self, deployment: Object) -> None:
        if deployment["metadata"]["name"] in self.off or deployment.get("status"):
            return
        ready = {"readyReplicas": 1, "updatedReplicas": 1, "observedGeneration": 1}
        self.api.status(DEPLOYMENT, deployment["metadata"]["name"], deployment["metadata"]["namespace"], ready)

    def _dataset(self, dataset: Object) -> None:
        if "Fluid" in self.off:
            return
        name, namespace = dataset["metadata"]["name"], dataset["metadata"]["namespace"]
        replicas = self.api.get(VINEYARD_RUNTIME, name, namespace)["spec"]["replicas"]
        for number in range(replicas):
            self.api.add(worker(namespace, name, number))
        ready = {"masterPhase": "Ready", "workerPhase": "Ready", "workerNumberReady": replicas}
        self.api.status(VINEYARD_RUNTIME, name, namespace, ready)
        claim = {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": name, "namespace": namespace},
        }
        self.api.add(claim)
        self.api.status(DATASET, name, namespace, {"phase": "Bound"})

    def _dataset_gone(self, dataset: Object) -> None:
        name, namespace = dataset["metadata"]["name"], dataset["metadata"]["namespace"]
        self.api.remove(VINEYARD_RUNTIME, name, namespace)
        self.api.remove(PVC, name, namespace)
        for pod in self.api.objects(POD, f"release={name}"):
            self.api.remove(POD, pod["metadata"]["name"], namespace)

    def _pod(self, pod: Object) -> None:
        name, namespace = pod["metadata"]["name"], pod["metadata"]["namespace"]
        if not name.startswith(("fluidbench-round-trip", "fluidbench-usage")) or "round trip" in self.off:
            return
        told = {
            "round_trip_s": 0.02,
            "transport": "ipc",
            "instance": "1",
            "used_bytes": {"1": 1000},
            "limit_bytes": 9000,
        }
        self.api.logs[namespace, name, "main"] = json.dumps({"round_trip": told}) + "\n"
        self.api.status(POD, name, namespace, {"phase": "Succeeded"})


def worker(namespace: str, name: str, number: int) -> Object:
    """The pod of one Vineyard worker."""
    return {
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "name": f"{name}-worker-{number}", "namespace": namespace,
            "labels": {"release": name, "role": "vineyard-worker", "app": "vineyard"},
        },
        "spec": {"nodeName": NODES[number], "containers": []}, "status": {"phase": "Running"},
    }  # fmt: skip


def controller(namespace: str = "argo", requeue: str | None = None) -> Object:
    """A workflow controller that somebody else has installed."""
    env = [{"name": "DEFAULT_REQUEUE_TIME", "value": requeue}] if requeue else []
    container = {"name": "workflow-controller", "image": "quay.io/argoproj/workflow-controller:v3.6.0", "env": env}
    return {
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "workflow-controller", "namespace": namespace},
        "spec": {"replicas": 1, "template": {"spec": {"containers": [container]}}},
        "status": {"readyReplicas": 1, "updatedReplicas": 1, "observedGeneration": 1},
    }  # fmt: skip


ARGO_MANIFEST = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: workflows.argoproj.io}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: argo, namespace: argo}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: argo-cluster-role}
---
apiVersion: v1
kind: Service
metadata: {name: argo-server, namespace: argo}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: argo-server, namespace: argo}
spec: {replicas: 1, template: {spec: {containers: [{name: main, image: "quay.io/argoproj/argocli:v3.7.18"}]}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: workflow-controller, namespace: argo}
spec:
  replicas: 1
  template:
    spec:
      containers:
      - name: workflow-controller
        image: quay.io/argoproj/workflow-controller:v3.7.18
        args: []
        env: [{name: LEADER_ELECTION_IDENTITY, value: me}]
"""
