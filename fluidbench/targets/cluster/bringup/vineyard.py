"""Stage 6: VineyardRuntime and Dataset, until every worker is up, and proved from a pod on each worker's node."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fluidbench import text
from fluidbench.errors import ExternalFailure, FluidbenchError, UsageProblem
from fluidbench.kube import DATASET, POD, PVC, VINEYARD_RUNTIME, Kube
from fluidbench.render import round_trip_pod, vineyard
from fluidbench.targets.cluster.bringup import sizing, waiting
from fluidbench.targets.cluster.bringup.check import host_memory
from fluidbench.targets.cluster.bringup.events import Event
from fluidbench.targets.cluster.bringup.kind_cluster import workers_of
from fluidbench.targets.cluster.bringup.objects import OURS, Object, leaving, name_of, ours, status_of
from fluidbench.targets.cluster.bringup.options import DEFAULT_REPLICAS, RUNTIME, bytes_of, quantity_of
from fluidbench.targets.cluster.bringup.site import Site, tell
from fluidbench.targets.cluster.bringup.stages import Manifest, Planned, Work
from fluidbench.targets.cluster.diagnose import deletion_blocked, vineyard_stuck
from fluidbench.tools import docker

NAME = "Vineyard"
ROUND_TRIP = "round trip"
READY_TIMEOUT_S = 600.0
GONE_TIMEOUT_S = 180.0
ROUND_TRIP_TIMEOUT_S = 300.0


@dataclass(frozen=True)
class Seen:
    """The Dataset, its runtime and its claim, as they stand."""

    dataset: Object | None
    runtime: Object | None
    claim: Object | None

    @property
    def phase(self) -> str:
        return status_of(self.dataset).get("phase") or ("none" if self.dataset is None else "not looked at yet")

    @property
    def replicas(self) -> int:
        return int((self.runtime or {}).get("spec", {}).get("replicas") or 0)

    @property
    def quota_bytes(self) -> int | None:
        levels = ((self.runtime or {}).get("spec", {}).get("tieredstore") or {}).get("levels") or []
        return bytes_of(levels[0]["quota"]) if levels and levels[0].get("quota") else None

    @property
    def workers_ready(self) -> int:
        return int(status_of(self.runtime).get("workerNumberReady") or 0)

    @property
    def whole(self) -> bool:
        """Bound alone says little: Fluid says so when the first worker is up."""
        return (
            self.phase == "Bound" and not leaving(self.dataset) and not leaving(self.runtime)
            and status_of(self.runtime).get("workerPhase") == "Ready" and self.workers_ready >= self.replicas > 0
            and status_of(self.claim).get("phase") == "Bound"
        )  # fmt: skip

    @property
    def words(self) -> str:
        status = status_of(self.runtime)
        return (
            f"Dataset {self.phase}, master {status.get('masterPhase') or 'not there'}, "
            f"{self.workers_ready} of {self.replicas} workers, "
            f"claim {status_of(self.claim).get('phase') or 'not there'}"
        )


def see(kube: Kube, namespace: str, name: str = RUNTIME) -> Seen:
    return Seen(
        kube.get(DATASET, name, namespace), kube.get(VINEYARD_RUNTIME, name, namespace), kube.get(PVC, name, namespace)
    )


def worker_pods(kube: Kube, namespace: str, name: str = RUNTIME) -> list[Object]:
    return kube.list(POD, namespace, labels=f"release={name},role=vineyard-worker")


class Vineyard:
    """Sized for what the host allows, made, and waited for; one of another size is made anew."""

    name = NAME
    needs: tuple[str, ...] = ("Fluid", "access and volume")

    def __init__(self, site: Site) -> None:
        self._site = site

    def found(self) -> str | None:
        seen = self._see()
        if not seen.whole or self._differs(seen):
            return None
        self._note(seen)
        return seen.words

    def planned(self) -> Iterator[Planned]:
        options = self._site.options
        quota = options.quota_bytes or (sizing.quota_for(options.multiplier) if options.multiplier else None)
        shown = quantity_of(quota) if quota else "20Gi"
        if quota is None:
            yield "a quota of 20Gi as published where the memory allows it, else the largest that is safe"
        for manifest in vineyard(options.namespace, RUNTIME, options.replicas or DEFAULT_REPLICAS, shown):
            yield Manifest(manifest)

    def run(self) -> Work:
        site, seen = self._site, self._see()
        if self._differs(seen) or leaving(seen.dataset) or leaving(seen.runtime):
            yield from self._remove(seen)
            seen = self._see()
        if seen.dataset is None or seen.runtime is None:
            replicas = site.options.replicas or seen.replicas or DEFAULT_REPLICAS
            quota, why = self._size(replicas)
            yield tell(NAME, why)
            for manifest in vineyard(site.options.namespace, RUNTIME, replicas, quantity_of(quota)):
                site.kube.apply(manifest)
        seen = yield from waiting.until(
            site, NAME, self._whole, what=lambda: self._see().words, timeout_s=READY_TIMEOUT_S, trouble=self._trouble,
            hint=f"Look at it: {site.kube.kubectl} -n {site.options.namespace} describe dataset,vineyardruntime",
        )  # fmt: skip
        self._note(seen)
        return seen.words

    def _see(self) -> Seen:
        return see(self._site.kube, self._site.options.namespace)

    def _whole(self) -> Seen | None:
        seen = self._see()
        return seen if seen.whole else None

    def _trouble(self) -> FluidbenchError | None:
        site, seen = self._site, self._see()
        namespace = site.options.namespace
        pods = site.kube.list(POD, namespace, labels=f"release={RUNTIME}")
        return vineyard_stuck(seen.dataset, seen.runtime, pods, waiting.recent_events(site, namespace))

    def _differs(self, seen: Seen) -> bool:
        """Whether the runtime that is there is not the one that was asked for; what was not said fits any."""
        options = self._site.options
        if seen.runtime is None:
            return False
        asked = options.quota_bytes or (sizing.quota_for(options.multiplier) if options.multiplier else None)
        other_replicas = options.replicas not in (None, seen.replicas)
        too_small = asked is not None and (seen.quota_bytes or 0) < quota_of_bytes(asked)
        other_quota = options.quota_bytes is not None and seen.quota_bytes != quota_of_bytes(options.quota_bytes)
        return other_replicas or too_small or other_quota

    def _size(self, replicas: int) -> tuple[int, str]:
        options = self._site.options
        nodes = workers_of(self._site)
        place: sizing.Host | sizing.Nodes = sizing.Nodes(list(nodes.values()))
        place.room(replicas, 1)
        if self._site.current.kind_cluster:  # its nodes share one host's memory
            place = sizing.Host(host_memory(docker.daemon()), len(nodes))
        return sizing.choose(place, replicas, options.quota_bytes, options.multiplier)

    def _remove(self, seen: Seen) -> Iterator[Event]:
        site = self._site
        if seen.runtime and not ours(seen.runtime):
            raise UsageProblem(
                f"there is a VineyardRuntime {RUNTIME} of another size in {site.options.namespace}, and it is not ours",
                "Take another --namespace, or leave --replicas, --quota and --multiplier out to use it.",
            )
        yield tell(NAME, f"the runtime that is there ({seen.words}) is removed, and made as it was asked for")
        yield from removed(site, NAME, site.options.namespace)

    def _note(self, seen: Seen) -> None:
        self._site.remember(runtime=RUNTIME, replicas=seen.replicas, quota_bytes=seen.quota_bytes)


class RoundTrip:
    """A put and a get from a pod on each worker's node. It warms the fuse pods, a cost of the first run otherwise."""

    name = ROUND_TRIP
    needs: tuple[str, ...] = ("Vineyard", "step image in the nodes")

    def __init__(self, site: Site) -> None:
        self._site = site

    def found(self) -> str | None:
        """Proved is what was proved with these very workers; one that started again has another id."""
        proved = tuple(sorted(self._workers()))
        return f"proved before on {len(proved)} nodes" if proved and proved == self._site.current.proved else None

    def planned(self) -> Iterator[Planned]:
        options, image = self._site.options, self._site.current.step_image or "STEP_IMAGE"
        yield "on the node of each worker:"
        yield Manifest(round_trip_pod(options.namespace, "NODE", image, RUNTIME))

    def run(self) -> Work:
        site, workers = self._site, self._workers()
        pods = [self._pod(node) for node in sorted(set(workers.values()))]
        try:
            for pod in pods:
                site.kube.delete(POD, name_of(pod), site.options.namespace)
            yield from self._gone(pods)
            for pod in pods:
                site.kube.create(pod)
            told = []
            for pod in pods:
                told.append((yield from ended(site, ROUND_TRIP, pod, ROUND_TRIP_TIMEOUT_S)))
        finally:
            for pod in pods:
                site.kube.delete(POD, name_of(pod), site.options.namespace)
        site.remember(proved=tuple(sorted(workers)))
        slowest = max(float(entry["round_trip"]["round_trip_s"]) for entry in told)
        return f"put and get on {len(pods)} nodes in {text.seconds(slowest)}; the fuse pods are warm (a one-off cost)"

    def _workers(self) -> dict[str, str]:
        """The uid of each worker's pod, and its node."""
        pods = worker_pods(self._site.kube, self._site.options.namespace)
        return {pod["metadata"]["uid"]: pod["spec"].get("nodeName", "") for pod in pods}

    def _pod(self, node: str) -> Object:
        site = self._site
        return round_trip_pod(site.options.namespace, node, site.current.step_image, RUNTIME)

    def _gone(self, pods: list[Object]) -> Iterator[Event]:
        site = self._site
        names = {name_of(pod) for pod in pods}

        def none_left() -> bool | None:
            return not names & {name_of(pod) for pod in site.kube.list(POD, site.options.namespace)} or None

        yield from waiting.until(
            site, ROUND_TRIP, none_left, what="pods of an earlier round trip to be gone", timeout_s=60
        )


