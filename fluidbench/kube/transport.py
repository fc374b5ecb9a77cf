"""Requests to the API server, with bounded retries; the only place that knows the `kubernetes` package."""

import contextlib
import json
import random
import re
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from fluidbench.errors import ExternalFailure
from fluidbench.kube import faults
from fluidbench.kube.faults import Asked

CONNECT_TIMEOUT_S = 5.0
# an admission webhook may take 30 s, and the API server answers after it
READ_TIMEOUT_S = 40.0
ATTEMPTS, ATTEMPTS_WHEN_SILENT = 6, 2
FIRST_PAUSE_S, LONGEST_PAUSE_S, LONGEST_RETRY_AFTER_S = 0.2, 3.0, 15.0
RETRIED = frozenset({429, 500, 502, 503, 504})
JSON, MERGE_PATCH, APPLY_PATCH = "application/json", "application/merge-patch+json", "application/apply-patch+yaml"


class Unreachable(ExternalFailure):
    """Nothing answers where the kubeconfig says that the API server is."""


class Lost(Exception):
    """The connection broke, or nothing came in time (`silent`), after the request may have been sent."""

    def __init__(self, message: str, *, silent: bool = False) -> None:
        super().__init__(message)
        self.silent = silent


@dataclass(frozen=True)
class Pauses:
    """How long to wait before each further attempt: twice as long every time, and a little at random."""

    first_s: float = FIRST_PAUSE_S
    longest_s: float = LONGEST_PAUSE_S
    sleep: Callable[[float], None] = time.sleep

    def before(self, attempt: int, retry_after: str = "") -> None:
        """Sleeps before the attempt after number `attempt`; as long as the server asks, where it does."""
        with contextlib.suppress(ValueError):
            return self.sleep(min(LONGEST_RETRY_AFTER_S, max(0.0, float(retry_after))))
        pause_s = min(self.longest_s, self.first_s * 2 ** (attempt - 1))
        return self.sleep(pause_s * random.uniform(0.8, 1.2))  # noqa: S311


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    asked: Asked
    query: Mapping[str, Any] = field(default_factory=dict)
    body: Any = None
    content_type: str = JSON

    @property
    def target(self) -> str:
        return self.path + ("?" + urlencode(self.query) if self.query else "")


