"""The nodes of a Workflow: one for each step, with its state, its pod and its report. Pure."""

import base64
import binascii
import gzip
import json
from collections.abc import Iterable, Mapping
from typing import Any

from fluidbench.errors import ExternalFailure
from fluidbench.plan import StepPlan
from fluidbench.records import State
from fluidbench.targets.cluster.diagnose.reading import Object

NODE_ID = "workflows.argoproj.io/node-id"
REPORT = "report"


def nodes(workflow: Object) -> Mapping[str, Object]:
    """The nodes of a Workflow, unpacked where Argo packed them. Raises ExternalFailure where they are elsewhere."""
    status = workflow.get("status") or {}
    if plain := status.get("nodes"):
        return dict(plain)
    name = workflow["metadata"]["name"]
    if status.get("offloadNodeStatusVersion"):
        raise ExternalFailure(
            f"the nodes of the Workflow {name} are in a database of Argo's (offloadNodeStatusVersion)",
            "FluidBench reads them from the Workflow: turn nodeStatusOffLoad off in Argo's persistence settings.",
        )
    return _unpacked(status["compressedNodes"], name) if status.get("compressedNodes") else {}


def _unpacked(packed: str, name: str) -> Mapping[str, Object]:
    try:
        unpacked: Mapping[str, Object] = json.loads(gzip.decompress(base64.b64decode(packed)))
    except (binascii.Error, OSError, EOFError, ValueError) as error:
        raise ExternalFailure(
            f"the nodes of the Workflow {name} are packed in a way that FluidBench does not know",
            "It knows gzip: set Argo's node status compression back to it.",
        ) from error
    return unpacked


def node_of(step: StepPlan, workflow: Object) -> Object | None:
    """A step's node; None as long as Argo has not made it."""
    found = [node for node in nodes(workflow).values() if node.get("displayName") == step.name]
    return next((node for node in found if node.get("type") in ("Pod", "Skipped")), next(iter(found), None))


def pod_of(step: StepPlan, workflow: Object, pods: Iterable[Object]) -> Object | None:
    """A step's pod among those of the Workflow."""
    node = node_of(step, workflow) or {}
    return next(
        (pod for pod in pods if (pod["metadata"].get("annotations") or {}).get(NODE_ID) == node.get("id")), None
    )


def state_of(node: Object | None) -> State:
    """A node's state; one that is not there yet, or says nothing, is Pending."""
    return State(node["phase"]) if node and node.get("phase") else State.PENDING


def report_of(node: Object) -> Mapping[str, Any]:
    """What the step itself reported; empty where it did not come to that."""
    for parameter in (node.get("outputs") or {}).get("parameters") or ():
        if parameter["name"] == REPORT:
            try:
                report = json.loads(parameter.get("value") or "{}")
            except ValueError as error:
                raise ExternalFailure(f"the report of {node['displayName']} is not JSON: {error}") from error
            return report if isinstance(report, dict) else {}
    return {}
