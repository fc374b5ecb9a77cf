"""What `up` makes: who the steps are, where their data lies, Vineyard, and what kind and Fluid are told."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fluidbench.errors import UsageProblem
from fluidbench.render.template import Manifest, documents, text

HOST_PATH = "/mnt/csi-benchmark"
VOLUME_SIZE = "30Gi"


@dataclass(frozen=True)
class VolumeOptions:
    """Where the data lies: a directory of every node, as published, or `nfs` as SERVER:/PATH."""

    namespace: str = "default"
    nfs: str = ""
    host_path: str = HOST_PATH
    size: str = VOLUME_SIZE


def rbac(namespace: str) -> list[Manifest]:
    """ServiceAccount, Role and RoleBinding of the steps."""
    return documents("rbac", namespace=namespace)


def volumes(options: VolumeOptions) -> list[Manifest]:
    """The PersistentVolume and the claim `benchmark-data`; raises UsageProblem where `nfs` names no export."""
    server, path = _nfs(options.nfs)
    return documents(
        "benchmark-data",
        namespace=options.namespace,
        size=options.size,
        host_path=options.host_path,
        nfs_server=server,
        nfs_path=path,
    )


def vineyard(namespace: str, name: str, replicas: int, quota: str) -> list[Manifest]:
    """VineyardRuntime and Dataset of one name."""
    return documents("vineyard", namespace=namespace, name=name, replicas=replicas, quota=quota)


def kind_config(name: str, workers: int, data_dir: Path, node_image: str) -> str:
    """The kind cluster: `data_dir` of the host on every node, and kind's own node image where none is given."""
    roles: Sequence[str] = ["control-plane"] + ["worker"] * workers
    return text("kind", name=name, roles=roles, data_dir=str(data_dir), node_image=node_image, host_path=HOST_PATH)


def fluid_values(image_prefix: str = "") -> str:
    """Values for Fluid's chart; `image_prefix` takes the place of the registry and repository of all its images."""
    return text("fluid-values", image_prefix=image_prefix.rstrip("/"))


def _nfs(export: str) -> tuple[str, str]:
    if not export:
        return "", ""
    server, colon, path = export.rpartition(":/")
    if not colon or not server:
        raise UsageProblem(f"{export!r} names no NFS export", "Give it as SERVER:/PATH, for example nas:/export/data.")
    return server, f"/{path}"
