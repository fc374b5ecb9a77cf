"""Stage 5: Argo's workflow controller."""

import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from fluidbench import pins, places
from fluidbench.errors import ExternalFailure, UsageProblem
from fluidbench.kube import CRD, DEPLOYMENT, NAMESPACE
from fluidbench.targets.cluster.bringup import waiting
from fluidbench.targets.cluster.bringup.images import prefixed
from fluidbench.targets.cluster.bringup.objects import (
    INSTALLED,
    Object,
    condition,
    images_of,
    marked,
    name_of,
    namespace,
    ours,
    rolled_out,
)
from fluidbench.targets.cluster.bringup.options import is_url
from fluidbench.targets.cluster.bringup.site import Site, tell
from fluidbench.targets.cluster.bringup.stages import Manifest, Planned, Work

NAME = "Argo"
CONTROLLER = "workflow-controller"
WORKFLOWS = "workflows.argoproj.io"
REQUEUE = "DEFAULT_REQUEUE_TIME"
# Argo's own default: a step starts on this grid, and it is in every duration
DEFAULT_REQUEUE_S = 10.0
READY_TIMEOUT_S = 300.0
FETCH_TIMEOUT_S = 60.0
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


class Argo:
    """Applies the controller's manifest where there is no controller; one that is there is used as it is, and read."""

    name = NAME
    needs: tuple[str, ...] = ("cluster", "images")

    def __init__(self, site: Site) -> None:
        self._site = site

    def found(self) -> str | None:
        controller = self._controller()
        if controller is None or not self._whole(controller):
            return None
        return self._note(controller) if not self._warning(controller) else None

    def planned(self) -> Iterator[Planned]:
        options = self._site.options
        yield Manifest(self._namespace())
        if is_url(options.argo_manifest):
            yield f"fetch {options.argo_manifest}, set {REQUEUE}=1s, and apply it server-side without the argo-server"
            return
        for manifest in self._manifests():
            yield Manifest(manifest)

    def run(self) -> Work:
        site = self._site
        controller = self._controller()
        if controller is None or (ours(controller) and not self._whole(controller)):
            if site.kube.get(NAMESPACE, pins.ARGO_NAMESPACE) is None:
                site.kube.apply(self._namespace())
            else:
                site.kube.patch(NAMESPACE, pins.ARGO_NAMESPACE, None, {"metadata": {"labels": {INSTALLED: "argo"}}})
            for manifest in self._manifests():
                site.kube.apply(manifest)
                yield from waiting.pause(site, NAME, f"applying {manifest['kind']} {name_of(manifest)}", 0)
        where = controller["metadata"]["namespace"] if controller else pins.ARGO_NAMESPACE
        controller = yield from waiting.until(
            site, NAME, self._ready, what="the workflow controller to be ready", timeout_s=READY_TIMEOUT_S,
            pods=[(where, f"app={CONTROLLER}")],
        )  # fmt: skip
        if warning := self._warning(controller):
            yield tell(NAME, warning, warning=True)
        return self._note(controller)

    def _controller(self) -> Object | None:
        """The controller, in whatever namespace it is."""
        found = [item for item in self._site.kube.list(DEPLOYMENT) if name_of(item) == CONTROLLER]
        return next(iter(found), None)

    def _ready(self) -> Object | None:
        controller = self._controller()
        return controller if controller and self._whole(controller) else None

    def _whole(self, controller: Object) -> bool:
        return rolled_out(controller) and condition(self._site.kube.get(CRD, WORKFLOWS) or {}, "Established")

    def _note(self, controller: Object) -> str:
        site, is_ours = self._site, ours(controller)
        installed = set(site.current.installed) - {"argo"} | ({"argo"} if is_ours else set())
        site.remember(requeue_s=requeue_s(controller), installed=tuple(sorted(installed)))
        whose = "installed" if is_ours else "there already, and not ours"
        return f"{images_of(controller)[0].rpartition('/')[2]} {whose}, requeue {requeue_s(controller):g} s"

    def _warning(self, controller: Object) -> str:
        if requeue_s(controller) <= 1:
            return ""
        return (
            f"this controller looks at a Workflow every {requeue_s(controller):g} s: steps start on that grid, and it "
            f"is in every duration. Set {REQUEUE}=1s in its environment to be rid of it."
        )

    def _namespace(self) -> Object:
        return marked(namespace(pins.ARGO_NAMESPACE, {INSTALLED: "argo"}))

    def _manifests(self) -> list[Object]:
        """What is applied: namespaces and definitions first, all of it labelled as ours."""
        options = self._site.options
        documents = parsed(manifest_text(options.argo_manifest), options.argo_manifest)
        wanted = [adapted(document, options.image_prefix) for document in documents if _is_wanted(document)]
        if not any(item["kind"] == "Deployment" and name_of(item) == CONTROLLER for item in wanted):
            raise UsageProblem(
                f"{options.argo_manifest} has no Deployment {CONTROLLER}",
                "Name Argo's install.yaml: --argo-manifest FILE",
            )
        return sorted(wanted, key=lambda item: item["kind"] != "CustomResourceDefinition")


