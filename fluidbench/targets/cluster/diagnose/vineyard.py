"""Vineyard's Dataset and runtime: what is missing until they serve, and what will not come. Pure."""

import re
from collections.abc import Iterable
from datetime import datetime

from fluidbench.errors import DoesNotFit, ExternalFailure, FluidbenchError
from fluidbench.targets.cluster.diagnose.pods import stuck
from fluidbench.targets.cluster.diagnose.reading import (
    Object,
    described,
    event_last,
    events_of,
    first_sentence,
    named,
    parsed,
)


def vineyard_missing(dataset: Object | None, runtime: Object | None, claim: Object | None = None) -> str:
    """What Vineyard still lacks to be ready, in words; empty when it is.

    A Dataset is Bound as soon as one worker is ready, and the runtime's condition WorkersReady is True then too:
    neither says that all of them are. The fuse phase is always Ready, and is not looked at.
    """
    if not dataset or not runtime:
        return f"the {'VineyardRuntime' if dataset else 'Dataset'} is not there"
    if dataset["metadata"].get("deletionTimestamp"):
        return "the Dataset is being deleted"
    status, wanted = runtime.get("status") or {}, int(runtime["spec"].get("replicas") or 1)
    if status.get("masterPhase") != "Ready":
        return "the master is not ready"
    ready = int(status.get("workerNumberReady") or 0)
    if ready < wanted or status.get("workerPhase") != "Ready":
        return f"{ready} of {wanted} workers are ready"
    if (phase := (dataset.get("status") or {}).get("phase")) != "Bound":
        return f"the Dataset is {phase or 'without a phase'}"
    if claim is not None and (claim.get("status") or {}).get("phase") != "Bound":
        return "its PersistentVolumeClaim is not Bound"
    return ""


def vineyard_stuck(
    dataset: Object | None, runtime: Object | None, pods: Iterable[Object] = (), events: Iterable[Object] = (),
    now: datetime | None = None,
) -> FluidbenchError | None:  # fmt: skip
    """Why Vineyard will not become ready: its pods and events are given; None while it may."""
    if dataset and dataset["metadata"].get("deletionTimestamp"):
        return deletion_blocked(dataset, events)
    if dataset and (dataset.get("status") or {}).get("phase") == "Failed":
        return ExternalFailure(f"{named(dataset)} is Failed", f"See: {described(dataset)}")
    found = stuck(pods, events, now)
    if found is None or runtime is None:
        return found
    return _of_runtime(runtime, found)


def _of_runtime(runtime: Object, found: FluidbenchError) -> FluidbenchError:
    """The same, told of the runtime where its size is the reason."""
    quota, replicas = _quota(runtime), int(runtime["spec"].get("replicas") or 1)
    missing = vineyard_missing({"metadata": {}, "status": {"phase": "Bound"}}, runtime)
    before = f"{named(runtime)}: {missing or 'not ready'}"
    if isinstance(found, DoesNotFit):
        return DoesNotFit(
            f"{before}; {replicas} workers with a quota of {quota} each (and 500Mi more) do not fit: {found.message}",
            "Lower --quota or --replicas; a quota need only hold the tables of one run.",
        )
    return ExternalFailure(f"{before}: {found.message}", found.hint)


def _quota(runtime: Object) -> str:
    levels = (runtime["spec"].get("tieredstore") or {}).get("levels") or [{}]
    return str(levels[0].get("quota") or "?")


def deletion_blocked(dataset: Object, events: Iterable[Object] = ()) -> FluidbenchError | None:
    """Why a Dataset that is to be deleted stays: the pod that holds it. None when nothing says so."""
    if not dataset["metadata"].get("deletionTimestamp"):
        return None
    told = [event for event in events_of(dataset, events) if event.get("reason") == "ErrorDeleteDataset"]
    for event in sorted(told, key=lambda event: str(parsed(event_last(event))), reverse=True):
        if found := re.search(r"because Pod (\S+) in Namespace (\S+) is using it", event.get("message", "")):
            return ExternalFailure(
                f"{named(dataset)} cannot be deleted: the pod {found[2]}/{found[1]} uses it",
                f"End it first: kubectl -n {found[2]} delete pod {found[1]}",
            )
        return ExternalFailure(f"{named(dataset)} cannot be deleted: {first_sentence(event.get('message', ''))}")
    return None
