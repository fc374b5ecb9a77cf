"""What stands against running a plan on the cluster: the store, a worker's quota, the memory of the nodes."""

import dataclasses
import shutil
from pathlib import Path

from fluidbench import text
from fluidbench.dataset import find
from fluidbench.errors import DoesNotFit, FluidbenchError, UsageProblem
from fluidbench.machine.memory import allowance
from fluidbench.needs import largest_multiplier, needs
from fluidbench.plan import Plan
from fluidbench.records import Finding
from fluidbench.render import PipelineOptions
from fluidbench.stores import STORES
from fluidbench.stores.s3_object import S3Store
from fluidbench.targets.cluster.bringup.options import bytes_of
from fluidbench.targets.cluster.ready import ReadyCluster

NO_BOUND = 1 << 62


def problems(cluster: ReadyCluster, plan: Plan, options: PipelineOptions) -> list[FluidbenchError]:
    """All that stands against it, told before anything is submitted."""
    if unusable := store_problem(plan.store, plan.s3_url):
        return [unusable]
    found = (_quota(cluster, plan), _memory(cluster, plan, options), _disk(cluster, plan))
    return [problem for problem in found if problem is not None]


def finding(cluster: ReadyCluster, plan: Plan, options: PipelineOptions) -> Finding:
    """Whether the plan fits, as `doctor` tells it, and the largest multiplier that does."""
    what = f"multiplier {plan.multiplier}, {plan.pipeline.name}, through {plan.store}"
    if found := problems(cluster, plan, options):
        return Finding("fit", found[0].message, good=False, fix=found[0].hint, exit_code=found[0].exit_code)
    quota = cluster.current.quota_bytes or NO_BOUND
    free = _free(cluster)
    largest = largest_multiplier(
        plan, lambda other: needs(other).shared_bytes <= quota and _asked(options, other) <= free
    )
    asked = f"memory {text.size(_asked(options, plan))} a step, {text.size(needs(plan).shared_bytes)} shared"
    return Finding(what, f"fits: {asked}; the largest that does, by memory: {largest}", good=True)


def store_problem(store: str, s3_url: str) -> FluidbenchError | None:
    """Why the store cannot be that of steps in containers; None where it can."""
    if store not in STORES:
        return UsageProblem(
            f"the store {store} is not in the step image",
            "On a cluster use one of FluidBench's own; yours: --target local.",
        )
    if store == "tmpfs":
        return UsageProblem(
            "the store tmpfs is for one machine: a pod's /dev/shm is its own, and the next step's pod cannot see it",
            "Use another store, or --target local.",
        )
    if store == "s3":
        try:
            S3Store.directory(s3_url)
        except UsageProblem as problem:
            return problem
    return None


def _quota(cluster: ReadyCluster, plan: Plan) -> FluidbenchError | None:
    quota = cluster.current.quota_bytes
    needed = needs(plan).shared_bytes
    if quota is None or needed <= quota:
        return None
    largest = largest_multiplier(plan, lambda other: needs(other).shared_bytes <= quota)
    return DoesNotFit(
        f"multiplier {plan.multiplier} puts {text.size(needed)} into one Vineyard worker, "
        f"whose quota is {text.size(quota)}",
        f"The largest multiplier that fits is {largest}; or enlarge the quota: "
        f"fluidbench up --multiplier {plan.multiplier}",
    )


def _memory(cluster: ReadyCluster, plan: Plan, options: PipelineOptions) -> FluidbenchError | None:
    """A step's memory against what its node has left. Every node of kind shows all of the host's memory as its own,
    so that there the host is asked as well."""
    needed, free = _asked(options, plan), _free(cluster)
    if needed <= free:
        return None
    largest = largest_multiplier(plan, lambda other: _asked(options, other) <= free)
    return DoesNotFit(
        f"a step of multiplier {plan.multiplier} needs {text.size(needed)} of memory, "
        f"its node has {text.size(free)} left",
        f"The largest multiplier that fits is {largest}; or make room: a smaller --quota for `fluidbench up`, or "
        "larger nodes.",
    )


def _asked(options: PipelineOptions, plan: Plan) -> int:
    """What each step of the plan asks of its node."""
    return bytes_of(dataclasses.replace(options, multiplier=plan.multiplier).resources["memory"])


def _free(cluster: ReadyCluster) -> int:
    free = cluster.free_memory_bytes()
    return min(free, allowance().available_bytes) if cluster.current.kind_cluster else free


def _disk(cluster: ReadyCluster, plan: Plan) -> FluidbenchError | None:
    """The directory of this host that kind's nodes mount. Of another cluster's volumes nobody tells what is free."""
    current = cluster.current
    directory = Path(current.data_dir)
    if not current.made_cluster or current.nfs or not directory.is_dir():
        return None
    room = shutil.disk_usage(directory).free
    made = find(directory, plan.multiplier)
    needed = needs(plan).disk_bytes - (made.file_bytes if made else 0)
    if needed <= room:
        return None
    largest = largest_multiplier(plan, lambda other: needs(other).disk_bytes <= room)
    return DoesNotFit(
        f"multiplier {plan.multiplier} through {plan.store} needs {text.size(needed)} in {directory}, "
        f"which has {text.size(room)} free",
        f"The largest multiplier that fits is {largest}; or free some space.",
    )