def requeue_s(controller: Object) -> float:
    """How often the controller looks at a Workflow again, in seconds."""
    for container in controller["spec"]["template"]["spec"]["containers"]:
        for variable in container.get("env") or []:
            if variable.get("name") == REQUEUE:
                parts = _DURATION.findall(str(variable.get("value", "")))
                return sum(float(number) * _SECONDS[unit] for number, unit in parts) or DEFAULT_REQUEUE_S
    return DEFAULT_REQUEUE_S


def adapted(document: Object, image_prefix: str) -> Object:
    """The document as it is applied: ours by label, its images prefixed, the controller without its 10 s grid."""
    document = marked(document)
    if document["kind"] != "Deployment" or name_of(document) != CONTROLLER:
        return document
    container = document["spec"]["template"]["spec"]["containers"][0]
    others = [entry for entry in container.get("env") or [] if entry.get("name") != REQUEUE]
    container["env"] = [*others, {"name": REQUEUE, "value": "1s"}]
    if image_prefix:
        container["image"] = prefixed(container["image"], image_prefix)
        tag = container["image"].rpartition(":")[2]
        # the executor is in every pod of a Workflow, and no manifest names it
        container["args"] = [
            *(container.get("args") or []),
            "--executor-image",
            f"{image_prefix.rstrip('/')}/argoexec:{tag}",
        ]
    return document


def manifest_text(place: str) -> str:
    """The manifest from a file or a URL. Raises UsageProblem or ExternalFailure."""
    if not is_url(place):
        try:
            return Path(place).expanduser().read_text(encoding="utf-8")
        except OSError as error:
            raise UsageProblem(
                f"{place} cannot be read: {error.strerror}", "Name Argo's install.yaml: --argo-manifest FILE"
            ) from error
    kept = places.cache_dir() / f"argo-{re.sub('[^A-Za-z0-9.]+', '-', place)[-120:]}"
    if not kept.exists():
        partial = kept.with_suffix(".partial")
        partial.write_bytes(_fetched(place))
        partial.replace(kept)
    return kept.read_text(encoding="utf-8")


def parsed(text: str, place: str) -> list[Object]:
    try:
        # 12 MB in Argo 4: the parser in C takes a quarter of the time
        documents: list[Any] = list(yaml.load_all(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
    except yaml.YAMLError as error:
        raise UsageProblem(f"{place} is no YAML: {error}", "Name Argo's install.yaml: --argo-manifest FILE") from error
    return [document for document in documents if isinstance(document, dict) and document.get("kind")]


def _is_wanted(document: Object) -> bool:
    """Nothing that we do asks the argo-server."""
    return not name_of(document).startswith("argo-server") and document["kind"] != "Namespace"


def _fetched(url: str) -> bytes:
    try:
        with urllib.request.urlopen(url, timeout=FETCH_TIMEOUT_S) as answer:  # noqa: S310 - the user's own, or the pin
            return bytes(answer.read())
    except (urllib.error.URLError, OSError, ValueError) as error:
        raise ExternalFailure(
            f"{url} could not be fetched: {error}",
            "Fetch it on a machine with a network and name the file: --argo-manifest FILE",
        ) from error
