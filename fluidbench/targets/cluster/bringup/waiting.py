"""Waiting for the cluster, with an eye on the pods: what can never become well is told within seconds."""

import time
from collections.abc import Callable, Generator, Sequence
from typing import Any, TypeVar

from fluidbench.errors import FluidbenchError, WaitTimeout
from fluidbench.kube import EVENT, POD
from fluidbench.targets.cluster import diagnose
from fluidbench.targets.cluster.bringup.events import Event, Waiting
from fluidbench.targets.cluster.bringup.site import Site
from fluidbench.targets.cluster.diagnose.reading import age_s, event_last

T = TypeVar("T")
LOOK_EVERY_S = 0.5
RECENT_S = 120.0


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
    trouble: Callable[[], FluidbenchError | None] = lambda: None,
    hint: str = "",
) -> Generator[Event, None, T]:
    """Asks `probe` until it returns something other than None.

    `pods` are namespaces and label selectors: whose pods have to become well for it. What stands in their way, or what
    `trouble` finds, is raised.
    """
    deadline = site.clock() + timeout_s
    while (value := probe()) is None:
        for namespace, labels in pods:
            look(site, namespace, labels)
        if problem := trouble():
            raise problem
        shown = what if isinstance(what, str) else what()
        if site.clock() >= deadline:
            raise WaitTimeout(f"{stage}: {shown}: not so after {timeout_s:g} s", hint or _look_yourself(site, pods))
        yield from pause(site, stage, shown, LOOK_EVERY_S)
    return value


def finished(work: Generator[Event, None, T]) -> T:
    """Waits in the foreground, and tells nobody."""
    while True:
        try:
            next(work)
        except StopIteration as stop:
            result: T = stop.value
            return result
        time.sleep(LOOK_EVERY_S / 5)


def look(site: Site, namespace: str, labels: str = "") -> None:
    """Raises what keeps the pods from ever becoming well; nothing while they may."""
    pods = site.kube.list(POD, namespace, labels=labels)
    if problem := diagnose.stuck(pods, recent_events(site, namespace)):
        raise problem


def recent_events(site: Site, namespace: str) -> list[dict[str, Any]]:
    """The events of the last minutes: older ones are of an earlier attempt."""
    return [event for event in site.kube.list(EVENT, namespace) if age_s(event_last(event), None) < RECENT_S]


def _look_yourself(site: Site, pods: Sequence[tuple[str, str]]) -> str:
    where = pods[0][0] if pods else site.options.namespace
    return f"Look at the pods: {site.kube.kubectl} -n {where} get pods,events"
