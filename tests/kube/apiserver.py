"""An API server for tests, over real HTTP: it stores objects of any kind, serves watches, and can be made to fail.

A test (of any part) takes the fixture `api`, see plugin.py:

    api.add(manifest)                                   as a user or controller would
    api.put(state)                                      a whole object, as a real cluster answered it
    api.status(WORKFLOW, "name", "default", {...})      merged into its status
    api.play(states, every_s=0.05)                      successive states, in the background
    api.when("ADDED", POD, reaction)                    called with each new pod, in the background
    api.logs["default", "pod", "main"] = "..."
    api.unknown.add("data.fluid.io")                    a group whose CRDs are not installed
    api.fail(429, method="POST", path="/pods", times=2, retry_after=1)
    api.drop(...), api.silence(...), api.slow(0.5, ...) the same way; with `after=True` the work is done first
    api.break_watches(), api.forget_history()           the watches break; their version expires (410)
    api.vanish()                                        the server is gone
    api.unasked_end = True                              every watch ends at once, and well
    api.stream_error = {"code": 500, ...}               an ERROR event begins every watch
    api.requests                                        what was asked: method, path, query, body, headers
"""

import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http.server import ThreadingHTTPServer
from pathlib import Path

from fluidbench.kube import Resource, resource_of
from tests.kube.cluster_state import ClusterState, Object, Refusal, Where
from tests.kube.handler import Fault, Handler, Seen

TOKEN = "token-that-must-never-be-shown"


@dataclass
class ApiServer:
    state: ClusterState = field(default_factory=ClusterState)
    requests: list[Seen] = field(default_factory=list)
    logs: dict[tuple[str, str, str], str] = field(default_factory=dict)
    unknown: set[str] = field(default_factory=set)
    git_version: str = "v1.34.4"
    page: int = 500
    faults: list[Fault] = field(default_factory=list)
    closing: threading.Event = field(default_factory=threading.Event)
    watch_generation: int = 0
    unasked_end: bool = False
    stream_error: Object | None = None
    _threads: list[threading.Thread] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (Handler,), {"api": self}))
        self._http.daemon_threads = True
        self._threads.append(threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True))
        self._threads[0].start()
        for name in ("default", "kube-system"):
            self.add({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def kubeconfig(self, path: Path, context: str = "test") -> Path:
        """Writes one that leads here."""
        path.write_text(
            json.dumps({
                "apiVersion": "v1", "kind": "Config", "current-context": context,
                "clusters": [{"name": context, "cluster": {"server": self.url}}],
                "users": [{"name": context, "user": {"token": TOKEN}}],
                "contexts": [{"name": context, "context": {"cluster": context, "user": context}}],
            })
        )  # fmt: skip
        return path

    def add(self, manifest: Object) -> Object:
        return self.state.add(_where(manifest), manifest)

    def put(self, state: Object) -> Object:
        return self.state.replace(_where(state), state)

    def merge(self, item: Object, patch: Object) -> Object:
        """Changes the object that `item` is, or was, a state of."""
        return self.state.merge(_where(item), patch)

    def remove(self, resource: Resource, name: str, namespace: str = "") -> Object:
        return self.state.remove(_at(resource, namespace, name))

    def get(self, resource: Resource, name: str, namespace: str = "") -> Object:
        return self.state.get(_at(resource, namespace, name))

    def objects(self, resource: Resource, labels: str = "") -> list[Object]:
        return self.state.select(_at(resource), labels)

    def status(self, resource: Resource, name: str, namespace: str, status: Object) -> Object:
        return self.state.merge(_at(resource, namespace, name), {"status": status})

    def when(self, kind: str, resource: Resource, reaction: Callable[[Object], None], after_s: float = 0.0) -> None:
        """Calls `reaction` with each object of an event (ADDED, MODIFIED, DELETED), in a thread of its own."""

        def heard(event: str, where: Where, item: Object) -> None:
            if (event, where.group, where.plural) == (kind, resource.group, resource.plural):
                self.later(after_s, lambda: reaction(item))

        self.state.listeners.append(heard)

    def play(self, states: Sequence[Object], every_s: float = 0.05, rename: str = "") -> None:
        """Puts one state after the other, in the background; `rename` gives all of them another object's name."""

        def played() -> None:
            for state in states:
                if self.closing.wait(every_s):
                    return
                self.put({**state, "metadata": {**state["metadata"], "name": rename or state["metadata"]["name"]}})

        self.later(0, played)

    def later(self, after_s: float, action: Callable[[], object]) -> None:
        def run() -> None:
            if not self.closing.wait(after_s):
                action()

        thread = threading.Thread(target=run, daemon=True)
        self._threads.append(thread)
        thread.start()

    def fail(
        self, status: int, *, method: str = "", path: str = "", times: int = 1, reason: str = "", message: str = "",
        retry_after: float | None = None,
    ) -> None:  # fmt: skip
        headers = {} if retry_after is None else {"Retry-After": f"{retry_after:g}"}
        self.faults.append(Fault(method, path, times, Refusal(status, reason, message, headers)))

    def drop(self, *, method: str = "", path: str = "", times: int = 1, after: bool = False) -> None:
        self.faults.append(Fault(method, path, times, how="drop after" if after else "drop"))

    def silence(self, *, method: str = "", path: str = "", times: int = 1) -> None:
        self.faults.append(Fault(method, path, times, how="silence"))

    def slow(
        self, seconds: float, *, method: str = "", path: str = "", times: int = 1, after: bool = False
    ) -> None:  # fmt: skip
        self.faults.append(Fault(method, path, times, how="slow after" if after else "slow", seconds=seconds))

    def break_watches(self) -> None:
        with self.state.changed:
            self.watch_generation += 1
            self.state.changed.notify_all()

    def forget_history(self) -> None:
        self.state.forget_history()
        self.break_watches()

    def asked(self, method: str, path: str = "") -> list[Seen]:
        return [seen for seen in self.requests if seen.method == method and path in seen.path]

    def watches(self) -> list[Seen]:
        return [seen for seen in self.requests if seen.query.get("watch") == "true"]

    def fault_for(self, seen: Seen, target: str) -> Fault | None:
        with self.state.changed:
            for fault in self.faults:
                if fault.times and fault.method in ("", seen.method) and fault.path in target:
                    fault.times -= 1
                    return fault
        return None

    def vanish(self) -> None:
        """From now on nothing listens here, and every connection is broken."""
        self.drop(times=1_000_000)
        self._http.shutdown()
        self._http.server_close()
        self.break_watches()

    def close(self) -> None:
        self.closing.set()
        self.break_watches()
        self._http.shutdown()
        self._http.server_close()
        for thread in self._threads:
            thread.join(5)


def _where(manifest: Object) -> Where:
    resource = resource_of(manifest)
    metadata = manifest["metadata"]
    namespace = metadata.get("namespace", "default") if resource.namespaced else ""
    return Where(resource.group, resource.version, resource.plural, namespace, metadata.get("name", ""))


def _at(resource: Resource, namespace: str = "", name: str = "") -> Where:
    return Where(resource.group, resource.version, resource.plural, namespace if resource.namespaced else "", name)
