"""A cluster that `up` has made ready: nodes with a Vineyard worker each, Argo, a data volume; behind real HTTP."""

import contextlib
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
import psutil

from fluidbench.kube import JOB, POD, WORKFLOW
from fluidbench.targets.cluster.current import Current
from fluidbench.tools import vineyardd
from tests.cluster import shapes
from tests.cluster.argo import Argo
from tests.cluster.kubelet import Kubelet
from tests.kube.apiserver import ApiServer
from tests.up.stack import controller

NODES = ("bench-worker", "bench-worker2")
# holds the tables of one run at multiplier 1 (3.7 MB), and not those of two: what a run leaks, the next one misses
VINEYARD_BYTES = 6_000_000
QUOTA_BYTES = 110_000_000
GONE_WITHIN_S = 2.0


@dataclass
class Cluster:
    """The API server and what stands behind it; `data` is what the steps see as /data."""

    api: ApiServer
    argo: Argo
    data: Path
    vineyard: vineyardd.Server | None
    kubeconfig: Path

    def current(self, **more: object) -> Current:
        """What `up` would have written down."""
        told = {
            "context": "test", "kubeconfig": str(self.kubeconfig), "namespace": "default", "data_dir": str(self.data),
            "ready": True, "step_image": "fluidbench-steps:test", "quota_bytes": QUOTA_BYTES, "requeue_s": 1.0,
        }  # fmt: skip
        return Current(**(told | more))  # type: ignore[arg-type]

    def make_current(self, home: Path, **more: object) -> None:
        """Makes it the current cluster of the FluidBench that has its state below `home`."""
        place = home / "state" / "fluidbench"
        place.mkdir(parents=True, exist_ok=True)
        (place / "cluster.json").write_bytes(msgspec.json.encode(self.current(**more)))

    def left(self) -> list[str]:
        """What a run must not leave: its objects, files, processes, and what Vineyard holds; datasets may stay.

        What a deleted object owned goes in the background, as in a real cluster.
        """
        deadline = time.monotonic() + GONE_WITHIN_S
        while (found := self._seen()) and time.monotonic() < deadline:
            time.sleep(0.05)
        return found

    def _seen(self) -> list[str]:
        objects = [
            f"{item['kind']} {item['metadata']['name']}"
            for resource in (WORKFLOW, JOB, POD) for item in self.api.objects(resource)
            if not item["metadata"]["name"].startswith("vineyard-worker")
        ]  # fmt: skip
        files = [str(path) for path in self.data.glob("exchange/*")]
        processes = [name for name, process in self.argo.kubelet.processes.items() if psutil.pid_exists(process.pid)]
        held = self.vineyard.used_bytes() if self.vineyard else 0
        return [*objects, *files, *processes, *([f"{held} bytes in Vineyard"] if held else [])]


@contextlib.contextmanager
def cluster(place: Path, vineyard: "tuple[vineyardd.Server, Path] | None" = None) -> Iterator[Cluster]:
    """`vineyard` is a server, and the directory that the steps are to find it through."""
    api = ApiServer()
    server, mount = vineyard or (None, place / "no-vineyard")
    data = place / "volume"
    data.mkdir()
    api.put(controller(requeue="1s"))
    for number, name in enumerate(NODES):
        api.add(shapes.cluster_node(name))
        api.put(shapes.vineyard_worker(name, number))
    volumes = {"benchmark-data": data, "vineyard": mount}
    argo = Argo(api, Kubelet(api, volumes, place / "pods", NODES))
    try:
        yield Cluster(api, argo, data, server, api.kubeconfig(place / "kubeconfig"))
    finally:
        argo.kubelet.close()
        api.close()


@contextlib.contextmanager
def served_vineyard() -> Iterator[tuple[vineyardd.Server, Path]]:
    """A real vineyardd, and a directory that holds what Fluid's fuse pod shows of a node's worker."""
    with tempfile.TemporaryDirectory(prefix="fbt-", dir="/tmp") as private:  # a socket's path is at most 107 bytes
        place = Path(private)
        with vineyardd.serving(VINEYARD_BYTES, place, place / "vineyardd.log") as server:
            config = f"Vineyard:\n  IPCSocket: {vineyardd.SOCKET_NAME}\n  RPCEndpoint: ''\n"
            (place / "vineyard-config.yaml").write_text(config)
            yield server, place
