"""What the API server refused, in words that say what to do about it. Pure."""

import json
import re
from dataclasses import dataclass
from typing import Any

from fluidbench.errors import ExternalFailure
from fluidbench.kube.resources import Resource

# a bearer token, and anything that is shaped like a JSON Web Token
_TOKEN = re.compile(r"(?i)(bearer\s+)\S+|eyJ[\w-]{5,}(\.[\w-]+){0,2}")
LONGEST_MESSAGE = 1000


class ApiFailure(ExternalFailure):
    """The API server answered with an error: `status` is that of HTTP, `reason` Kubernetes' word for it."""

    def __init__(self, message: str, hint: str = "", *, status: int = 0, reason: str = "") -> None:
        super().__init__(message, hint)
        self.status = status
        self.reason = reason
        # an earlier attempt may have been carried out, although its answer was lost or an error
        self.after_doubt = False


@dataclass(frozen=True)
class Asked:
    """What was asked for, in Kubernetes' verbs, and of which cluster."""

    verb: str
    resource: Resource | None
    namespace: str | None
    name: str
    kubectl: str = "kubectl"

    @property
    def words(self) -> str:
        if self.resource is None:
            return "ask for the server's version"
        return f"{self.verb} {self.resource.kind}" + (f" {self.where}" if self.where else "")

    @property
    def where(self) -> str:
        in_namespace = self.namespace if self.resource and self.resource.namespaced else None
        return "/".join(filter(None, (in_namespace, self.name)))

    @property
    def can_i(self) -> str:
        """The line that checks the right to it."""
        if self.resource is None:
            return f"{self.kubectl} auth can-i get /version"
        scope = "" if not self.resource.namespaced else f" -n {self.namespace}" if self.namespace else " -A"
        return f"{self.kubectl} auth can-i {self.verb} {self.resource.qualified}{scope}"


@dataclass(frozen=True)
class Answer:
    """An answer that is not a success, as far as it is understood."""

    status: int
    reason: str
    message: str

    @property
    def webhook(self) -> bool:
        return "failed calling webhook" in self.message or "denied the request" in self.message


def answer(status: int, body: bytes) -> Answer:
    """Reads a `Status` object; a proxy's page or nothing at all will do too."""
    try:
        told: Any = json.loads(body)
    except ValueError:
        told = {"message": body.decode(errors="replace").strip()}
    if not isinstance(told, dict):
        told = {"message": str(told)}
    return Answer(status, str(told.get("reason") or ""), redacted(str(told.get("message") or ""))[:LONGEST_MESSAGE])


def redacted(message: str) -> str:
    """The message without what looks like a token."""
    return _TOKEN.sub(lambda found: f"{found[1] or ''}[hidden]", message)


def failure(asked: Asked, answered: Answer) -> ApiFailure:
    """The error to raise for an answer."""
    message, hint = _explained(asked, answered)
    return ApiFailure(message, hint, status=answered.status, reason=answered.reason)


def _explained(asked: Asked, answered: Answer) -> tuple[str, str]:
    words, said = asked.words, _said(asked, answered)
    if answered.status == 401:
        return (
            f"the API server does not accept the credentials: cannot {words}",
            f"Log in to the cluster again, and check with: {asked.kubectl} auth whoami",
        )
    if answered.status == 403:
        return _forbidden(asked, answered)
    if answered.webhook:
        return f"an admission webhook stood in the way of {words}: {said}", _webhook_hint(asked, answered)
    if answered.status == 404:
        return _not_found(asked, answered)
    if answered.status == 429:
        return (
            f"the API server is overloaded (429) and stayed so: cannot {words}: {said}",
            f"Try again later; what load there is: {asked.kubectl} get --raw /readyz?verbose",
        )
    if answered.status >= 500:
        return (
            f"the API server failed ({answered.status}) on every attempt to {words}: {said}",
            f"Is the control plane well? {asked.kubectl} get --raw /readyz?verbose",
        )
    return f"the API server refused to {words} ({answered.status} {answered.reason}): {said}".replace(" )", ")"), ""


def _said(asked: Asked, answered: Answer) -> str:
    # what is wrong with a Secret is told with its values
    hidden = asked.resource is not None and asked.resource.kind == "Secret" and answered.status in (400, 422)
    return "(not shown: it may hold the secret)" if hidden else answered.message or "no reason given"


def _forbidden(asked: Asked, answered: Answer) -> tuple[str, str]:
    if "is being terminated" in answered.message:
        return (
            f"cannot {asked.words}: the namespace {asked.namespace} is being deleted",
            f"Wait until it is gone: {asked.kubectl} wait --for=delete namespace/{asked.namespace}",
        )
    if "cannot " not in answered.message and answered.message:
        return f"the cluster's rules forbid to {asked.words}: {answered.message}", (
            "An admission rule, a quota or the Pod Security level of the namespace says so; "
            "choose another --namespace, or ask the cluster's administrator."
        )
    right = asked.resource.qualified if asked.resource else "/version"
    return (
        f"a right is missing: {asked.verb} {right}"
        + (f" in namespace {asked.namespace}" if asked.namespace else " in the cluster")
        + f": {answered.message or 'forbidden'}",
        f"Ask the cluster's administrator for it; this line checks it: {asked.can_i}",
    )


def _not_found(asked: Asked, answered: Answer) -> tuple[str, str]:
    if answered.message.startswith("namespaces ") and asked.resource and asked.resource.kind != "Namespace":
        return (
            f"cannot {asked.words}: there is no namespace {asked.namespace}",
            f"Make it: {asked.kubectl} create namespace {asked.namespace}",
        )
    if answered.message and "could not find the requested resource" not in answered.message and asked.name:
        return f"cannot {asked.words}: {answered.message}", ""
    kind = f"{asked.resource.kind} ({asked.resource.api_version})" if asked.resource else "/version"
    return (
        f"the cluster does not know {kind}: cannot {asked.words}",
        "What defines it is not installed, or in another version; `fluidbench up` installs Fluid and Argo Workflows.",
    )


def _webhook_hint(asked: Asked, answered: Answer) -> str:
    if "fluid" in answered.message:
        return (
            "Fluid's webhook takes some seconds after its pod started until the API server reaches it: try again; "
            f"if it stays so: {asked.kubectl} -n fluid-system rollout restart deployment fluid-webhook"
        )
    return f"See which webhooks there are: {asked.kubectl} get mutatingwebhookconfigurations"