class Transport:
    """One API server. `kubectl` is how to reach it by hand."""

    def __init__(self, client: Any, kubectl: str = "kubectl", pauses: Pauses | None = None) -> None:
        self._configuration = client.configuration
        # urllib3 under the client: `ApiClient.call_api` has another signature in every second release
        self._pool = client.rest_client.pool_manager
        self.kubectl = kubectl
        self.pauses = pauses or Pauses()

    def send(self, request: Request, *, attempts: int = ATTEMPTS, read_timeout_s: float = READ_TIMEOUT_S) -> bytes:
        """The body of a successful answer.

        Conflicts, overload, server errors and broken connections are tried again, `attempts` in all (a server that
        is silent is asked twice); then, and for every other refusal, raises ApiFailure or ExternalFailure.
        """
        after_doubt = False
        for attempt in range(1, attempts + 1):
            retry_after = ""
            try:
                with self._answer(request, read_timeout_s) as response:
                    body, retry_after = bytes(response.read()), response.headers.get("Retry-After", "")
                if response.status < 300:
                    return body
                answered = faults.answer(response.status, body)
                if attempt == attempts or not _worth_retrying(answered):
                    refused = faults.failure(request.asked, answered)
                    refused.after_doubt = after_doubt
                    raise refused
                after_doubt |= response.status >= 500
            except Lost as lost:
                if attempt == attempts or (lost.silent and attempt >= ATTEMPTS_WHEN_SILENT):
                    raise self._broken(request, lost) from lost
                after_doubt = True
            self.pauses.before(attempt, retry_after)
        raise AssertionError("unreachable")

    @contextlib.contextmanager
    def stream(self, request: Request, silent_after_s: float) -> Iterator[Iterator[bytes]]:
        """The lines of an answer that goes on, each as it comes. Raises Lost when it breaks or is silent."""
        with self._answer(request, silent_after_s) as response:
            if response.status >= 300:
                raise faults.failure(request.asked, faults.answer(response.status, response.read()))
            yield self._lines(response)

    @contextlib.contextmanager
    def _answer(self, request: Request, read_timeout_s: float) -> Iterator[Any]:
        import urllib3

        response = None
        try:
            response = self._pool.request(
                request.method, self._configuration.host.rstrip("/") + request.target,
                body=None if request.body is None else json.dumps(request.body),
                headers=self._headers(request), preload_content=False, retries=False, redirect=False,
                timeout=urllib3.Timeout(connect=CONNECT_TIMEOUT_S, read=read_timeout_s),
            )  # fmt: skip
            yield response
        except urllib3.exceptions.HTTPError as error:
            raise self._problem(error) from error
        finally:
            if response is not None:
                response.close()  # where it was read to its end the connection is back in the pool already

    def _problem(self, error: Exception) -> Exception:
        from urllib3 import exceptions

        if isinstance(error, exceptions.SSLError) and isinstance(error.args[0], ssl.SSLCertVerificationError):
            return self._untrusted(error)
        if isinstance(error, exceptions.NewConnectionError | exceptions.ConnectTimeoutError | exceptions.ProxyError):
            return self._unreachable(error)
        return Lost(_in_words(error), silent=isinstance(error, exceptions.ReadTimeoutError))

    def _headers(self, request: Request) -> dict[str, str]:
        headers = {"Accept": "application/json, */*", "User-Agent": "fluidbench"}
        if request.body is not None:
            headers["Content-Type"] = request.content_type
        for setting in self._configuration.auth_settings().values():
            if setting["in"] == "header" and setting["value"]:
                headers[setting["key"]] = setting["value"]
        return headers

    def _lines(self, response: Any) -> Iterator[bytes]:
        rest = b""
        for chunk in response.stream(amt=None, decode_content=False):
            *lines, rest = (rest + chunk).split(b"\n")
            yield from filter(None, lines)

    def _broken(self, request: Request, lost: Lost) -> Unreachable:
        return Unreachable(
            f"the connection to the API server broke on every attempt to {request.asked.words}: {lost}",
            f"Is the control plane well? {self.kubectl} get --raw /readyz?verbose",
        )

    def _unreachable(self, error: Exception) -> Unreachable:
        proxied = " It goes through the proxy of HTTPS_PROXY; NO_PROXY exempts." if self._configuration.proxy else ""
        return Unreachable(
            f"the API server at {shown_host(self._configuration.host)} does not answer: {_in_words(error)}",
            f"Is the cluster running, and is it the right one? {self.kubectl} cluster-info{proxied}",
        )

    def _untrusted(self, error: Exception) -> ExternalFailure:
        return ExternalFailure(
            f"the certificate of the API server at {shown_host(self._configuration.host)} is not the one that the "
            f"kubeconfig expects: {_in_words(error)}",
            "A cluster that was made again has a new one: renew the kubeconfig (kind export kubeconfig --name NAME).",
        )


def _worth_retrying(answered: faults.Answer) -> bool:
    if answered.status == 409:
        return answered.reason != "AlreadyExists"
    return answered.status in RETRIED


def _in_words(error: Exception) -> str:
    """The cause alone: urllib3 puts connection pools and objects before it."""
    text = re.sub(r" \(_ssl\.c:\d+\)", "", str(error.args[-1] if error.args else error))
    return faults.redacted(re.split(r": |\] ", text)[-1])


def shown_host(host: str) -> str:
    """The server's address without what a URL may hold of credentials."""
    parts = urlsplit(host)
    return f"{parts.scheme}://{parts.hostname}" + (f":{parts.port}" if parts.port else "")


def connect(kubeconfig: Path | None, context: str | None) -> Transport:
    """A transport for a context of a kubeconfig; raises ExternalFailure where there is none. Asks nothing yet."""
    from kubernetes.config import ConfigException, new_client_from_config  # slow: only who needs a cluster pays

    kubectl = "kubectl" + (f" --kubeconfig {kubeconfig}" if kubeconfig else "")
    kubectl += f" --context {context}" if context else ""
    try:
        client = new_client_from_config(
            config_file=str(kubeconfig) if kubeconfig else None, context=context, persist_config=False
        )
    except Exception as error:  # a kubeconfig can be wrong in any way, and its parsers raise what they like
        told = faults.redacted(str(error)) if isinstance(error, ConfigException | OSError) else "it cannot be read"
        raise ExternalFailure(
            f"no cluster to talk to: {kubeconfig or 'the kubeconfig'}: {told}",
            "Make one with `fluidbench up`, name an existing one with --context, or set KUBECONFIG; "
            f"what there is: {kubectl} config get-contexts",
        ) from error
    if _is_loopback(client.configuration.host) and client.configuration.proxy:
        # as kubectl does: no proxy stands between this machine and itself
        client.configuration.proxy = None
        client = type(client)(client.configuration)
    return Transport(client, kubectl)


def _is_loopback(host: str) -> bool:
    name = urlsplit(host).hostname or ""
    try:
        return name == "localhost" or ip_address(name).is_loopback
    except ValueError:
        return False
