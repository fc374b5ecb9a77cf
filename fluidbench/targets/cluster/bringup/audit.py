"""What is left after `down`, on the cluster and on its nodes."""

from fluidbench import pins
from fluidbench.kube import NAMESPACE, NODE
from fluidbench.targets.cluster.bringup.kind_cluster import MARK
from fluidbench.targets.cluster.bringup.objects import OURS, labels, leaving, name_of
from fluidbench.targets.cluster.bringup.options import RUNTIME
from fluidbench.targets.cluster.bringup.removals import FLUID_KINDS, OUR_KINDS
from fluidbench.targets.cluster.bringup.site import Site
from fluidbench.tools import docker

# Fluid's own traces on a node, which it never removes
NODE_PATHS = (
    "/runtime-mnt/vineyard/{namespace}/{runtime}",
    "/var/lib/kubelet/csi-plugins/fuse.csi.fluid.io",
    "/var/lib/kubelet/plugins/csi-fluid-plugin",
)


def audit(site: Site) -> list[str]:
    """One line for each thing that `up` brought and that is still there."""
    return [*_objects(site), *_fluid(site), *_node_labels(site), *_on_nodes(site)]


def _objects(site: Site) -> list[str]:
    found = []
    for resource in OUR_KINDS:
        for item in site.kube.list(resource, labels=OURS):
            where = item["metadata"].get("namespace")
            if (where, name_of(item)) == MARK:  # says that a kind cluster is ours, and goes with it
                continue
            state = " (being deleted)" if leaving(item) else ""
            found.append(f"{resource.kind} {f'{where}/' if where else ''}{name_of(item)}{state}")
    return found


def _fluid(site: Site) -> list[str]:
    """What Fluid's chart leaves, once Fluid itself is gone."""
    if site.kube.get(NAMESPACE, pins.FLUID_NAMESPACE):
        return []
    return [
        f"{resource.kind} {name_of(item)}"
        for resource in FLUID_KINDS
        for item in site.kube.list(resource)
        if "fluid" in name_of(item)
    ]


def _node_labels(site: Site) -> list[str]:
    marks = (f"-{site.current.namespace}-{RUNTIME}",)
    return [
        f"label {label} on node {name_of(node)}"
        for node in site.kube.list(NODE)
        for label in labels(node)
        if label.startswith("fluid.io/") and label.endswith(marks)
    ]


def _on_nodes(site: Site) -> list[str]:
    """Directories on the nodes; only kind's nodes can be looked into from here."""
    paths = [path.format(namespace=site.current.namespace, runtime=RUNTIME) for path in NODE_PATHS]
    if not site.current.kind_cluster:
        return [f"on nodes with a worker or a step, as Fluid leaves it (not looked at): {', '.join(paths)}"]
    return [
        f"{path} on node {node.name}"
        for node in docker.nodes(site.current.kind_cluster)
        for path in docker.node_paths(node.name, paths)
    ]
