"""The objects of a cluster that is not there: stored, versioned, selected and deleted as an API server does it."""

import copy
import itertools
import json
import re
import threading
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

Object = dict[str, Any]


@dataclass(frozen=True)
class Where:
    """A collection, or one object of it, as its path says it."""

    group: str
    version: str
    plural: str
    namespace: str = ""
    name: str = ""
    subresource: str = ""

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def key(self) -> tuple[str, str, str, str]:
        return self.group, self.plural, self.namespace, self.name


@dataclass(frozen=True)
class Event:
    version: int
    kind: str
    where: Where
    object: Object


class Refusal(Exception):
    """An answer that is not a success."""

    def __init__(self, status: int, reason: str, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.reason, self.message = status, reason, message
        self.headers = headers or {}


class Dropped(Exception):
    """The connection is to be closed without an answer."""


@dataclass
class ClusterState:
    """Thread-safe. `changed` is notified at every event; `history` holds them all, from version `oldest` on."""

    objects: dict[tuple[str, str, str, str], Object] = field(default_factory=dict)
    history: list[Event] = field(default_factory=list)
    oldest: int = 0
    changed: threading.Condition = field(default_factory=lambda: threading.Condition(threading.RLock()))
    listeners: list[Callable[[str, Where, Object], None]] = field(default_factory=list)
    _versions: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    version: int = 0

    def add(self, where: Where, manifest: Object, *, dry_run: bool = False) -> Object:
        """Creates, or refuses with AlreadyExists."""
        metadata = manifest.get("metadata") or {}
        name = metadata.get("name") or metadata.get("generateName", "") + uuid.uuid4().hex[:5]
        where = _with_name(where, name)
        with self.changed:
            if where.key in self.objects:
                raise Refusal(409, "AlreadyExists", f'{_qualified(where)} "{name}" already exists')
            made = copy.deepcopy(manifest)
            made["metadata"] = {
                **metadata, "name": name, "uid": str(uuid.uuid4()), "generation": 1, "creationTimestamp": now(),
                **({"namespace": where.namespace} if where.namespace else {}),
            }  # fmt: skip
            return made if dry_run else self._store("ADDED", where, made)

    def merge(self, where: Where, patch: Object, *, upsert: bool = False, dry_run: bool = False) -> Object:
        """A merge patch; with `upsert` what is not there is made (server-side apply)."""
        with self.changed:
            if where.key not in self.objects:
                if upsert:
                    return self.add(where, patch, dry_run=dry_run)
                raise missing(where)
            merged = merged_json(self.objects[where.key], patch)
            return merged if dry_run else self._store("MODIFIED", where, merged)

    def replace(self, where: Where, state: Object) -> Object:
        """Stores a whole object as it is, as a controller's doing; its version is renewed."""
        with self.changed:
            kind = "MODIFIED" if where.key in self.objects else "ADDED"
            return self._store(kind, where, copy.deepcopy(state))

    def remove(self, where: Where) -> Object:
        """Deletes, with what it owns; an object with a finalizer only gets its deletionTimestamp."""
        with self.changed:
            if where.key not in self.objects:
                raise missing(where)
            item = self.objects[where.key]
            if item["metadata"].get("finalizers"):
                return self.merge(where, {"metadata": {"deletionTimestamp": now()}})
            del self.objects[where.key]
            self._told("DELETED", where, item)
            owned = [key for key, other in self.objects.items() if _owned_by(other, item)]
        for group, plural, namespace, name in owned:
            self.remove(Where(group, "", plural, namespace, name))
        return item

    def get(self, where: Where) -> Object:
        with self.changed:
            if where.key not in self.objects:
                raise missing(where)
            return copy.deepcopy(self.objects[where.key])

    def select(self, where: Where, labels: str = "", fields: str = "") -> list[Object]:
        with self.changed:
            return [
                copy.deepcopy(item) for key, item in self.objects.items() if matches(where, key, item, labels, fields)
            ]

    def events_after(self, version: int, where: Where, labels: str, fields: str) -> list[Event]:
        with self.changed:
            return [
                event for event in self.history
                if event.version > version and matches(where, event.where.key, event.object, labels, fields)
            ]  # fmt: skip

    def forget_history(self) -> None:
        """As etcd's compaction: a watch that goes on from an older version is answered with 410."""
        with self.changed:
            self.version = self.oldest = next(self._versions)
            self.history.clear()
            self.changed.notify_all()

    def _store(self, kind: str, where: Where, item: Object) -> Object:
        item.setdefault("apiVersion", where.api_version)
        if item["metadata"].get("deletionTimestamp") and not item["metadata"].get("finalizers"):
            self.objects[where.key] = item
            return self.remove(where)
        self.objects[where.key] = item
        self._told(kind, where, item)
        return copy.deepcopy(item)

    def _told(self, kind: str, where: Where, item: Object) -> None:
        self.version = next(self._versions)
        item["metadata"]["resourceVersion"] = str(self.version)
        self.history.append(Event(self.version, kind, where, copy.deepcopy(item)))
        self.changed.notify_all()
        for listener in self.listeners:
            listener(kind, where, copy.deepcopy(item))


def matches(where: Where, key: tuple[str, str, str, str], item: Object, labels: str, fields: str) -> bool:
    group, plural, namespace, _ = key
    if (group, plural) != (where.group, where.plural) or (where.namespace and namespace != where.namespace):
        return False
    own = item["metadata"].get("labels") or {}
    return all(_label_fits(own, term) for term in _terms(labels)) and all(
        _field_fits(item, term) for term in _terms(fields)
    )


def _terms(selector: str) -> list[str]:
    return [term.strip() for term in re.split(r",(?![^(]*\))", selector) if term.strip()]


def _label_fits(labels: dict[str, str], term: str) -> bool:
    if found := re.fullmatch(r"(\S+) (in|notin) \((.*)\)", term):
        inside = labels.get(found[1]) in [value.strip() for value in found[3].split(",")]
        return inside is (found[2] == "in")
    if "!=" in term:
        name, _, value = term.partition("!=")
        return labels.get(name) != value
    if "=" in term:
        name, _, value = term.partition("=")
        return labels.get(name) == value.lstrip("=")
    return term[1:] not in labels if term.startswith("!") else term in labels


def _field_fits(item: Object, term: str) -> bool:
    unequal = "!=" in term
    path, _, value = term.partition("!=" if unequal else "=")
    found: Any = item
    for part in path.split("."):
        found = found.get(part, "") if isinstance(found, dict) else ""
    return (str(found) == value.lstrip("=")) is not unequal


def merged_json(target: Any, patch: Any) -> Any:
    """JSON merge patch (RFC 7396)."""
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    merged = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merged_json(merged.get(key), value)
    return json.loads(json.dumps(merged))


def missing(where: Where) -> Refusal:
    return Refusal(404, "NotFound", f'{_qualified(where)} "{where.name}" not found')


def now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _qualified(where: Where) -> str:
    return f"{where.plural}.{where.group}" if where.group else where.plural


def _with_name(where: Where, name: str) -> Where:
    return Where(where.group, where.version, where.plural, where.namespace, name)


def _owned_by(item: Object, owner: Object) -> bool:
    references = item["metadata"].get("ownerReferences") or []
    return any(reference.get("uid") == owner["metadata"].get("uid") for reference in references)
