"""`fluidbench down`: removes what `up` made and nothing else, in an order in which it can go; then an audit."""

import contextlib
import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fluidbench import pins
from fluidbench.errors import ExternalFailure, ToolMissing, UsageProblem
from fluidbench.kube import (
    CONFIG_MAP,
    CRD,
    DATASET,
    DEPLOYMENT,
    JOB,
    NAMESPACE,
    POD,
    PV,
    PVC,
    ROLE,
    ROLE_BINDING,
    SERVICE_ACCOUNT,
    WORKFLOW,
    Resource,
)
from fluidbench.targets.cluster import current as currents
from fluidbench.targets.cluster.bringup import waiting
from fluidbench.targets.cluster.bringup.audit import audit
from fluidbench.targets.cluster.bringup.events import Event
from fluidbench.targets.cluster.bringup.fluid import RELEASE
from fluidbench.targets.cluster.bringup.kind_cluster import MARK, kind_name
from fluidbench.targets.cluster.bringup.objects import INSTALLED, OURS, labels, name_of, ours
from fluidbench.targets.cluster.bringup.options import RUNTIME
from fluidbench.targets.cluster.bringup.removals import ARGO_KINDS, FLUID_GROUP
from fluidbench.targets.cluster.bringup.site import Site, tell
from fluidbench.targets.cluster.bringup.stages import Planned, Stage, Work, run_all
from fluidbench.targets.cluster.bringup.vineyard import removed, see
from fluidbench.tools import docker, helm, kind

GONE_TIMEOUT_S = 120.0
KIND_TIMEOUT_S = 300.0


@dataclass
class Removed:
    """What `down` did: what is gone, and what is left with the reason."""

    gone: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)


class _Step:
    """A part of `down`. It looks for itself what there is: nothing is found beforehand."""

    name: str
    needs: tuple[str, ...] = ()

    def __init__(self, site: Site, done: Removed) -> None:
        self._site, self._done = site, done

    @property
    def _namespace(self) -> str:
        return self._site.current.namespace

    def found(self) -> str | None:
        return None

    def planned(self) -> Iterator[Planned]:
        yield from ()

    def _delete(self, resource: Resource, name: str, namespace: str | None = None) -> None:
        if self._site.kube.delete(resource, name, namespace):
            self._done.gone.append(f"{resource.kind} {f'{namespace}/' if namespace else ''}{name}")

    def _delete_ours(self, resources: Sequence[Resource], namespace: str | None, selector: str = OURS) -> None:
        for resource in resources:
            for item in self._site.kube.list(resource, namespace, labels=selector):
                self._delete(resource, name_of(item), item["metadata"].get("namespace"))

    def _namespace_away(self, name: str) -> Iterator[Event]:
        """Removes a namespace that we made; one that was there only loses our mark."""
        held = self._site.kube.get(NAMESPACE, name)
        if ours(held):
            self._delete(NAMESPACE, name)
            yield from _namespace_gone(self._site, self.name, name)
        elif INSTALLED in labels(held):
            self._site.kube.patch(NAMESPACE, name, None, {"metadata": {"labels": {INSTALLED: None}}})


class KindDown(_Step):
    """A kind cluster that we made goes whole, and with it all that is in it."""

    name = "cluster"

    def run(self) -> Work:
        site, cluster = self._site, self._site.current.kind_cluster or ""
        kubeconfig = Path(str(site.current.kubeconfig))
        if cluster not in kind.clusters():
            kubeconfig.unlink(missing_ok=True)
            return f"kind cluster {cluster} is gone already"
        if not self._is_ours():
            raise UsageProblem(
                f"the kind cluster {cluster} was not made by FluidBench",
                f"Remove it yourself, if it is yours to remove: kind delete cluster --name {cluster}",
            )
        argv = kind.delete_argv(cluster, kubeconfig)
        yield from site.follow(self.name, argv, "deleting the nodes", KIND_TIMEOUT_S, kind.failed)
        kubeconfig.unlink(missing_ok=True)
        self._done.gone += [f"kind cluster {cluster}", f"kubeconfig {kubeconfig}"]
        return f"kind cluster {cluster} deleted"

    def _is_ours(self) -> bool:
        if self._site.current.made_cluster:
            return True
        try:
            return ours(self._site.kube.get(CONFIG_MAP, MARK[1], MARK[0]))
        except ExternalFailure:
            return False


class Runs(_Step):
    """Workflows, Jobs and pods of runs: they use the Dataset, and are the first to go."""

    name = "runs"

    def run(self) -> Work:
        site = self._site
        self._delete_ours([WORKFLOW, JOB, POD], self._namespace)

        def none_left() -> bool | None:
            return (
                not any(site.kube.list(kind_, self._namespace, labels=OURS) for kind_ in (WORKFLOW, JOB, POD)) or None
            )

        yield from waiting.until(site, self.name, none_left, what="their pods to be gone", timeout_s=GONE_TIMEOUT_S)
        return "none left"


