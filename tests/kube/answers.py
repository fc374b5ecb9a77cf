"""What the test API server answers to a request that nothing stands against."""

import base64
import json
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from tests.kube.cluster_state import ClusterState, Dropped, Object, Refusal, Where, missing

if TYPE_CHECKING:
    from tests.kube.apiserver import ApiServer, Seen

POLL_S = 0.5


def answer(server: "ApiServer", where: Where, seen: "Seen") -> Any:
    """The body of a successful answer; raises Refusal otherwise."""
    state, dry_run = server.state, seen.query.get("dryRun") == "All"
    if seen.method in ("POST", "PATCH"):
        _check_namespace(state, where)
    if seen.method == "GET":
        return _read(server, where, seen)
    if seen.method == "POST":
        return state.add(where, seen.body, dry_run=dry_run)
    if seen.method == "DELETE":
        return state.remove(where)
    apply = "apply-patch" in seen.headers.get("Content-Type", "")
    return state.merge(where, seen.body, upsert=apply, dry_run=dry_run)


def _check_namespace(state: ClusterState, where: Where) -> None:
    if where.namespace and ("", "namespaces", "", where.namespace) not in state.objects:
        raise missing(Where("", "v1", "namespaces", name=where.namespace))


def _read(server: "ApiServer", where: Where, seen: "Seen") -> Any:
    if where.subresource == "log":
        server.state.get(Where(where.group, where.version, where.plural, where.namespace, where.name))
        container = seen.query.get("container", "main")
        if (text := server.logs.get((where.namespace, where.name, container))) is None:
            raise Refusal(400, "BadRequest", f'container "{container}" in pod "{where.name}" is waiting to start')
        return "".join(text.splitlines(keepends=True)[-int(seen.query.get("tailLines", "1000000")) :])
    return server.state.get(where) if where.name else _list(server, where, seen)


def _list(server: "ApiServer", where: Where, seen: "Seen") -> Object:
    items = server.state.select(where, seen.query.get("labelSelector", ""), seen.query.get("fieldSelector", ""))
    start = int(base64.b64decode(seen.query.get("continue", "") or b"MA=="))
    end = start + min(server.page, int(seen.query.get("limit", "500")))
    following = {"continue": base64.b64encode(str(end).encode()).decode()} if end < len(items) else {}
    # like the real one: the objects of a list do not repeat kind and apiVersion for the core group
    shown = [item if where.group else _without_kind(item) for item in items[start:end]]
    return {"items": shown, "metadata": {"resourceVersion": str(server.state.version), **following}}


def _without_kind(item: Object) -> Object:
    return {key: value for key, value in item.items() if key not in ("kind", "apiVersion")}


def watch(server: "ApiServer", where: Where, seen: "Seen") -> Iterator[Object]:
    """Events from a version on, until the time that was asked for is over; a bookmark at its end."""
    state, generation = server.state, server.watch_generation
    version = int(seen.query.get("resourceVersion") or 0)
    deadline = time.monotonic() + float(seen.query.get("timeoutSeconds", "3600"))
    if server.unasked_end:
        return
    if server.stream_error:
        yield {"type": "ERROR", "object": {"kind": "Status", **server.stream_error}}
        return
    if version < state.oldest:
        # the real one says so inside an answer that began well
        yield {"type": "ERROR", "object": {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old"}}
        return
    while time.monotonic() < deadline:
        with state.changed:
            events = _news(server, where, seen, version)
            if not events and server.watch_generation == generation:
                state.changed.wait(min(POLL_S, max(0.0, deadline - time.monotonic())))
                events = _news(server, where, seen, version)
            version = max([version, *(event["version"] for event in events)])
        if server.watch_generation != generation:
            raise Dropped
        for event in events:
            yield event["event"]
    yield {"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": str(max(version, state.version))}}}


def _news(server: "ApiServer", where: Where, seen: "Seen", version: int) -> list[dict[str, Any]]:
    labels, fields = seen.query.get("labelSelector", ""), seen.query.get("fieldSelector", "")
    return [
        {"version": event.version, "event": json.loads(json.dumps({"type": event.kind, "object": event.object}))}
        for event in server.state.events_after(version, where, labels, fields)
    ]
