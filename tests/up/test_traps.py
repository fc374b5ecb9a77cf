"""What was seen to go wrong on a real cluster while it was brought up or taken down, played again."""

import time
from typing import Any

import pytest

from fluidbench.kube import DATASET, DEPLOYMENT, NODE, POD, PVC, VINEYARD_RUNTIME
from tests.up.conftest import World
from tests.up.stack import controller, worker


def test_nodes_that_join_after_kind_has_come_to_its_end_are_waited_for(world: World) -> None:
    seen: dict[str, float] = {}

    def ready(node: dict[str, Any], *, yes: bool) -> None:
        told = {"conditions": [{"type": "Ready", "status": "True" if yes else "False"}]}
        world.api.status(NODE, node["metadata"]["name"], "", told)

    def joined(node: dict[str, Any]) -> None:
        if node["metadata"]["name"] == "bench-worker2":
            ready(node, yes=False)
            world.api.closing.wait(1)
            seen["joined"] = time.monotonic()
            ready(node, yes=True)

    world.api.when("ADDED", NODE, joined)
    world.api.when("ADDED", DEPLOYMENT, lambda _: seen.setdefault("first deployment", time.monotonic()))
    assert world.up().code == 0
    assert seen["joined"] < seen["first deployment"]


def test_a_dataset_that_is_bound_with_one_of_two_workers_is_not_ready_yet(world: World) -> None:
    world.stack.off.add("Fluid")
    steps: list[str] = []

    def bound(dataset: dict[str, Any]) -> None:
        world.api.add(worker("default", "vineyard", 0))
        claim = {"name": "vineyard", "namespace": "default"}
        world.api.add({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": claim})
        partly = {"masterPhase": "Ready", "workerPhase": "PartialReady", "workerNumberReady": 1}
        world.api.status(VINEYARD_RUNTIME, "vineyard", "default", partly)
        world.api.status(DATASET, "vineyard", "default", {"phase": "Bound"})
        world.api.closing.wait(1)
        steps.extend(pod["metadata"]["name"] for pod in world.api.objects(POD) if "round" in pod["metadata"]["name"])
        world.api.add(worker("default", "vineyard", 1))
        whole = {"workerPhase": "Ready", "workerNumberReady": 2}
        world.api.status(VINEYARD_RUNTIME, "vineyard", "default", whole)

    world.api.when("ADDED", DATASET, bound)
    outcome = world.up()
    assert outcome.code == 0, outcome.err
    assert steps == []
    assert "1 of 2 workers" in outcome.err


def test_an_argo_server_whose_image_cannot_be_pulled_is_nobodys_trouble(world: World, existing: list[str]) -> None:
    world.api.add({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "argo"}})
    definition = {"name": "workflows.argoproj.io"}
    world.api.add({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": definition,
    })  # fmt: skip
    world.api.add(controller(requeue="1s"))
    waiting = {"name": "argo-server", "state": {"waiting": {"reason": "ImagePullBackOff", "message": "not found"}}}
    world.api.add({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "argo-server-1", "namespace": "argo"},
        "spec": {"containers": []}, "status": {"phase": "Pending", "containerStatuses": [waiting]},
    })  # fmt: skip
    outcome = world.up(*existing)
    assert outcome.code == 0, outcome.err


def test_the_dataset_goes_before_its_runtime_and_both_before_fluid(world: World, existing: list[str]) -> None:
    assert world.up(*existing).code == 0
    before = len(world.api.requests)
    assert world("down").code == 0
    deleted = [seen.path for seen in world.api.requests[before:] if seen.method == "DELETE"]
    [dataset] = [number for number, path in enumerate(deleted) if "/datasets/" in path]
    assert not [path for path in deleted[:dataset] if "/vineyardruntimes/" in path]
    assert not [path for path in deleted[:dataset] if "customresourcedefinitions" in path]


def test_a_dataset_that_a_pod_uses_stops_down_and_the_pod_is_named(world: World, existing: list[str]) -> None:
    assert world.up(*existing).code == 0
    dataset = world.api.get(DATASET, "vineyard", "default")
    world.api.merge(dataset, {"metadata": {"finalizers": ["fluid-dataset-controller-finalizer"]}})
    about = {"kind": "Dataset", "name": "vineyard", "namespace": "default", "uid": dataset["metadata"]["uid"]}
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    world.api.add({
        "apiVersion": "v1", "kind": "Event", "metadata": {"name": "vineyard.1", "namespace": "default"},
        "involvedObject": about, "reason": "ErrorDeleteDataset", "type": "Warning", "lastTimestamp": now, "count": 3,
        "message": "Failed to delete dataset because err: can not delete dataset because Pod theirs-1 in Namespace "
        "default is using it",
    })  # fmt: skip
    outcome = world("down")
    assert outcome.code == 4
    assert "the pod default/theirs-1 uses it" in outcome.err
    assert "delete pod theirs-1" in outcome.err
    assert world.api.get(PVC, "vineyard", "default")


def test_what_fluid_leaves_on_the_nodes_is_told(world: World, existing: list[str]) -> None:
    assert world.up(*existing).code == 0
    outcome = world("down", "--json")
    assert outcome.code == 0
    [left] = outcome.json["left"]
    assert "/runtime-mnt/vineyard/default/vineyard" in left
    assert "not looked at" in left


@pytest.mark.parametrize("quota", ["300Mi", "400Mi"])
def test_a_quota_below_that_fluid_gives_no_limit_is_still_counted_against_the_host(world: World, quota: str) -> None:
    outcome = world("up", *world.files, "--name", "bench", "--quota", quota, "--replicas", "900", "--workers", "900")
    assert outcome.code == 8, outcome.err
