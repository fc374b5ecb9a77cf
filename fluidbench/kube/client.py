"""Objects of a cluster: dicts in, dicts out."""

import json
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

from fluidbench.kube.faults import ApiFailure, Asked
from fluidbench.kube.resources import POD, Resource, resource_of
from fluidbench.kube.transport import (
    APPLY_PATCH,
    ATTEMPTS,
    JSON,
    MERGE_PATCH,
    Pauses,
    Request,
    Transport,
    connect,
)  # fmt: skip
from fluidbench.kube.watching import Listing, Watch

FIELD_MANAGER = "fluidbench"
PAGE = 500
NAME_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"  # as Kubernetes: no vowels, nothing that looks like another
Object = dict[str, Any]


class Kube:
    """One cluster. Every method may raise ExternalFailure; ApiFailure where the server answered with an error."""

    answers_within_s: ClassVar[float] = 10.0

    def __init__(self, transport: Transport, clock: Callable[[], float] = time.monotonic) -> None:
        self._transport = transport
        self._clock = clock

    @classmethod
    def open(cls, kubeconfig: Path | None, context: str | None, pauses: Pauses | None = None) -> "Kube":
        """Connects, and asks the server's version. Raises ExternalFailure when there is no cluster or it is silent."""
        transport = connect(kubeconfig, context)
        transport.pauses = pauses or transport.pauses
        kube = cls(transport)
        kube.server_version()
        return kube

    @property
    def kubectl(self) -> str:
        """How kubectl reaches this cluster: the beginning of a line that can be pasted."""
        return self._transport.kubectl

    def server_version(self) -> str:
        """As v1.34.4. Asked with less patience than everything else: it tells whether the cluster is there."""
        request = Request("GET", "/version", Asked("get", None, None, "", self.kubectl))
        return str(json.loads(self._transport.send(request, read_timeout_s=self.answers_within_s))["gitVersion"])

    def apply(self, manifest: Mapping[str, Any], *, dry_run: bool = False) -> Object:
        """Makes the object or brings it to what the manifest says: server-side apply, and ours wins."""
        query = {"fieldManager": FIELD_MANAGER, "force": "true"} | _dry_run(dry_run)
        return self._write("PATCH", "patch", manifest, _name(manifest), query, APPLY_PATCH, dry_run)

    def create(self, manifest: Mapping[str, Any], *, dry_run: bool = False) -> Object:
        """Makes a new object. With `generateName` the name is made up here, so that a lost answer makes no second one.

        A dry run is asked once, so that it tells what the server answers now: a webhook that refuses is not retried.
        """
        manifest = _named(manifest)
        query = {"fieldManager": FIELD_MANAGER} | _dry_run(dry_run)
        try:
            return self._write("POST", "create", manifest, "", query, JSON, dry_run)
        except ApiFailure as refused:
            # it is there because an earlier attempt came through and only its answer was lost
            if refused.reason == "AlreadyExists" and refused.after_doubt and (made := self._of(manifest)):
                return made
            raise

    def get(self, resource: Resource, name: str, namespace: str | None = None) -> Object | None:
        """The object; None where there is none, or the cluster does not know the kind."""
        asked = self._asked("get", resource, namespace, name)
        try:
            return self._object(Request("GET", resource.path(namespace, name), asked))
        except ApiFailure as refused:
            _raise_unless(refused, 404)
            return None

    def list(
        self, resource: Resource, namespace: str | None = None, *, labels: str = "", fields: str = ""
    ) -> list[Object]:
        """All objects, of all namespaces without one; none where the cluster does not know the kind."""
        try:
            return self._listing(resource, namespace, _selectors(labels, fields)).items
        except ApiFailure as refused:
            _raise_unless(refused, 404)
            return []

    def patch(self, resource: Resource, name: str, namespace: str | None, patch: Mapping[str, Any]) -> Object:
        """Changes an object by a JSON merge patch: None takes a key away."""
        asked = self._asked("patch", resource, namespace, name)
        query = {"fieldManager": FIELD_MANAGER}
        return self._object(Request("PATCH", resource.path(namespace, name), asked, query, patch, MERGE_PATCH))

    def delete(self, resource: Resource, name: str, namespace: str | None = None) -> bool:
        """Asks for the object to be deleted, what it owns in the background; False when it was not there.

        True does not mean that it is gone yet: a finalizer may hold it.
        """
        asked = self._asked("delete", resource, namespace, name)
        body = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Background"}
        try:
            self._transport.send(Request("DELETE", resource.path(namespace, name), asked, {}, body))
        except ApiFailure as refused:
            _raise_unless(refused, 404)
            return False
        return True

    def watch(
        self, resource: Resource, namespace: str | None, *, name: str = "", labels: str = "", timeout_s: float,
        silent_after_s: float = 60, tick_s: float | None = None,
    ) -> Iterator[Object]:  # fmt: skip
        """The current objects, then each that changes, as it does; one that is deleted comes as a `Gone`.

        Broken connections are resumed, an expired version (410) and a connection that is silent are listed anew;
        nothing is told twice. With `tick_s` the known objects come again whenever nothing changed for so long, so
        that the caller can look at something else. Raises WaitTimeout after `timeout_s`, ApiFailure on a refusal.
        """
        selectors = _selectors(labels, f"metadata.name={name}" if name else "")
        asked = self._asked("watch", resource, namespace, name)
        watch = Watch(
            self._transport, Request("GET", resource.path(namespace), asked, selectors),
            lambda: self._listing(resource, namespace, selectors), self._clock, timeout_s, silent_after_s, tick_s,
        )  # fmt: skip
        return watch.objects()

    def logs(self, pod: str, namespace: str, container: str = "main", tail_lines: int = 50) -> str:
        """The end of a container's log; empty where it has none (yet), or the pod is gone."""
        asked = self._asked("get", POD, namespace, pod)
        query = {"container": container, "tailLines": tail_lines}
        try:
            body = self._transport.send(Request("GET", POD.path(namespace, pod) + "/log", asked, query))
        except ApiFailure as refused:
            _raise_unless(refused, 400, 404)  # 400: the container is still to start
            return ""
        return body.decode(errors="replace")

    def _write(
        self, method: str, verb: str, manifest: Mapping[str, Any], name: str, query: Mapping[str, Any],
        content_type: str, dry_run: bool,
    ) -> Object:  # fmt: skip
        resource, namespace = resource_of(manifest), _namespace(manifest)
        asked = self._asked(verb, resource, namespace, _name(manifest))
        request = Request(method, resource.path(namespace, name), asked, query, manifest, content_type)
        return self._object(request, attempts=1 if dry_run else ATTEMPTS)

    def _object(self, request: Request, *, attempts: int = ATTEMPTS) -> Object:
        body: Object = json.loads(self._transport.send(request, attempts=attempts))
        return body

    def _of(self, manifest: Mapping[str, Any]) -> Object | None:
        return self.get(resource_of(manifest), _name(manifest), _namespace(manifest))

    def _asked(self, verb: str, resource: Resource, namespace: str | None, name: str = "") -> Asked:
        return Asked(verb, resource, namespace if resource.namespaced else None, name, self.kubectl)

    def _listing(self, resource: Resource, namespace: str | None, selectors: Mapping[str, str]) -> Listing:
        """All pages; once more from the start when they expire in between."""
        try:
            return self._pages(resource, namespace, selectors)
        except ApiFailure as refused:
            if refused.status != 410:
                raise
            return self._pages(resource, namespace, selectors)

    def _pages(self, resource: Resource, namespace: str | None, selectors: Mapping[str, str]) -> Listing:
        items: list[Object] = []
        asked, following = self._asked("list", resource, namespace), ""
        while True:
            query = {**selectors, "limit": PAGE} | ({"continue": following} if following else {})
            page = self._object(Request("GET", resource.path(namespace), asked, query))
            # the objects of a list of a built-in kind do not say what they are
            items += [
                {"apiVersion": resource.api_version, "kind": resource.kind} | item for item in page["items"] or []
            ]
            told = page.get("metadata") or {}
            if not (following := told.get("continue") or ""):
                return Listing(items, str(told.get("resourceVersion") or ""))


def _selectors(labels: str, fields: str) -> dict[str, str]:
    return {key: value for key, value in (("labelSelector", labels), ("fieldSelector", fields)) if value}


def _dry_run(dry_run: bool) -> dict[str, str]:
    return {"dryRun": "All"} if dry_run else {}


def _raise_unless(refused: ApiFailure, *statuses: int) -> None:
    if refused.status not in statuses:
        raise refused


def _name(manifest: Mapping[str, Any]) -> str:
    return str(manifest["metadata"].get("name") or "")


def _namespace(manifest: Mapping[str, Any]) -> str | None:
    return manifest["metadata"].get("namespace") or ("default" if resource_of(manifest).namespaced else None)


def _named(manifest: Mapping[str, Any]) -> Object:
    metadata = dict(manifest["metadata"])
    if not metadata.get("name") and (prefix := metadata.get("generateName")):
        metadata["name"] = prefix + "".join(secrets.choice(NAME_ALPHABET) for _ in range(5))
    return {**manifest, "metadata": metadata}
