"""Where `up` works: the options, the cluster once it answers, and what has been found out on the way."""

import dataclasses
import os
import re
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from fluidbench import places
from fluidbench.command import Child, exit_failure, running
from fluidbench.errors import ExternalFailure, WaitTimeout
from fluidbench.kube import Kube
from fluidbench.targets.cluster import current as currents
from fluidbench.targets.cluster.bringup.events import Told, Waiting
from fluidbench.targets.cluster.bringup.options import DEFAULT_NAME, UpOptions
from fluidbench.targets.cluster.bringup.stages import Work
from fluidbench.targets.cluster.current import Current
from fluidbench.tools import helm

LONGEST_LINE = 100
_LOADING = re.compile(r'Image: "([^"]+)" with ID .* on node "([^"]+)"')


class Site:
    """Shared by the stages of one `up`."""

    def __init__(self, options: UpOptions, clock: Callable[[], float] = time.monotonic) -> None:
        self.options = options
        self.clock = clock
        self.current = _remembered(options) or _fresh(options)
        self._kube: Kube | None = None

    @classmethod
    def of(cls, current: Current) -> "Site":
        """The site of a cluster that an earlier `up` has written down."""
        made = current.made_cluster
        options = UpOptions(
            data_dir=Path(current.data_dir), namespace=current.namespace, nfs=current.nfs,
            name=current.kind_cluster if made and current.kind_cluster else DEFAULT_NAME,
            context=None if made else current.context, kubeconfig=None if made else current.kubeconfig_path,
        )  # fmt: skip
        site = cls(options)
        site.current = current
        return site

    @property
    def is_current(self) -> bool:
        """Whether it is the cluster that the state directory holds for the current one."""
        held = currents.load()
        return held is not None and (held.context, held.kubeconfig) == (self.current.context, self.current.kubeconfig)

    @property
    def made_here(self) -> bool:
        """Whether the cluster is a kind cluster of our own, not one that was there (--context)."""
        return self.options.context is None

    @property
    def kube(self) -> Kube:
        """The cluster, which must answer."""
        if self._kube is None:
            self._kube = Kube.open(self.current.kubeconfig_path, self.current.context or None)
        return self._kube

    @property
    def helm(self) -> helm.Cluster:
        return helm.Cluster(self.current.kubeconfig_path, self.current.context or None)

    @property
    def logs(self) -> Path:
        """Where outputs of programs and the files that were made for them lie; made by `write` and `follow`."""
        return places.state_root() / "up"

    def write(self, name: str, text: str) -> Path:
        """A file for a program."""
        self.logs.mkdir(parents=True, exist_ok=True)
        file = self.logs / name
        file.write_text(text, encoding="utf-8")
        return file

    def keep(self, **changes: Any) -> None:
        """Keeps what was found out for the stages to come. It is written down once the cluster itself has answered: a
        mistyped --context must not take the place of the cluster that is current."""
        self.current = dataclasses.replace(self.current, **changes)

    def remember(self, **changes: Any) -> None:
        """Writes what was found out into the file that says which cluster is current."""
        self.keep(**changes)
        currents.save(self.current)

    def follow(
        self,
        stage: str,
        argv: Sequence[str],
        what: str,
        timeout_s: float,
        explain: Callable[[str, ExternalFailure], Exception],
        env: Mapping[str, str] | None = None,
    ) -> Work:
        """Runs a program that takes its time; its output goes to a log and is told when it fails."""
        log = self.logs / f"{stage.replace(' ', '-')}.log"
        self.logs.mkdir(parents=True, exist_ok=True)
        log.unlink(missing_ok=True)
        deadline = self.clock() + timeout_s
        with running(argv, env={**os.environ, **(env or {})}, cwd=Path.cwd(), log=log) as child:
            while (ended := child.wait(0)) is None:
                if self.clock() >= deadline:
                    raise WaitTimeout(f"{what}: not done after {timeout_s:g} s", f"Its output: {log}")
                yield Waiting(stage, _last_line(child) or what)
        output = log.read_text(errors="replace")
        if ended.returncode != 0:
            raise explain(output, exit_failure(argv, ended.returncode, output))
        return output


def tell(stage: str, text: str, *, warning: bool = False) -> Told:
    return Told(stage, text, warning)


def kubeconfig_of(name: str) -> Path:
    """The kubeconfig of a kind cluster of ours; the user's own is not touched."""
    return places.state_root() / "clusters" / f"{name}.kubeconfig"


def _remembered(options: UpOptions) -> Current | None:
    """What an earlier `up` of the same cluster has written down."""
    found = currents.load()
    if found is None:
        return None
    fresh = _fresh(options)
    same = (found.context, found.kubeconfig, found.namespace) == (fresh.context, fresh.kubeconfig, fresh.namespace)
    return found if same else None


def _fresh(options: UpOptions) -> Current:
    here = options.context is None
    kubeconfig = kubeconfig_of(options.name) if here else options.kubeconfig
    return Current(
        context=f"kind-{options.name}" if here else str(options.context),
        kubeconfig=str(kubeconfig) if kubeconfig else None,
        namespace=options.namespace,
        data_dir=str(options.data_dir),
        kind_cluster=options.name if here else None,
        nfs=options.nfs,
    )


def _last_line(child: Child) -> str:
    """What a program that is at work told last, in short."""
    lines = child.log.read_text(errors="replace").splitlines()
    # kind ends its lines with a bullet and a picture; the words are what is wanted
    last = lines[-1].encode("ascii", "ignore").decode().strip(" .") if lines else ""
    if loading := _LOADING.match(last):
        return f"loading {loading[1]} into {loading[2]}"
    return last[:LONGEST_LINE]
