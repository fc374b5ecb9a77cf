"""Stage 1: what can be known to stand in the way before anything is made."""

import dataclasses
import os
import re
import shutil
import socket
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import yaml

from fluidbench import pins, text
from fluidbench.errors import DoesNotFit, ExternalFailure, UsageProblem
from fluidbench.machine.memory import allowance
from fluidbench.targets.cluster.bringup import images, sizing
from fluidbench.targets.cluster.bringup.events import Event
from fluidbench.targets.cluster.bringup.kind_cluster import kind_name
from fluidbench.targets.cluster.bringup.kind_config import merged_config
from fluidbench.targets.cluster.bringup.options import DEFAULT_REPLICAS, DEFAULT_WORKERS
from fluidbench.targets.cluster.bringup.site import Site, tell
from fluidbench.targets.cluster.bringup.stages import Planned, Work
from fluidbench.targets.cluster.bringup.step_image import check_way_to_cluster
from fluidbench.tools import docker, helm, kind

NAME = "check"
INOTIFY = {"max_user_watches": 524_288, "max_user_instances": 512}
# one loaded node, as seen: its image is shared, what is loaded into it is not
NODE_DISK_BYTES = 2_500_000_000
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy")


class Check:
    """Tools and their versions, memory, disk, limits of the kernel, ports, proxies, and images when offline."""

    name = NAME
    needs: tuple[str, ...] = ()

    def __init__(self, site: Site, proc: Path = Path("/proc"), environ: Mapping[str, str] = os.environ) -> None:
        self._site, self._proc, self._environ = site, proc, environ

    def found(self) -> None:
        return None

    def planned(self) -> Iterator[Planned]:
        yield "look at docker, kind, helm, memory, disk, inotify limits, the cgroup version, ports and proxies"

    def run(self) -> Work:
        site = self._site
        versions = [f"helm {helm.version()}"]
        if needs_docker(site):
            daemon = docker.daemon()
            versions.append(f"docker {daemon.version} (cgroup v{daemon.cgroup_version})")
            if site.made_here:
                versions.append(f"kind {kind.version()}")
                if site.options.name not in kind.clusters():
                    yield from self._new_cluster(daemon)
            images.check(site)
        if not site.made_here:
            site.current = dataclasses.replace(site.current, kind_cluster=kind_name(site))
            check_way_to_cluster(site)
        yield from self._proxies()
        return ", ".join(sorted(versions))

    def _new_cluster(self, daemon: docker.Daemon) -> Iterator[Event]:
        options = self._site.options
        workers, replicas = options.workers or DEFAULT_WORKERS, options.replicas or DEFAULT_REPLICAS
        if replicas > workers:
            raise UsageProblem(
                f"{replicas} workers of Vineyard need as many worker nodes, and there would be {workers}",
                f"Two cannot share a node: --replicas {workers}, or --workers {replicas}",
            )
        self._node_image(daemon)
        available = host_memory(daemon)
        sizing.choose(sizing.Host(available, workers), replicas, options.quota_bytes, options.multiplier)
        self._disk(daemon, workers)
        self._ports(workers)
        yield from self._inotify()
        yield tell(NAME, f"{text.size(available)} of memory available; every node of kind reports all of the host's")

    def _node_image(self, daemon: docker.Daemon) -> None:
        image = self._site.options.node_image
        version = re.search(r":v(\d+)\.(\d+)", image)
        last = pins.KUBERNETES_LAST_WITH_CGROUP_V1
        if daemon.cgroup_version == 1 and version and (int(version[1]), int(version[2])) > last:
            raise UsageProblem(
                f"{image} does not run here: this host has cgroup v1, which kubelets after {last[0]}.{last[1]} refuse",
                f"Leave --node-image at its default ({pins.KUBERNETES_NODE_IMAGE}), or boot the host with cgroup v2.",
            )

    def _disk(self, daemon: docker.Daemon, workers: int) -> None:
        if not daemon.root_dir.is_dir():  # Docker has a machine of its own
            return
        free, needed = shutil.disk_usage(daemon.root_dir).free, (workers + 1) * NODE_DISK_BYTES
        if free < needed:
            raise DoesNotFit(
                f"{workers + 1} nodes with their images need about {text.size(needed)} in {daemon.root_dir}, "
                f"which has {text.size(free)} free",
                "Make room (docker system df), or take fewer nodes: --workers 1 --replicas 1",
            )

    def _inotify(self) -> Iterator[Event]:
        for name, wanted in INOTIFY.items():
            try:
                value = int((self._proc / "sys/fs/inotify" / name).read_text(encoding="ascii"))
            except (OSError, ValueError):
                continue
            if value < wanted:
                warning = f"fs.inotify.{name} is {value}, nodes may run out of it. Raise it: {kind.INOTIFY_FIX}"
                yield tell(NAME, warning, warning=True)

    def _ports(self, workers: int) -> None:
        site = self._site
        config = yaml.safe_load(merged_config(site.options, workers))
        wanted = [(config.get("networking") or {}).get("apiServerPort")]
        for node in config["nodes"]:
            wanted += [mapping.get("hostPort") for mapping in node.get("extraPortMappings") or []]
        for port in filter(None, wanted):
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind(("", int(port)))
                except OSError as error:
                    raise ExternalFailure(
                        f"port {port}, which the kind configuration wants on this host, is taken: {error.strerror}",
                        f"Free it, or choose another in {site.options.kind_config_patch}. See: ss -ltnp",
                    ) from error

    def _proxies(self) -> Iterator[Event]:
        for name in PROXIES:
            host = urlsplit(self._environ.get(name, "")).hostname
            if self._site.made_here and host in ("localhost", "127.0.0.1", "::1"):
                yield tell(
                    NAME,
                    f"{name} names {host}, which kind's nodes cannot reach: they pull no images through it. "
                    "Use an address of this host that containers reach, or load the images: docker load",
                    warning=True,
                )
                return


def needs_docker(site: Site) -> bool:
    """An existing cluster with an image that it can pull is reached without docker."""
    return site.made_here or not site.options.step_image


def host_memory(daemon: docker.Daemon) -> int:
    """The memory that nodes of kind can really have."""
    if sys.platform != "linux":  # Docker's own machine bounds it
        return int(0.9 * daemon.memory_bytes)
    return allowance().available_bytes
