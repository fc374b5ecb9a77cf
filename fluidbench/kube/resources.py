"""The kinds of objects that FluidBench deals with, and their paths on the API server. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fluidbench.errors import UsageProblem


@dataclass(frozen=True)
class Resource:
    """One kind of object. `group` is empty for the core group."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def qualified(self) -> str:
        """As kubectl takes it where a bare plural may be ambiguous: workflows.argoproj.io."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    def path(self, namespace: str | None = None, name: str = "") -> str:
        """The path of one object, or of all of them; without a namespace, those of all namespaces."""
        base = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        within = f"/namespaces/{namespace}" if namespace and self.namespaced else ""
        return f"{base}{within}/{self.plural}" + (f"/{name}" if name else "")


NAMESPACE = Resource("", "v1", "namespaces", "Namespace", namespaced=False)
NODE = Resource("", "v1", "nodes", "Node", namespaced=False)
PV = Resource("", "v1", "persistentvolumes", "PersistentVolume", namespaced=False)
PVC = Resource("", "v1", "persistentvolumeclaims", "PersistentVolumeClaim")
POD = Resource("", "v1", "pods", "Pod")
EVENT = Resource("", "v1", "events", "Event")
CONFIG_MAP = Resource("", "v1", "configmaps", "ConfigMap")
SECRET = Resource("", "v1", "secrets", "Secret")
SERVICE = Resource("", "v1", "services", "Service")
SERVICE_ACCOUNT = Resource("", "v1", "serviceaccounts", "ServiceAccount")
DEPLOYMENT = Resource("apps", "v1", "deployments", "Deployment")
STATEFUL_SET = Resource("apps", "v1", "statefulsets", "StatefulSet")
DAEMON_SET = Resource("apps", "v1", "daemonsets", "DaemonSet")
JOB = Resource("batch", "v1", "jobs", "Job")
ROLE = Resource("rbac.authorization.k8s.io", "v1", "roles", "Role")
ROLE_BINDING = Resource("rbac.authorization.k8s.io", "v1", "rolebindings", "RoleBinding")
CLUSTER_ROLE = Resource("rbac.authorization.k8s.io", "v1", "clusterroles", "ClusterRole", namespaced=False)
CLUSTER_ROLE_BINDING = Resource(
    "rbac.authorization.k8s.io", "v1", "clusterrolebindings", "ClusterRoleBinding", namespaced=False
)
LEASE = Resource("coordination.k8s.io", "v1", "leases", "Lease")
STORAGE_CLASS = Resource("storage.k8s.io", "v1", "storageclasses", "StorageClass", namespaced=False)
CSI_DRIVER = Resource("storage.k8s.io", "v1", "csidrivers", "CSIDriver", namespaced=False)
PRIORITY_CLASS = Resource("scheduling.k8s.io", "v1", "priorityclasses", "PriorityClass", namespaced=False)
CRD = Resource("apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition", namespaced=False)
MUTATING_WEBHOOK = Resource(
    "admissionregistration.k8s.io", "v1", "mutatingwebhookconfigurations", "MutatingWebhookConfiguration",
    namespaced=False,
)  # fmt: skip
WORKFLOW = Resource("argoproj.io", "v1alpha1", "workflows", "Workflow")
WORKFLOW_TASK_RESULT = Resource("argoproj.io", "v1alpha1", "workflowtaskresults", "WorkflowTaskResult")
DATASET = Resource("data.fluid.io", "v1alpha1", "datasets", "Dataset")
VINEYARD_RUNTIME = Resource("data.fluid.io", "v1alpha1", "vineyardruntimes", "VineyardRuntime")

KNOWN = tuple(value for value in globals().values() if isinstance(value, Resource))
_BY_KIND = {(known.group, known.kind): known for known in KNOWN}


def resource_of(manifest: Mapping[str, Any]) -> Resource:
    """The resource of a manifest, from its `apiVersion` and `kind`. Raises UsageProblem where one is missing.

    Of a kind that is not in the table the plural is formed as English forms it, and it counts as namespaced.
    """
    kind, api_version = str(manifest.get("kind") or ""), str(manifest.get("apiVersion") or "")
    if not kind or not api_version:
        raise UsageProblem("a manifest lacks apiVersion or kind", f"It begins: {str(dict(manifest))[:80]}")
    group, _, version = api_version.rpartition("/")
    if known := _BY_KIND.get((group, kind)):
        return Resource(group, version, known.plural, kind, known.namespaced)
    return Resource(group, version, _plural(kind.lower()), kind)


def _plural(word: str) -> str:
    if word.endswith(("s", "x", "ch", "sh")):
        return word + "es"
    if word.endswith("y") and word[-2:-1] not in "aeiou":
        return word[:-1] + "ies"
    return word + "s"
