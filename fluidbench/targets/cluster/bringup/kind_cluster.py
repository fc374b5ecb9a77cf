"""Stage 2: the cluster. A kind cluster of our own, or one that was there."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from fluidbench.errors import ExternalFailure, UsageProblem
from fluidbench.kube import CONFIG_MAP, NODE, Unreachable
from fluidbench.render.setup import HOST_PATH
from fluidbench.targets.cluster.bringup import waiting
from fluidbench.targets.cluster.bringup.events import Event
from fluidbench.targets.cluster.bringup.kind_config import merged_config
from fluidbench.targets.cluster.bringup.objects import condition, marked, name_of, ours, status_of
from fluidbench.targets.cluster.bringup.options import DEFAULT_WORKERS
from fluidbench.targets.cluster.bringup.site import Site, tell
from fluidbench.targets.cluster.bringup.stages import Command, Content, Planned, Work
from fluidbench.tools import docker, kind

NAME = "cluster"
CREATE_TIMEOUT_S = 900.0
NODES_TIMEOUT_S = 180.0
API_TIMEOUT_S = 120.0
# says in the cluster that it is ours, should the state directory be lost
MARK = ("kube-system", "fluidbench")
ANYBODY_MAY_WRITE = 0o1777


class KindCluster:
    """A kind cluster with the data directory mounted on every node, and a kubeconfig of its own."""

    name = NAME
    needs: tuple[str, ...] = ("check",)

    def __init__(self, site: Site) -> None:
        self._site = site

    @property
    def _cluster(self) -> str:
        return self._site.options.name

    def found(self) -> str | None:
        if self._cluster not in kind.clusters() or self._half_made():
            return None
        nodes = docker.nodes(self._cluster)
        self._fits(nodes)
        kubeconfig = Path(str(self._site.current.kubeconfig))
        if not kubeconfig.exists() or not all(node.running for node in nodes):
            return None
        with contextlib.suppress(ExternalFailure):
            if all(condition(node, "Ready") for node in self._site.kube.list(NODE)) and self._is_ours():
                self._site.remember(made_cluster=True, joined=True, workers=len(nodes) - 1)
                return told_nodes(self._site)
        return None

    def planned(self) -> Iterator[Planned]:
        config = self._site.logs / "kind.yaml"
        yield Content(str(config), merged_config(self._site.options, self._workers()))
        yield Command(tuple(self._create_argv(config)))

    def run(self) -> Work:
        if self._cluster in kind.clusters():
            if not self._half_made():
                return (yield from self._again())
            yield tell(NAME, f"kind cluster {self._cluster} was left half made by an interrupted up: made anew")
            kind.delete(self._cluster, Path(str(self._site.current.kubeconfig)))
        yield from self._open_data_dir()
        yield from self._create()
        return told_nodes(self._site)

    def _create(self) -> Iterator[Event]:
        site = self._site
        config = site.write("kind.yaml", merged_config(site.options, self._workers()))
        Path(str(site.current.kubeconfig)).parent.mkdir(parents=True, exist_ok=True)
        # written before the first node is made: what is interrupted from here on is known to be ours
        site.remember(made_cluster=True, joined=False, workers=self._workers(), installed=(), proved=())
        argv = self._create_argv(config)
        yield from site.follow(NAME, argv, "creating the nodes", CREATE_TIMEOUT_S, kind.failed)
        yield from self._nodes_ready()
        mark = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": dict(zip(("namespace", "name"), MARK, strict=True)),
        }
        site.kube.apply(marked({**mark, "data": {"kind-cluster": self._cluster, "data-dir": site.current.data_dir}}))
        site.remember(joined=True)

    def _again(self) -> Work:
        """A whole cluster whose nodes are stopped, not Ready, or that this state directory does not know."""
        site = self._site
        if stopped := [node.name for node in docker.nodes(self._cluster) if not node.running]:
            yield tell(NAME, f"starting the nodes that had been stopped: {', '.join(stopped)}")
            docker.start(stopped)
        # a node that was started again may have another address
        kind.export_kubeconfig(self._cluster, Path(str(site.current.kubeconfig)))
        yield from waiting.until(site, NAME, self._answers, what="the API server to answer", timeout_s=API_TIMEOUT_S)
        if not self._is_ours():
            raise UsageProblem(
                f"there is a kind cluster {self._cluster} that FluidBench did not make",
                f"Use it as an existing one: --context kind-{self._cluster}; or take another --name.",
            )
        yield from self._nodes_ready()
        site.remember(made_cluster=True, joined=True, workers=len(docker.nodes(self._cluster)) - 1)
        return told_nodes(site)

    def _nodes_ready(self) -> Iterator[Event]:
        expected = self._workers() + 1

        def all_ready() -> bool | None:
            nodes = self._site.kube.list(NODE)
            return (len(nodes) >= expected and all(condition(node, "Ready") for node in nodes)) or None

        yield from waiting.until(
            self._site, NAME, all_ready, what=f"all {expected} nodes to be Ready", timeout_s=NODES_TIMEOUT_S
        )

    def _open_data_dir(self) -> Iterator[Event]:
        """The steps run as a user of their own, and write here."""
        directory = Path(self._site.current.data_dir)
        if directory.stat().st_mode & 0o7777 == ANYBODY_MAY_WRITE:
            return
        try:
            directory.chmod(ANYBODY_MAY_WRITE)
        except OSError as error:
            raise UsageProblem(
                f"{directory} cannot be opened to the steps, which run as a user of their own: {error.strerror}",
                f"Let its owner do it: chmod 1777 {directory}; or name another --data-dir.",
            ) from error
        yield tell(NAME, f"{directory} is now writable for everybody (mode 1777), because the steps run as user 10001")

    def _answers(self) -> bool | None:
        try:
            return bool(self._site.kube.server_version()) or None
        except Unreachable:
            return None

    def _half_made(self) -> bool:
        current = self._site.current
        return current.made_cluster and not current.joined

    def _is_ours(self) -> bool:
        return self._site.current.made_cluster or ours(self._site.kube.get(CONFIG_MAP, MARK[1], MARK[0]))

    def _workers(self) -> int:
        return self._site.options.workers or self._site.current.workers or DEFAULT_WORKERS

    def _create_argv(self, config: Path) -> list[str]:
        kubeconfig = Path(str(self._site.current.kubeconfig))
        return kind.create_argv(self._cluster, config, kubeconfig, self._site.options.node_image)

    def _fits(self, nodes: list[docker.NodeContainer]) -> None:
        """kind cannot change a cluster: one that is there must be as it was asked for."""
        options, anew = self._site.options, "Make it anew: fluidbench down, then fluidbench up"
        if options.workers not in (None, len(nodes) - 1):
            raise UsageProblem(
                f"kind cluster {self._cluster} has {len(nodes) - 1} workers, asked for are {options.workers}",
                f"{anew}; or leave --workers out.",
            )
        mounted = {node.mounts.get(HOST_PATH) for node in nodes}
        if mounted != {str(options.data_dir)} and self._site.current.made_cluster:
            raise UsageProblem(
                f"the nodes of {self._cluster} mount {', '.join(map(str, mounted))}, asked for is {options.data_dir}",
                f"{anew}; or name the mounted directory with --data-dir.",
            )


class ExistingCluster:
    """A cluster that was there: it must answer, and have nodes that are Ready."""

    name = NAME
    needs: tuple[str, ...] = ("check",)

    def __init__(self, site: Site) -> None:
        self._site = site

    def found(self) -> None:
        return None

    def planned(self) -> Iterator[Planned]:
        yield f"use the cluster of context {self._site.options.context}, and change nothing of it"

    def run(self) -> Work:
        yield from ()
        site = self._site
        if not any(condition(node, "Ready") for node in site.kube.list(NODE)):
            raise ExternalFailure("the cluster has no node that is Ready", f"See: {site.kube.kubectl} get nodes")
        site.remember()
        return told_nodes(site)


def told_nodes(site: Site) -> str:
    nodes = site.kube.list(NODE)
    return f"{len(nodes)} nodes Ready, Kubernetes {site.kube.server_version()}"


def workers_of(site: Site) -> dict[str, int]:
    """The nodes that take pods, and the memory in bytes that each can give them."""
    from fluidbench.targets.cluster.bringup.options import bytes_of

    found = {}
    for node in site.kube.list(NODE):
        spec = node.get("spec") or {}
        tainted = any(taint.get("effect") in ("NoSchedule", "NoExecute") for taint in spec.get("taints") or [])
        if not tainted and not spec.get("unschedulable") and condition(node, "Ready"):
            found[name_of(node)] = bytes_of((status_of(node).get("allocatable") or {}).get("memory", "0"))
    return found


def kind_name(site: Site) -> str | None:
    """The name, where the existing cluster is one of kind's on this host: then images can be loaded into it."""
    before, _, name = site.current.context.partition("kind-")
    if before or not name:
        return None
    return name if name in kind.clusters() else None
