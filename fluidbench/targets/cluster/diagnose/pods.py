"""Pods that do not start: why, and what to do about it. Pure.

What cannot become well by itself is told at once; what often does (a volume that is being mounted, a node that is
filling up or emptying) only after some seconds, so that `now` matters: times are those of the cluster.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from fluidbench.errors import DoesNotFit, ExternalFailure, FluidbenchError
from fluidbench.targets.cluster.diagnose.reading import (
    Object,
    age_s,
    condition,
    container_statuses,
    described,
    event_count,
    event_first,
    events_of,
    first_sentence,
    named,
)  # fmt: skip

# a scheduler that found no place tries again as soon as anything changes
UNSCHEDULABLE_AFTER_S = 15.0
# the kubelet repeats a mount after 0.5, 1, 2, 4, 8 s; Fluid's fuse needs about 5 s on a node that never had it
MOUNT_AFTER_S, MOUNT_TRIES = 20.0, 4
CLAIM_AFTER_S = 30.0
RESTARTS = 2
IMAGE_REASONS = frozenset({"ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "RegistryUnavailable"})
CONFIG_REASONS = frozenset({"CreateContainerConfigError", "CreateContainerError", "RunContainerError", "StartError"})
# of kubelets whose caches are not there yet: gone with the next attempt
PASSING = ("failed to sync configmap cache", "failed to sync secret cache")


def stuck(pods: Iterable[Object], events: Iterable[Object] = (), now: datetime | None = None) -> FluidbenchError | None:
    """The first reason for which one of the pods will not start; None while all of them may."""
    events = list(events)
    for pod in pods:
        if (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed"):
            continue
        for look in (_containers, _unscheduled):
            if problem := look(pod, now):
                return problem
        if problem := _from_events(pod, events_of(pod, events), now):
            return problem
    return _never_created(events)


def _containers(pod: Object, _: datetime | None) -> FluidbenchError | None:
    for status in container_statuses(pod):
        waiting = (status.get("state") or {}).get("waiting") or {}
        reason, message = waiting.get("reason", ""), waiting.get("message", "")
        if reason in IMAGE_REASONS:
            return _image(pod, status, message)
        if reason == "CrashLoopBackOff" and status.get("restartCount", 0) >= RESTARTS:
            return _crashes(pod, status)
        if reason in CONFIG_REASONS:
            return ExternalFailure(
                f"{named(pod)}: the container {status['name']} cannot be made: {first_sentence(message or reason)}",
                f"See: {described(pod)}",
            )
    return None


IMAGE_HINTS = (
    (r"not found|manifest unknown|does not exist", "the registry has no such image: check its name and tag"),
    (
        r"unauthorized|denied|forbidden|401|403",
        "the registry wants a login: give the service account an image pull secret, or load the image into the nodes",
    ),
    (r"toomanyrequests|rate limit", "the registry limits how often one may pull: wait, or log in, or use a mirror"),
    (r"x509|certificate", "the node does not trust the registry's certificate"),
    (
        r"no such host|timeout|refused|no route|unreachable|EOF",
        "the node cannot reach the registry: load the image into the nodes (kind load docker-image {image} -n "
        "CLUSTER), or name a mirror with --image-prefix",
    ),
)


def _image(pod: Object, status: Object, message: str) -> FluidbenchError:
    image = status.get("image") or "its image"
    cause = message.rpartition('": ')[2] or message
    fix = next((hint for pattern, hint in IMAGE_HINTS if re.search(pattern, message, re.IGNORECASE)), "")
    on = f" on {pod['spec']['nodeName']}" if (pod.get("spec") or {}).get("nodeName") else ""
    return ExternalFailure(
        f"{named(pod)}: the image {image} cannot be pulled{on}: {first_sentence(cause) or 'no reason given'}",
        (fix[:1].upper() + fix[1:]).format(image=image) + "." if fix else f"See: {described(pod)}",
    )


def _crashes(pod: Object, status: Object) -> FluidbenchError:
    last = (status.get("lastState") or {}).get("terminated") or {}
    how = f"exit code {last['exitCode']}" if "exitCode" in last else "it does not say how"
    namespace, name = pod["metadata"].get("namespace", "default"), pod["metadata"]["name"]
    logs = f"kubectl -n {namespace} logs {name} -c {status['name']} --previous"
    message = f"{named(pod)}: the container {status['name']} crashed {status['restartCount']} times"
    if last.get("reason") == "OOMKilled":
        return DoesNotFit(f"{message}: it was killed for lack of memory", f"Give it a higher memory limit. See: {logs}")
    labels = pod["metadata"].get("labels") or {}
    if labels.get("role") == "vineyard-worker":
        # two workers on one node share the socket's path, and the second one dies of it
        return ExternalFailure(
            f"{message} ({how}); two Vineyard workers on one node do that",
            f"Use the host network (the default), or one worker a node. See: {logs}",
        )
    return ExternalFailure(f"{message} ({how})", f"See why: {logs}")


def _unscheduled(pod: Object, now: datetime | None) -> FluidbenchError | None:
    scheduled = condition(pod, "PodScheduled")
    if scheduled.get("status") != "False" or scheduled.get("reason") != "Unschedulable":
        return None
    since = scheduled.get("lastTransitionTime") or pod["metadata"].get("creationTimestamp")
    if age_s(since, now) < UNSCHEDULABLE_AFTER_S:
        return None
    message = scheduled.get("message", "")
    said = first_sentence(re.split(r" no new claims| preemption:", message)[0].removesuffix(" not found"))
    for pattern, kind, fix in UNSCHEDULABLE_HINTS:
        if found := re.search(pattern, message):
            hint = fix.format(*found.groups(), namespace=pod["metadata"].get("namespace", "default"))
            return kind(f"{named(pod)} finds no node: {said}", hint)
    return ExternalFailure(f"{named(pod)} finds no node: {said}", f"See: {described(pod)}")


Kind = Callable[[str, str], FluidbenchError]
UNSCHEDULABLE_HINTS: Sequence[tuple[str, Kind, str]] = (
    (
        r'persistentvolumeclaim "([^"]+)" not found', ExternalFailure,
        "There is no PersistentVolumeClaim {0} in namespace {namespace}; `fluidbench up` makes it (Vineyard's comes "
        "with its Dataset being Bound).",
    ),
    (
        r"unbound immediate PersistentVolumeClaims", ExternalFailure,
        "A claim of the pod is bound to no volume: kubectl -n {namespace} get pvc; its storage class must provision "
        "one, or a PersistentVolume of its class and size must exist.",
    ),
    (
        r"Insufficient (memory|cpu|ephemeral-storage)", DoesNotFit,
        "The nodes have not enough {0} left: lower the requests, the quota or the replicas, or free a node; what is "
        "taken: kubectl describe nodes",
    ),
    (
        r"didn't have free ports", ExternalFailure,
        "Vineyard's workers take the same port of the host, so there is room for one a node: use no more --replicas "
        "than there are nodes to run on.",
    ),
    (
        r"volume node affinity conflict", ExternalFailure,
        "Its volume is on a node on which the pod may not run: place both on the same one.",
    ),
    (
        r"node affinity/selector", ExternalFailure,
        "No node has the labels that the pod asks for (a node's name, or fluid.io/s-NAMESPACE-NAME of a Vineyard "
        "worker): kubectl get nodes --show-labels",
    ),
    (
        r"disk-pressure|memory-pressure", DoesNotFit,
        "The nodes are short of disk or memory: free some (docker system prune), then wait a minute.",
    ),
    (r"untolerated taint", ExternalFailure, "All nodes are tainted or not ready yet: kubectl describe nodes"),
)  # fmt: skip


def _from_events(pod: Object, events: Sequence[Object], now: datetime | None) -> FluidbenchError | None:
    if any(status.get("started") or (status.get("state") or {}).get("running") for status in container_statuses(pod)):
        return None  # what was in its way is over
    for event in events:
        message = event.get("message", "")
        lasting = event_count(event) >= MOUNT_TRIES or age_s(event_first(event), now) >= MOUNT_AFTER_S
        if not lasting or any(passing in message for passing in PASSING):
            continue
        if event.get("reason") in ("FailedMount", "FailedAttachVolume"):
            return _mount(pod, message)
        if event.get("reason") == "FailedCreatePodSandBox":
            return ExternalFailure(
                f"{named(pod)}: its sandbox cannot be made: {first_sentence(message)}",
                "The node's network plugin or container runtime is not well; see: kubectl -n kube-system get pods",
            )
    return None


MOUNT_HINTS = (
    (
        r"not found in the list of registered CSI drivers",
        "Fluid's CSI plugin is not running on that node: kubectl -n fluid-system get pods -l app=csi-nodeplugin-fluid "
        "-o wide",
    ),
    (
        r"FUSE mount point|fuse\.csi\.fluid\.io|check_mount",
        "Fluid's fuse pod on that node does not come up: kubectl get pods -A -l role=vineyard-fuse -o wide; its image "
        "must be on the node, and a name and namespace of more than 63 characters together break it.",
    ),
    (
        r"hostPath type check failed: (\S+)",
        "There is no such directory on the node. On kind it must have been mounted when the cluster was made "
        "(extraMounts): fluidbench down, then fluidbench up with the right --data-dir.",
    ),
    (
        r"mount\.nfs|nfs",
        "The node cannot mount the NFS share: check --nfs SERVER:/PATH and its exports; the node needs an NFS client.",
    ),
    (r'(configmap|secret) "[^"]+" not found', "What the pod mounts is not there: `fluidbench up` makes it."),
)


def _mount(pod: Object, message: str) -> FluidbenchError:
    fix = next((hint for pattern, hint in MOUNT_HINTS if re.search(pattern, message)), f"See: {described(pod)}")
    return ExternalFailure(f"{named(pod)}: a volume cannot be mounted: {first_sentence(message)}", fix)


def _never_created(events: Iterable[Object]) -> FluidbenchError | None:
    """Pods that a Job, a DaemonSet or a StatefulSet could not even create."""
    for event in events:
        if event.get("reason") == "FailedCreate" and event_count(event) >= MOUNT_TRIES:
            involved = event.get("involvedObject") or {}
            owner = {"kind": involved.get("kind", "Job"), "metadata": {"name": "?", **involved}}
            return ExternalFailure(
                f"{named(owner)} cannot make its pods: {first_sentence(event.get('message', ''))}",
                f"See: {described(owner)}",
            )
    return None


def unbound(claim: Object, events: Iterable[Object] = (), now: datetime | None = None) -> FluidbenchError | None:
    """Why a PersistentVolumeClaim is not bound; None while it is, or still may be."""
    if (claim.get("status") or {}).get("phase") == "Bound":
        return None
    if (claim.get("status") or {}).get("phase") == "Lost":
        return ExternalFailure(f"{named(claim)} lost its volume", "Delete the claim, and run `fluidbench up` again.")
    if age_s(claim["metadata"].get("creationTimestamp"), now) < CLAIM_AFTER_S:
        return None
    told = [event["message"] for event in events_of(claim, events) if event.get("type") == "Warning"]
    wanted = (claim.get("spec") or {}).get("storageClassName")
    return ExternalFailure(
        f"{named(claim)} is not bound to a volume after {CLAIM_AFTER_S:g} s"
        + (f": {first_sentence(told[-1])}" if told else ""),
        f"Make a PersistentVolume of storage class {wanted!r} that is large enough, with its access mode, and not "
        "claimed by another (kubectl get pv), or name a class that provisions volumes."
        if wanted
        else f"See: {described(claim)}",
    )
