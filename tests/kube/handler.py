"""The HTTP of the test API server: reads a request, lets a fault happen, or has it answered."""

import functools
import json
import re
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import parse_qsl, urlsplit

from tests.kube.answers import answer, watch
from tests.kube.cluster_state import Dropped, Object, Refusal, Where

if TYPE_CHECKING:
    from tests.kube.apiserver import ApiServer

_PATH = re.compile(
    r"/(?:api|apis/(?P<group>[^/]+))/(?P<version>v[^/]+)(?:/namespaces/(?P<namespace>[^/]+)(?=/[^/]+))?"
    r"/(?P<plural>[^/]+)(?:/(?P<name>[^/]+)(?:/(?P<subresource>[^/]+))?)?"
)


@dataclass(frozen=True)
class Seen:
    method: str
    path: str
    query: dict[str, str]
    body: Any
    headers: dict[str, str]


@dataclass
class Fault:
    """What happens to the next `times` requests of this method whose path (with its query) holds `path`."""

    method: str
    path: str
    times: int
    refusal: Refusal | None = None
    how: str = "fail"
    seconds: float = 0.0


class Handler(BaseHTTPRequestHandler):
    disable_nagle_algorithm = True
    api: ClassVar["ApiServer"]
    protocol_version = "HTTP/1.1"
    # else the body waits for the headers' acknowledgement: 40 ms a request
    disable_nagle_algorithm = True

    def _serve(self) -> None:
        seen = self._seen()
        self.api.requests.append(seen)
        try:
            self._with_fault(seen)
        except Refusal as refusal:
            self._send(refusal.status, _status(refusal), refusal.headers)
        except (Dropped, BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _serve  # noqa: N815

    def _with_fault(self, seen: Seen) -> None:
        fault = self.api.fault_for(seen, self.path)
        if fault is not None and fault.refusal:
            raise fault.refusal
        if fault is not None and fault.how == "silence":
            self._silent()
        if fault is not None and fault.how == "drop":
            self._reset()
        if fault is not None and fault.how == "drop after":
            self._send = self._reset  # type: ignore[method-assign]
        if fault is not None and fault.how == "slow after":
            self._send = functools.partial(self._late, fault.seconds)  # type: ignore[method-assign]
        elif fault is not None:
            self.api.closing.wait(fault.seconds)
        self._answered(seen)

    def _late(self, seconds: float, *answer: Any) -> None:
        self.api.closing.wait(seconds)
        del self._send
        self._send(*answer)

    def _reset(self, *answer: object) -> None:
        # a reset, not an end: what a load balancer or a killed server leaves
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        raise Dropped

    def _seen(self) -> Seen:
        parts = urlsplit(self.path)
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = json.loads(raw) if raw else None
        return Seen(self.command, parts.path, dict(parse_qsl(parts.query)), body, dict(self.headers.items()))

    def _answered(self, seen: Seen) -> None:
        if seen.path == "/version":
            return self._send(200, {"gitVersion": self.api.git_version})
        found = _PATH.fullmatch(seen.path)
        if not found or found["group"] in self.api.unknown:
            raise Refusal(404, "NotFound", "the server could not find the requested resource")
        where = Where(**{name: value or "" for name, value in found.groupdict().items()})
        if seen.query.get("watch") == "true":
            return self._stream(watch(self.api, where, seen))
        told = answer(self.api, where, seen)
        return self._send(201 if seen.method == "POST" else 200, told)

    def _send(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        raw = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(raw)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(raw)

    def _stream(self, events: Iterator[Object]) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for event in events:
            raw = json.dumps(event).encode() + b"\n"
            self.wfile.write(f"{len(raw):x}\r\n".encode() + raw + b"\r\n")
        self.wfile.write(b"0\r\n\r\n")

    def _silent(self) -> None:
        if self.command == "GET" and "watch=true" in self.path:
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
        self.api.closing.wait(60)
        raise Dropped

    def log_message(self, *args: object) -> None:
        """Says nothing."""


def _status(refusal: Refusal) -> Object:
    return {
        "kind": "Status", "apiVersion": "v1", "status": "Failure", "code": refusal.status, "reason": refusal.reason,
        "message": refusal.message,
    }  # fmt: skip
