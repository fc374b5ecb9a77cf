"""Stage 7: whom the steps run as, and where their data lies."""

from collections.abc import Iterator, Mapping
from typing import Any

from fluidbench.errors import UsageProblem
from fluidbench.kube import NAMESPACE, PV, PVC, resource_of
from fluidbench.render import VolumeOptions, rbac, volumes
from fluidbench.targets.cluster.bringup import waiting
from fluidbench.targets.cluster.bringup.events import Event
from fluidbench.targets.cluster.bringup.objects import Object, marked, name_of, namespace, ours, status_of
from fluidbench.targets.cluster.bringup.site import Site, tell
from fluidbench.targets.cluster.bringup.stages import Manifest, Planned, Work
from fluidbench.targets.cluster.diagnose import unbound

NAME = "access and volume"
BOUND_TIMEOUT_S = 60.0
SOURCES = ("hostPath", "nfs")


class Access:
    """The namespace, the ServiceAccount with its Role, and the volume with the dataset."""

    name = NAME
    needs: tuple[str, ...] = ("cluster",)

    def __init__(self, site: Site) -> None:
        self._site = site

    def found(self) -> None:
        """Applying a few small objects again costs less than comparing them."""
        return

    def planned(self) -> Iterator[Planned]:
        for manifest in self._manifests():
            yield Manifest(manifest)

    def run(self) -> Work:
        site = self._site
        if site.kube.get(NAMESPACE, site.options.namespace) is None:
            site.kube.apply(self._namespace())
        for manifest in self._manifests():
            if manifest["kind"] == "PersistentVolume":
                yield from self._make_room(manifest)
            if manifest["kind"] != "Namespace":
                site.kube.apply(manifest)
        claim = claim_name(self._manifests())
        yield from waiting.until(
            site, NAME, lambda: self._bound(claim), what=f"the claim {claim} to be Bound", timeout_s=BOUND_TIMEOUT_S,
            trouble=lambda: unbound(
                site.kube.get(PVC, claim, site.options.namespace) or {"metadata": {}},
                waiting.recent_events(site, site.options.namespace),
            ),
            hint=f"See why: {site.kube.kubectl} -n {site.options.namespace} describe pvc {claim}",
        )  # fmt: skip
        site.remember(nfs=site.options.nfs)
        where = site.options.nfs or "a directory of every node, as published"
        return f"namespace {site.options.namespace}, the data on {where}"

    def _bound(self, claim: str) -> bool | None:
        held = self._site.kube.get(PVC, claim, self._site.options.namespace)
        return status_of(held).get("phase") == "Bound" or None

    def _make_room(self, wanted: Object) -> Iterator[Event]:
        """A volume's place cannot be changed, and one whose claim is gone keeps itself from being bound again."""
        site = self._site
        held = site.kube.get(PV, name_of(wanted))
        if held is None:
            return
        claimed = (held["spec"].get("claimRef") or {}).get("namespace")
        if not ours(held) or (
            claimed not in (None, site.options.namespace) and status_of(held).get("phase") == "Bound"
        ):
            raise UsageProblem(
                f"the volume {name_of(held)} is in use by namespace {claimed or '(none)'}",
                f"Use that one (--namespace {claimed}), or take it down first: "
                f"fluidbench down --context {site.current.context} --namespace {claimed}",
            )
        if source_of(held) == source_of(wanted) and status_of(held).get("phase") in ("Bound", "Available"):
            return
        yield tell(NAME, f"the volume {name_of(held)} of an earlier up is made anew; what is on it stays")
        for resource, place in ((PVC, site.options.namespace), (PV, None)):
            site.kube.delete(resource, name_of(held), place)
        yield from waiting.until(
            site, NAME, lambda: None if site.kube.get(PV, name_of(held)) else True,
            what="the earlier volume to be gone", timeout_s=BOUND_TIMEOUT_S,
            hint="A pod still uses it: end the runs, and say it again.",
        )  # fmt: skip

    def _namespace(self) -> Object:
        return marked(namespace(self._site.options.namespace, {}))

    def _manifests(self) -> list[Object]:
        options = self._site.options
        made = [] if options.namespace == "default" else [self._namespace()]
        return [*made, *rbac(options.namespace), *volumes(VolumeOptions(options.namespace, options.nfs))]


def claim_name(manifests: list[Object]) -> str:
    return next(name_of(item) for item in manifests if resource_of(item) == PVC)


def source_of(volume: Mapping[str, Any]) -> Any:
    """Where a volume's data lies."""
    return {key: volume["spec"][key] for key in SOURCES if key in volume["spec"]}
