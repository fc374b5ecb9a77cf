"""Following objects as they change, over connections that break, expire or fall silent."""

import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from fluidbench.errors import ExternalFailure, WaitTimeout
from fluidbench.kube import faults
from fluidbench.kube.faults import ApiFailure, Asked
from fluidbench.kube.transport import Lost, Request, Transport, Unreachable

# the server ends each watch itself after the time it was asked for; one that does not within this is dead
LONGEST_GRACE_S = 5.0
# at least half a minute: as long as an API server takes to be started again
FAILURES_IN_A_ROW = 12
Object = dict[str, Any]


class Gone(dict[str, Any]):
    """The last state of an object that was deleted."""


class Listing(NamedTuple):
    items: list[Object]
    resource_version: str


class _Expired(Exception):
    """The version that the watch was to go on from is no longer known to the server."""


@dataclass
class Watch:
    """One watch, for one caller. `request` is the list's; `list_all` reads every page of it."""

    transport: Transport
    request: Request
    list_all: Callable[[], Listing]
    clock: Callable[[], float]
    timeout_s: float
    silent_after_s: float
    tick_s: float | None = None
    _known: dict[str, Object] = field(default_factory=dict)
    _version: str = ""
    _failures: int = 0
    _worked: bool = False
    _deadline: float = 0.0

    def objects(self) -> Iterator[Object]:
        """See `Kube.watch`."""
        self._deadline = self.clock() + self.timeout_s
        while True:
            try:
                if not self._version:
                    yield from self._listed()
                yield from self._round()
            except _Expired:
                self._expired()
            except (Lost, Unreachable) as lost:
                self._failed(lost)
            except ApiFailure as refused:
                self._refused(refused)
            if self.clock() >= self._deadline:
                raise self._timeout()

    def _listed(self) -> Iterator[Object]:
        listing = self.list_all()
        present = {_key(item): item for item in listing.items}
        for key in [key for key in self._known if key not in present]:
            yield Gone(self._known.pop(key))
        for item in listing.items:
            yield from self._changed(item)
        self._version = listing.resource_version

    def _round(self) -> Iterator[Object]:
        """One connection, for as long as the server was asked to keep it."""
        began, told = self.clock(), False
        length_s = self._length_s()
        request = Request(
            "GET", self.request.path, self.request.asked,
            {**self.request.query, "watch": "true", "allowWatchBookmarks": "true",
             "resourceVersion": self._version, "timeoutSeconds": length_s},
        )  # fmt: skip
        with self.transport.stream(request, length_s + min(LONGEST_GRACE_S, self.silent_after_s)) as lines:
            self._worked = True
            for line in lines:
                for changed in self._event(line):
                    told = True
                    yield changed
                    if self.clock() >= self._deadline:
                        return
        if told or self.clock() - began > length_s / 2:
            self._failures = 0
        else:
            # a server that ends every watch at once is not asked in a tight loop
            raise Lost("the server ended the watch before its time")
        if not told and self.tick_s is not None:
            yield from list(self._known.values())

    def _length_s(self) -> int:
        left_s = self._deadline - self.clock()
        return max(1, math.ceil(min(self.silent_after_s, self.tick_s or math.inf, left_s)))

    def _event(self, line: bytes) -> Iterator[Object]:
        event = json.loads(line)
        kind, item = event["type"], event["object"]
        if kind == "ERROR":
            answered = faults.answer(int(item.get("code") or 500), json.dumps(item).encode())
            if answered.status == 410:
                raise _Expired
            raise faults.failure(self.request.asked, answered)
        self._failures = 0
        self._version = item["metadata"].get("resourceVersion") or self._version
        if kind == "DELETED":
            self._known.pop(_key(item), None)
            yield Gone(item)
        elif kind != "BOOKMARK":
            yield from self._changed(item)

    def _changed(self, item: Object) -> Iterator[Object]:
        before = self._known.get(_key(item))
        self._known[_key(item)] = item
        if before is None or _version(before) != _version(item) or not _version(item):
            yield item

    def _refused(self, refused: ApiFailure) -> None:
        if refused.status == 410:
            self._expired()
        elif refused.status == 429 or refused.status >= 500 or (self._worked and refused.status in (401, 403)):
            # an API server that was started again refuses everyone for a second, its administrator too (seen)
            self._failed(refused)
        else:
            raise refused

    def _expired(self) -> None:
        self._version = ""
        self._failed(Lost("the version to go on from has expired each time"))

    def _failed(self, problem: Exception) -> None:
        """Waits before the next attempt. A first break is resumed; else what was missed is told by what is there."""
        self._failures += 1
        if self._failures >= FAILURES_IN_A_ROW:
            if isinstance(problem, ExternalFailure):
                raise problem
            raise ExternalFailure(
                f"the connection to the API server broke {self._failures} times in a row; cannot "
                f"{self.request.asked.words}: {problem}",
                f"Is the control plane well? {self.transport.kubectl} get --raw /readyz?verbose",
            ) from problem
        if self._failures > 1 or (isinstance(problem, Lost) and problem.silent):
            self._version = ""
        self.transport.pauses.before(self._failures)

    def _timeout(self) -> WaitTimeout:
        asked: Asked = self.request.asked
        where = f" {asked.where}" if asked.where else ""
        kind = asked.resource.kind if asked.resource else ""
        return WaitTimeout(
            f"{kind}{where}: not done after {self.timeout_s:g} s; last seen: {_states(self._known)}",
            f"Look at it: {self.transport.kubectl} get {asked.resource.qualified if asked.resource else ''}"
            + (f" -n {asked.namespace}" if asked.namespace else " -A"),
        )


def _key(item: Mapping[str, Any]) -> str:
    metadata = item["metadata"]
    return f"{metadata.get('namespace', '')}/{metadata['name']}/{metadata.get('uid', '')}"


def _version(item: Mapping[str, Any]) -> str:
    return str(item["metadata"].get("resourceVersion") or "")


def _states(known: Mapping[str, Object]) -> str:
    """The first few objects, with their phase."""
    shown = [
        f"{item['metadata']['name']} {(item.get('status') or {}).get('phase') or '(no phase)'}"
        for item in list(known.values())[:3]
    ]
    return ", ".join(shown) or "nothing"
