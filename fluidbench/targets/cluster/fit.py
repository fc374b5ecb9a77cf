"""What stands against running a plan on the cluster: the store, a worker's quota, the memory of the nodes."""

from fluidbench import text
from fluidbench.errors import DoesNotFit, FluidbenchError, UsageProblem
from fluidbench.machine.memory import allowance
from fluidbench.plan import VINEYARD_STORES, Plan
from fluidbench.render import PipelineOptions
from fluidbench.stores import STORES
from fluidbench.stores.s3_object import S3Store
from fluidbench.targets.cluster.bringup.options import bytes_of
from fluidbench.targets.cluster.ready import ReadyCluster

# what a worker needs beside the objects: metadata, alignment, and room that is too scattered to be used
QUOTA_HEADROOM = 1.05


def problems(cluster: ReadyCluster, plan: Plan, options: PipelineOptions) -> list[FluidbenchError]:
    """All that stands against it, told before anything is submitted."""
    if unusable := _store(plan):
        return [unusable]
    return [found for found in (_quota(cluster, plan), _memory(cluster, plan, options)) if found is not None]


def _store(plan: Plan) -> FluidbenchError | None:
    if plan.store not in STORES:
        return UsageProblem(
            f"the store {plan.store} is not in the step image",
            "On a cluster use one of FluidBench's own; yours: --target local.",
        )
    if plan.store == "tmpfs":
        return UsageProblem(
            "the store tmpfs is for one machine: a pod's /dev/shm is its own, and the next step's pod cannot see it",
            "Use another store, or --target local.",
        )
    if plan.store == "s3":
        try:
            S3Store.directory(plan.s3_url)
        except UsageProblem as problem:
            return problem
    return None


def _quota(cluster: ReadyCluster, plan: Plan) -> FluidbenchError | None:
    quota = cluster.current.quota_bytes
    needed = int(plan.exchange_bytes * QUOTA_HEADROOM)
    if plan.store not in VINEYARD_STORES or quota is None or needed <= quota:
        return None
    return DoesNotFit(
        f"multiplier {plan.multiplier} puts {text.size(needed)} into one Vineyard worker, "
        f"whose quota is {text.size(quota)}",
        f"The largest multiplier that fits is {int(plan.multiplier * quota / needed)}; or enlarge the quota: "
        f"fluidbench up --multiplier {plan.multiplier}",
    )


def _memory(cluster: ReadyCluster, plan: Plan, options: PipelineOptions) -> FluidbenchError | None:
    """A step's memory against what its node has left. Every node of kind shows all of the host's memory as its own,
    so that there the host is asked as well."""
    needed = bytes_of(options.resources["memory"])
    free = cluster.free_memory_bytes()
    if cluster.current.kind_cluster:
        free = min(free, allowance().available_bytes)
    if needed <= free:
        return None
    return DoesNotFit(
        f"a step of multiplier {plan.multiplier} needs {text.size(needed)} of memory, "
        f"its node has {text.size(free)} left",
        "Run a smaller --multiplier, or make room: a smaller --quota for `fluidbench up`, or larger nodes.",
    )
