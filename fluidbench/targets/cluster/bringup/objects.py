"""Looking at objects of the cluster, and marking those that are ours."""

from collections.abc import Mapping
from typing import Any

Object = dict[str, Any]
MANAGED_BY = "app.kubernetes.io/managed-by"
OURS = f"{MANAGED_BY}=fluidbench"
# on a namespace: what `up` installed into it, and `down` may uninstall
INSTALLED = "fluidbench/installed"


def ours(item: Mapping[str, Any] | None) -> bool:
    """Whether `up` made the object."""
    return labels(item).get(MANAGED_BY) == "fluidbench"


def marked(manifest: Mapping[str, Any], **more: str) -> Object:
    """The manifest with the label by which it is found again, and `more` labels."""
    metadata = dict(manifest["metadata"])
    metadata["labels"] = {**(metadata.get("labels") or {}), MANAGED_BY: "fluidbench", **more}
    return {**manifest, "metadata": metadata}


def namespace(name: str, labels: Mapping[str, str]) -> Object:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": dict(labels)}}


def labels(item: Mapping[str, Any] | None) -> Mapping[str, str]:
    return ((item or {}).get("metadata") or {}).get("labels") or {}


def name_of(item: Mapping[str, Any]) -> str:
    return str(item["metadata"]["name"])


def status_of(item: Mapping[str, Any] | None) -> Mapping[str, Any]:
    return (item or {}).get("status") or {}


def leaving(item: Mapping[str, Any] | None) -> bool:
    """Whether the object is being deleted, and something still holds it."""
    return bool(((item or {}).get("metadata") or {}).get("deletionTimestamp"))


def condition(item: Mapping[str, Any], kind: str) -> bool:
    """Whether a condition of the object is true."""
    return any(
        told.get("type") == kind and told.get("status") == "True" for told in status_of(item).get("conditions") or []
    )


def rolled_out(item: Mapping[str, Any] | None) -> bool:
    """Whether all pods of a Deployment, StatefulSet or DaemonSet are of its last version and ready."""
    if item is None:
        return False
    status, metadata = status_of(item), item["metadata"]
    if int(status.get("observedGeneration") or 0) < int(metadata.get("generation") or 0):
        return False
    if item["kind"] == "DaemonSet":
        wanted, updated, ready = (
            status.get(key) or 0 for key in ("desiredNumberScheduled", "updatedNumberScheduled", "numberReady")
        )
        return bool(wanted) and updated >= wanted and ready >= wanted
    wanted = item["spec"].get("replicas", 1)
    return all((status.get(key) or 0) >= wanted for key in ("updatedReplicas", "readyReplicas"))


def workload_state(item: Mapping[str, Any]) -> str:
    """How many of the pods are ready: 1/1."""
    status = status_of(item)
    if item["kind"] == "DaemonSet":
        return f"{status.get('numberReady') or 0}/{status.get('desiredNumberScheduled') or 0}"
    return f"{status.get('readyReplicas') or 0}/{item['spec'].get('replicas', 1)}"


def images_of(item: Mapping[str, Any]) -> list[str]:
    """The images of a workload's pods."""
    return [container["image"] for container in item["spec"]["template"]["spec"]["containers"]]