def ended(site: Site, stage: str, pod: Object, timeout_s: float) -> Any:
    """Waits for a pod that prints one line of JSON at its end, and returns that; raises with its log when it failed."""
    namespace, name = pod["metadata"]["namespace"], name_of(pod)

    def phase() -> str | None:
        seen = status_of(site.kube.get(POD, name, namespace)).get("phase")
        return seen if seen in ("Succeeded", "Failed") else None

    reached = yield from waiting.until(
        site, stage, phase, what=f"{name} to end", timeout_s=timeout_s, pods=[(namespace, OURS)]
    )
    log = site.kube.logs(name, namespace).strip()
    if reached == "Failed":
        raise ExternalFailure(
            f"{name} failed: {log or 'it told nothing'}",
            f"See the workers' logs: {site.kube.kubectl} -n {namespace} logs -l role=vineyard-worker",
        )
    return json.loads(log.splitlines()[-1])


def removed(site: Site, stage: str, namespace: str) -> Iterator[Event]:
    """Removes Dataset and runtime: the Dataset first, the runtime follows it; the other way round strands both."""
    kube = site.kube
    kube.delete(DATASET, RUNTIME, namespace)

    def dataset_gone() -> bool | None:
        return None if kube.get(DATASET, RUNTIME, namespace) else True

    def held() -> FluidbenchError | None:
        dataset = kube.get(DATASET, RUNTIME, namespace)
        return deletion_blocked(dataset, waiting.recent_events(site, namespace)) if dataset else None

    yield from waiting.until(
        site, stage, dataset_gone, what="the Dataset to be gone", timeout_s=GONE_TIMEOUT_S, trouble=held
    )
    kube.delete(VINEYARD_RUNTIME, RUNTIME, namespace)

    def all_gone() -> bool | None:
        return None if kube.get(VINEYARD_RUNTIME, RUNTIME, namespace) or worker_pods(kube, namespace) else True

    yield from waiting.until(
        site, stage, all_gone, what="the runtime and its workers to be gone", timeout_s=GONE_TIMEOUT_S
    )


def quota_of_bytes(asked: int) -> int:
    """The quota as it is written into the runtime, which knows whole Mi only."""
    return bytes_of(quantity_of(asked))
