"""The cluster's API server: the only user of the `kubernetes` package, which is imported when a cluster is opened."""

from fluidbench.kube.client import Kube
from fluidbench.kube.faults import ApiFailure
from fluidbench.kube.resources import (
    CLUSTER_ROLE,
    CLUSTER_ROLE_BINDING,
    CONFIG_MAP,
    CRD,
    CSI_DRIVER,
    DAEMON_SET,
    DATASET,
    DEPLOYMENT,
    EVENT,
    JOB,
    LEASE,
    MUTATING_WEBHOOK,
    NAMESPACE,
    NODE,
    POD,
    PRIORITY_CLASS,
    PV,
    PVC,
    ROLE,
    ROLE_BINDING,
    SECRET,
    SERVICE,
    SERVICE_ACCOUNT,
    STATEFUL_SET,
    STORAGE_CLASS,
    VINEYARD_RUNTIME,
    WORKFLOW,
    WORKFLOW_TASK_RESULT,
    Resource,
    resource_of,
)  # fmt: skip
from fluidbench.kube.transport import Pauses, Unreachable
from fluidbench.kube.watching import Gone

__all__ = [
    "CLUSTER_ROLE", "CLUSTER_ROLE_BINDING", "CONFIG_MAP", "CRD", "CSI_DRIVER", "DAEMON_SET", "DATASET", "DEPLOYMENT",
    "EVENT", "JOB", "LEASE", "MUTATING_WEBHOOK", "NAMESPACE", "NODE", "POD", "PRIORITY_CLASS", "PV", "PVC", "ROLE",
    "ROLE_BINDING", "SECRET", "SERVICE", "SERVICE_ACCOUNT", "STATEFUL_SET", "STORAGE_CLASS", "VINEYARD_RUNTIME",
    "WORKFLOW", "WORKFLOW_TASK_RESULT", "ApiFailure", "Gone", "Kube", "Pauses", "Resource", "Unreachable",
    "resource_of",
]  # fmt: skip
