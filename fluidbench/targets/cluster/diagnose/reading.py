"""Reading times and parts of Kubernetes objects. Pure."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

Object = Mapping[str, Any]


def parsed(timestamp: str | None) -> datetime | None:
    """A time as Kubernetes writes it; None where there is none."""
    return datetime.fromisoformat(timestamp) if timestamp else None


def age_s(timestamp: str | None, now: datetime | None) -> float:
    """Seconds since then; of no time at all, none."""
    then = parsed(timestamp)
    return 0.0 if then is None else ((now or datetime.now(UTC)) - then).total_seconds()


def condition(item: Object, kind: str) -> Object:
    """A condition of an object's status; empty where it has none of the kind."""
    conditions = (item.get("status") or {}).get("conditions") or ()
    return next((told for told in conditions if told.get("type") == kind), {})


def container_statuses(pod: Object) -> list[Object]:
    """Init containers first, as they run."""
    status = pod.get("status") or {}
    return [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]


def container(pod: Object, name: str) -> Object:
    return next((told for told in container_statuses(pod) if told["name"] == name), {})


def resources_of(pod: Object | None, name: str = "main") -> dict[str, str]:
    """Requests and limits of a container, as {"limits.memory": "2Gi"}; empty without a pod."""
    containers = ((pod or {}).get("spec") or {}).get("containers") or ()
    asked = next((one.get("resources") or {} for one in containers if one["name"] == name), {})
    return {f"{kind}.{what}": str(asked[kind][what]) for kind in sorted(asked) for what in sorted(asked[kind])}


def events_of(item: Object, events: Iterable[Object]) -> list[Object]:
    """The events about an object: by its uid, or by kind and name where one of them has none."""
    metadata = item["metadata"]

    def about(event: Object) -> bool:
        involved = event.get("involvedObject") or {}
        if involved.get("uid") and metadata.get("uid"):
            return bool(involved["uid"] == metadata["uid"])
        return (involved.get("kind"), involved.get("name")) == (item.get("kind"), metadata["name"])

    return [event for event in events if about(event)]


def event_count(event: Object) -> int:
    return int((event.get("series") or {}).get("count") or event.get("count") or 1)


def event_first(event: Object) -> str | None:
    """When it was first seen; events of the newer kind have only an eventTime."""
    first = event.get("firstTimestamp") or event.get("eventTime") or event["metadata"].get("creationTimestamp")
    return str(first) if first else None


def event_last(event: Object) -> str | None:
    series = event.get("series") or {}
    last = series.get("lastObservedTime") or event.get("lastTimestamp") or event_first(event)
    return str(last) if last else None


def named(item: Object) -> str:
    """As people call it: Pod default/x."""
    metadata = item["metadata"]
    return f"{item.get('kind', 'Pod')} {metadata.get('namespace', 'default')}/{metadata['name']}"


def described(item: Object) -> str:
    """The kubectl line that shows all of it."""
    metadata, kind = item["metadata"], item.get("kind", "Pod").lower()
    return f"kubectl -n {metadata.get('namespace', 'default')} describe {kind} {metadata['name']}"


def first_sentence(message: str, longest: int = 300) -> str:
    """The message on one line, not longer than a reader bears."""
    line = " ".join(message.split())
    return line if len(line) <= longest else line[: longest - 1] + "…"
