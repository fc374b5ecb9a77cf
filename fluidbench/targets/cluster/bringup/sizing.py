"""How much shared memory the workers of Vineyard may take. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from fluidbench import text
from fluidbench.errors import DoesNotFit, UsageProblem
from fluidbench.plan import COSTLIEST, PUBLISHED, dataset_bytes, exchange_bytes
from fluidbench.targets.cluster.bringup.options import PUBLISHED_QUOTA_BYTES, quantity_of

# what Fluid adds to a worker's quota for its request and limit
WORKER_OVERHEAD_BYTES = 500 << 20
# control plane, nodes, Fluid and Argo, as seen with a few nodes
CLUSTER_BYTES = 1 << 30
NODE_BYTES = 250 << 20
STEP = 256 << 20
SMALLEST_QUOTA_BYTES = 512 << 20
DEFAULT_MULTIPLIER = 100
# a reader on another worker's node copies into its own worker, and allocation needs some room around the objects
QUOTA_HEADROOM = 1.15


@dataclass(frozen=True)
class Host:
    """A machine that holds all nodes of a kind cluster; every node believes that all of its memory is its own."""

    available_bytes: int
    workers: int

    def room(self, replicas: int, multiplier: int) -> tuple[int, str]:
        """What each worker may hold beside the steps, and what bounds it."""
        steps = PUBLISHED.private_bytes(dataset_bytes(multiplier), COSTLIEST)
        free = self.available_bytes - CLUSTER_BYTES - self.workers * NODE_BYTES - steps
        return free // replicas - WORKER_OVERHEAD_BYTES, f"this host has {text.size(self.available_bytes)} available"


@dataclass(frozen=True)
class Nodes:
    """The nodes of a cluster of its own: what each of them can give to pods."""

    allocatable_bytes: Sequence[int]

    def room(self, replicas: int, multiplier: int) -> tuple[int, str]:
        if replicas > len(self.allocatable_bytes):
            raise UsageProblem(
                f"{replicas} workers of Vineyard need as many nodes, the cluster has {len(self.allocatable_bytes)}",
                f"Two cannot share a node: --replicas {len(self.allocatable_bytes)}",
            )
        smallest = sorted(self.allocatable_bytes, reverse=True)[replicas - 1]
        steps = PUBLISHED.private_bytes(dataset_bytes(multiplier), COSTLIEST)
        return smallest - WORKER_OVERHEAD_BYTES - steps, f"a node can give {text.size(smallest)} to pods"


def quota_for(multiplier: int) -> int:
    """The quota that holds one run's objects on one worker."""
    return -(-int(QUOTA_HEADROOM * exchange_bytes(multiplier)) // STEP) * STEP


def choose(place: Host | Nodes, replicas: int, asked: int | None, multiplier: int | None) -> tuple[int, str]:
    """The quota of a worker in bytes, and why it is what it is; raises DoesNotFit."""
    room, bound = place.room(replicas, multiplier or DEFAULT_MULTIPLIER)
    if asked is None and multiplier is None:
        return _published_or_largest(room, replicas, bound)
    wanted = asked if asked is not None else max(SMALLEST_QUOTA_BYTES, quota_for(multiplier or DEFAULT_MULTIPLIER))
    if multiplier and asked is not None and asked < exchange_bytes(multiplier):
        raise DoesNotFit(
            f"a quota of {quantity_of(asked)} does not hold the objects of multiplier {multiplier}, "
            f"{text.size(exchange_bytes(multiplier))}",
            f"Take --quota {quantity_of(quota_for(multiplier))}, or a smaller --multiplier.",
        )
    if wanted > room:
        raise DoesNotFit(
            f"{replicas} workers with {quantity_of(wanted)} each, beside the steps of multiplier "
            f"{multiplier or DEFAULT_MULTIPLIER}, do not fit: {bound}",
            _smaller(room, replicas),
        )
    why = "as asked" if asked is not None else f"for multiplier {multiplier}"
    return wanted, f"{replicas} x {quantity_of(wanted)}, {why}"


def _published_or_largest(room: int, replicas: int, bound: str) -> tuple[int, str]:
    if room >= PUBLISHED_QUOTA_BYTES:
        return PUBLISHED_QUOTA_BYTES, f"{replicas} x {quantity_of(PUBLISHED_QUOTA_BYTES)}, as published"
    largest = room // STEP * STEP
    if largest < SMALLEST_QUOTA_BYTES:
        raise DoesNotFit(f"{replicas} workers of Vineyard do not fit: {bound}", _smaller(room, replicas))
    published = quantity_of(PUBLISHED_QUOTA_BYTES)
    return largest, f"{replicas} x {quantity_of(largest)}, the largest that is safe ({bound}; published: {published})"


def _smaller(room: int, replicas: int) -> str:
    largest = room // STEP * STEP
    if largest >= STEP:
        return f"The largest quota that fits is --quota {quantity_of(largest)}."
    return "Free some memory" + (", or take --replicas 1." if replicas > 1 else ".")