class VineyardDown(_Step):
    """Dataset, then runtime, while Fluid is there to take them away."""

    name = "Vineyard"
    needs: tuple[str, ...] = ("runs",)

    def run(self) -> Work:
        seen = see(self._site.kube, self._namespace)
        if seen.dataset is None and seen.runtime is None:
            return "there was none"
        if not ours(seen.dataset or seen.runtime):
            self._done.left.append(f"Dataset {self._namespace}/{RUNTIME}: not made by FluidBench")
            return "not ours, left"
        self._fluid_there()
        yield from removed(self._site, self.name, self._namespace)
        self._done.gone += [f"Dataset {self._namespace}/{RUNTIME}", f"VineyardRuntime {self._namespace}/{RUNTIME}"]
        return "Dataset and runtime removed"

    def _fluid_there(self) -> None:
        if self._site.kube.get(DEPLOYMENT, "dataset-controller", pins.FLUID_NAMESPACE) is None:
            raise ExternalFailure(
                "the Dataset cannot go: Fluid, which holds its finalizer, was removed before it",
                "Bring Fluid back with `fluidbench up`, then say it again.",
            )


class AccessDown(_Step):
    """ServiceAccount, Role, volume; the namespace where we made it. What lies on the volume stays."""

    name = "access and volume"
    needs: tuple[str, ...] = ("Vineyard",)

    def run(self) -> Work:
        site = self._site
        self._delete_ours([ROLE_BINDING, ROLE, SERVICE_ACCOUNT, PVC, CONFIG_MAP], self._namespace)
        for volume in site.kube.list(PV, labels=OURS):
            claimed = (volume["spec"].get("claimRef") or {}).get("namespace")
            if claimed in (None, self._namespace):
                self._delete(PV, name_of(volume))
        yield from self._namespace_away(self._namespace)
        return "removed"


class FluidDown(_Step):
    """Fluid, where we installed it and nobody else has come to use it."""

    name = "Fluid"
    needs: tuple[str, ...] = ("access and volume",)

    def run(self) -> Work:
        site = self._site
        if labels(site.kube.get(NAMESPACE, pins.FLUID_NAMESPACE)).get(INSTALLED) != RELEASE:
            return "not installed by us, left"
        if users := self._users():
            self._done.left.append(f"Fluid: still used by {', '.join(users)}")
            return f"left, it is still used by {', '.join(users)}"
        if helm.uninstall(RELEASE, pins.FLUID_NAMESPACE, site.helm):
            self._done.gone.append(f"helm release {RELEASE}")
        # helm leaves the definitions of a chart where they are
        for definition in site.kube.list(CRD):
            if name_of(definition).endswith(FLUID_GROUP):
                self._delete(CRD, name_of(definition))
        yield from self._namespace_away(pins.FLUID_NAMESPACE)
        return "uninstalled"

    def _users(self) -> list[str]:
        return [f"{item['metadata']['namespace']}/{name_of(item)}" for item in self._site.kube.list(DATASET)]


class ArgoDown(_Step):
    """Argo's controller, where we installed it and no Workflow is left."""

    name = "Argo"
    needs: tuple[str, ...] = ("runs",)

    def run(self) -> Work:
        site = self._site
        if labels(site.kube.get(NAMESPACE, pins.ARGO_NAMESPACE)).get(INSTALLED) != "argo":
            return "not installed by us, left"
        if users := [f"{item['metadata']['namespace']}/{name_of(item)}" for item in site.kube.list(WORKFLOW)]:
            self._done.left.append(f"Argo: still used by {', '.join(users)}")
            return f"left, it is still used by {', '.join(users)}"
        for resource in ARGO_KINDS:
            for item in site.kube.list(resource, labels=OURS):
                if _of_argo(item):
                    self._delete(resource, name_of(item), item["metadata"].get("namespace"))
        yield from self._namespace_away(pins.ARGO_NAMESPACE)
        return "removed"


def take_down(site: Site, done: Removed, *, purge_image: bool = False) -> Iterator[Event]:
    """Removes what `up` made of the site's cluster, also after an `up` that failed half-way."""
    if site.made_here and site.current.kind_cluster:
        yield from run_all([KindDown(site, done)])
        done.left += [f"container {node.name}" for node in docker.nodes(site.current.kind_cluster)]
    else:
        steps: list[Stage] = [
            Runs(site, done), VineyardDown(site, done), AccessDown(site, done), FluidDown(site, done),
            ArgoDown(site, done),
        ]  # fmt: skip
        yield from run_all(steps)
        with contextlib.suppress(ToolMissing, ExternalFailure):
            site.current = dataclasses.replace(site.current, kind_cluster=kind_name(site))
        done.left += audit(site)
    image = site.current.step_image
    if image and purge_image and docker.remove_image(image):
        done.gone.append(f"image {image}")
    elif image and site.made_here and docker.images([image]):
        yield tell("image", f"{image} is kept for the next up; --purge removes it")
    if site.is_current:
        currents.forget()


def _namespace_gone(site: Site, stage: str, namespace: str) -> Iterator[Event]:
    def gone() -> bool | None:
        return None if site.kube.get(NAMESPACE, namespace) else True

    yield from waiting.until(
        site, stage, gone, what=f"the namespace {namespace} to be gone", timeout_s=GONE_TIMEOUT_S,
        hint=f"See what holds it: {site.kube.kubectl} get namespace {namespace} -o yaml",
    )  # fmt: skip


def _of_argo(item: dict[str, object]) -> bool:
    """Objects that bear our label and came out of Argo's manifest, not out of our own templates."""
    metadata = item["metadata"]
    assert isinstance(metadata, dict)
    name, namespace = str(metadata["name"]), metadata.get("namespace")
    return namespace == pins.ARGO_NAMESPACE or (
        namespace is None and (name.startswith(("argo", "workflow-controller")) or name.endswith(".argoproj.io"))
    )
