"""Waiting for the cluster, with an eye on the pods: what can never become well is told within seconds."""

from collections.abc import Callable, Generator, Sequence
from typing import TypeVar

from fluidbench.errors import WaitTimeout
from fluidbench.kube import EVENT, POD
from fluidbench.targets.cluster import diagnose
from fluidbench.targets.cluster.bringup.events import Event, Waiting
from fluidbench.targets.cluster.bringup.objects import status_of
from fluidbench.targets.cluster.bringup.site import Site

T = TypeVar("T")
LOOK_EVERY_S = 0.5


def pause(site: Site, stage: str, what: str, seconds: float) -> Generator[Event, None, None]:
    """Lets the other stages go on for a while."""
    until = site.clock() + seconds
    yield Waiting(stage, what)
    while site.clock() < until:
        yield Waiting(stage, what)


def until(
    site: Site,
    stage: str,
    probe: Callable[[], T | None],
    *,
    what: str | Callable[[], str],
    timeout_s: float,
    pods: Sequence[tuple[str, str]] = (),
    hint: str = "",
) -> Generator[Event, None, T]:
    """Asks `probe` until it returns something other than None.

    `pods` are namespaces and label selectors: whose pods have to become well for it. Raises what stands in their way.
    """
    deadline = site.clock() + timeout_s
    while (value := probe()) is None:
        for namespace, labels in pods:
            look(site, namespace, labels)
        shown = what if isinstance(what, str) else what()
        if site.clock() >= deadline:
            raise WaitTimeout(f"{stage}: {shown}: not so after {timeout_s:g} s", hint or _look_yourself(site, pods))
        yield from pause(site, stage, shown, LOOK_EVERY_S)
    return value


def look(site: Site, namespace: str, labels: str = "") -> None:
    """Raises what keeps the pods from ever becoming well; nothing while they may."""
    pods = site.kube.list(POD, namespace, labels=labels)
    if not pods or all(status_of(pod).get("phase") == "Succeeded" for pod in pods):
        return
    names = {pod["metadata"]["name"] for pod in pods}
    told = [
        event for event in site.kube.list(EVENT, namespace) if (event.get("involvedObject") or {}).get("name") in names
    ]
    if trouble := diagnose.stuck(pods, told):
        raise trouble


def _look_yourself(site: Site, pods: Sequence[tuple[str, str]]) -> str:
    where = pods[0][0] if pods else site.options.namespace
    return f"Look at the pods: {site.kube.kubectl} -n {where} get pods,events"
