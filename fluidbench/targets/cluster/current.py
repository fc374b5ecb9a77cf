"""Which cluster is the current target: a small file in the state directory, written whole or not at all."""

import os
from dataclasses import dataclass
from pathlib import Path

import msgspec

from fluidbench import places
from fluidbench.errors import ResultProblem
from fluidbench.render.setup import HOST_PATH

FORMAT_VERSION = 1


@dataclass(frozen=True, kw_only=True)
class Current:
    """How to reach the cluster, and what `up` has made of it so far.

    The facts of the cluster itself live in the cluster, found by label. `kind_cluster` is the name where the nodes are
    kind's; `made_cluster` says that we made them, and is written before the first of them is. `joined` turns true
    when all nodes were seen Ready once; `proved` are the uids of the workers that a round trip has reached; `ready`
    turns true when every stage of `up` has ended: only then it can be run on.
    """

    context: str
    kubeconfig: str | None
    namespace: str
    data_dir: str
    kind_cluster: str | None = None
    made_cluster: bool = False
    joined: bool = False
    ready: bool = False
    runtime: str = "vineyard"
    step_image: str = ""
    workers: int | None = None
    replicas: int | None = None
    quota_bytes: int | None = None
    nfs: str = ""
    proved: tuple[str, ...] = ()
    installed: tuple[str, ...] = ()
    requeue_s: float | None = None
    format_version: int = FORMAT_VERSION

    @property
    def storage(self) -> str:
        """Where the data lies, in words."""
        if self.nfs:
            return f"NFS {self.nfs}"
        return self.data_dir if self.made_cluster else f"{HOST_PATH} on the nodes"

    @property
    def kubeconfig_path(self) -> Path | None:
        return Path(self.kubeconfig) if self.kubeconfig else None


def file() -> Path:
    return places.state_root() / "cluster.json"


def load() -> Current | None:
    """The current cluster, also one that `up` has not finished; None where there is none."""
    path = file()
    try:
        told = msgspec.json.decode(path.read_bytes())
        version = told["format_version"]
    except FileNotFoundError:
        return None
    except (msgspec.DecodeError, KeyError, TypeError) as error:
        raise _unusable(path, "it cannot be read") from error
    if version != FORMAT_VERSION:
        raise _unusable(path, f"it is of format {version}, this FluidBench knows {FORMAT_VERSION}")
    try:
        return msgspec.convert(told, type=Current)
    except msgspec.ValidationError as error:
        raise _unusable(path, str(error)) from error


def save(current: Current) -> None:
    places.state_dir()
    path = file()
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    with partial.open("wb") as stream:
        stream.write(msgspec.json.format(msgspec.json.encode(current), indent=2))
        stream.flush()
        os.fsync(stream.fileno())
    partial.replace(path)


def forget() -> None:
    """From now on there is no current cluster."""
    file().unlink(missing_ok=True)


def _unusable(path: Path, reason: str) -> ResultProblem:
    return ResultProblem(
        f"{path}, which says what cluster is current, is unusable: {reason}",
        f"Remove it, and let `fluidbench up` find the cluster again: rm {path}",
    )
