"""Workflows and steps that ended badly: Argo's words made plain. Pure."""

import re
from collections.abc import Mapping

from fluidbench.errors import (
    DoesNotFit,
    ExternalFailure,
    FluidbenchError,
    ResultProblem,
    StepFailed,
    UsageProblem,
    WaitTimeout,
)
from fluidbench.targets.cluster.diagnose.reading import Object, container, first_sentence, resources_of

LOG_TAIL_LINES = 15


def failed_step(
    step: str, message: str, *, pod: Object | None = None, error: Mapping[str, object] | None = None, log: str = ""
) -> FluidbenchError:
    """The error of a step that Argo calls Failed or Error.

    `message` is that of its node, `error` what the step's own report says, `log` the end of the main container's.
    """
    for look in (_right, _webhook, _deadline):
        if problem := look(step, message):
            return problem
    return _memory(step, message, pod) or _own_error(step, message, error, log)


def _right(step: str, message: str) -> FluidbenchError | None:
    if "workflowtaskresults" not in message or "forbidden" not in message:
        return None
    return ExternalFailure(
        f"{step} itself ended well, but Argo could not store its result: its service account may not create "
        "workflowtaskresults",
        "The published rbac.yaml lacks this right, which Argo needs from 3.6 on. `fluidbench up` grants it; by hand: "
        "kubectl create role executor --verb=create,patch --resource=workflowtaskresults.argoproj.io, and bind it.",
    )


WEBHOOK_CAUSES = (
    (r"deadline exceeded|timeout", "it did not answer in time", "the API server still calls a pod that is gone"),
    (r"connection refused", "nothing listens there", "its pod has just started or is not running"),
    (r"x509|PEM", "its certificate is not trusted", "it is not in place yet, or a helm upgrade reset it"),
    (r"no endpoints|not found", "it is not there", "Fluid is not running, or was removed without its webhook"),
)  # fmt: skip


def _webhook(step: str, message: str) -> FluidbenchError | None:
    found = re.search(r'failed calling webhook "([^"]+)"', message)
    if not found:
        return None
    cause, why = next(
        ((cause, why) for pattern, cause, why in WEBHOOK_CAUSES if re.search(pattern, message)), ("it failed", "")
    )
    return ExternalFailure(
        f"{step}'s pod could not be made: the webhook {found[1]} stands before every such pod, and {cause}"
        + (f" ({why})" if why else ""),
        "Run it again in some seconds; `fluidbench up` waits until the webhook accepts several pods in a row. "
        "If it stays so: kubectl -n fluid-system rollout restart deployment fluid-webhook",
    )


def _deadline(step: str, message: str) -> FluidbenchError | None:
    if not re.search(
        r"longer than the specified deadline|exceeded its deadline|deadline ?exceeded|max duration limit", message, re.I
    ):
        return None
    return WaitTimeout(
        f"{step} did not end within the time that it was given (Argo: {first_sentence(message)})",
        "Give it more with --step-timeout; if it never started, its pod's events say why.",
    )


def _memory(step: str, message: str, pod: Object | None) -> FluidbenchError | None:
    ended = (container(pod, "main").get("state") or {}).get("terminated") or {} if pod else {}
    if "OOMKilled" not in message and ended.get("reason") != "OOMKilled":
        if pod and (pod.get("status") or {}).get("reason") == "Evicted":
            said = first_sentence((pod["status"] or {}).get("message", ""))
            return DoesNotFit(f"{step} was evicted from its node: {said}", "Free memory or disk on the node.")
        return None
    limit = resources_of(pod).get("limits.memory")
    return StepFailed(
        f"{step} was killed for lack of memory (OOMKilled)" + (f"; its limit was {limit}" if limit else ""),
        "Run a smaller --multiplier; the memory limit is what the step was measured to need, and a tenth more.",
    )


OWN_HINTS = (
    (
        r"NotEnoughMemory|Failed to allocate memory",
        "Vineyard's worker is full: objects of earlier runs fill it (fluidbench status shows how full it is), or the "
        "quota is too small for this --multiplier.",
    ),
    (
        r"Select call timeout|ObjectNotExists|MetaTreeInvalid",
        "Vineyard no longer holds what an earlier step put there: a worker that restarts loses its data, and one that "
        "is full hands it to another node. fluidbench status shows the workers.",
    ),
    (
        r"AlteredDatasetError",
        "The next run looks at it anew: one that is missing is made again, one that was altered is to be removed from "
        "the data volume first.",
    ),
    (r"Permission denied|EACCES", "The data directory must be writable for the container's user (uid 10001)."),
    (r"No space left|ENOSPC", "The volume at /data is full: free some space."),
    (r"FileNotFoundError|ENOENT", "A file is missing under /data: is the host's data directory mounted on every node?"),
)  # fmt: skip


def _own_error(step: str, message: str, error: Mapping[str, object] | None, log: str) -> FluidbenchError:
    own = f"{error.get('type')}: {error.get('message')}" if error else ""
    # Argo's executor writes its own lines into the same log
    lines = [line for line in log.splitlines() if not re.search(r"^time=.* argo=true", line)]
    tail = "\n".join(lines[-LOG_TAIL_LINES:])
    hint = next((hint for pattern, hint in OWN_HINTS if re.search(pattern, f"{own}\n{tail}")), "")
    said = own or without_container(message) or "Argo gives no reason"
    kind = ResultProblem if "AlteredDatasetError" in own else StepFailed
    return kind(f"{step} failed: {first_sentence(said)}" + (f"\n{tail}" if tail else ""), hint)


def without_container(message: str) -> str:
    """Argo's message as versions before 3.7 gave it: "main: Error (exit code 1)" and "Error (exit code 1)" are one."""
    return message.removeprefix("main: ")


def failed_workflow(message: str, name: str) -> FluidbenchError:
    """The error of a Workflow that failed as a whole, before any step."""
    said = message.removeprefix("invalid spec: ")
    if found := re.search(r"spec\.arguments\.(\S+?)\.value or .* is required", message):
        return UsageProblem(
            f"the Workflow {name} needs a value for its parameter {found[1]}",
            f"Submit it with one: argo submit -p {found[1]}=VALUE; those that `fluidbench render` prints have one.",
        )
    if said != message:
        return UsageProblem(
            f"Argo does not accept the Workflow {name}: {first_sentence(said)}",
            "Argo checks a Workflow only after it was made; `argo lint FILE` checks it before.",
        )
    return ExternalFailure(
        f"the Workflow {name} failed: {first_sentence(message) or 'Argo gives no reason'}", f"See: argo get {name}"
    )
