"""What a run needs of memory and disk: one model for every step, store, pipeline and target."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

from fluidbench.plan import Plan
from fluidbench.stores import medium, open_store
from fluidbench.stores.base import Medium

# the model, logs and reports
DISK_RESERVE_BYTES = 50_000_000


@dataclass(frozen=True)
class Needs:
    """Bytes: the private memory of the largest step, what the store shares, and the disk for dataset and tables."""

    private_bytes: int
    shared_bytes: int
    disk_bytes: int


def needs(plan: Plan) -> Needs:
    """What the plan needs, with a dataset that is not made yet."""
    takes = open_store(plan.store).footprint(plan.exchange_bytes)
    if plan.storage and medium(plan.store) is Medium.FILES:
        # what is read through a limit is not mapped
        takes = dataclasses.replace(takes, zero_copy=False)
    disk = plan.dataset_bytes + takes.disk_bytes + DISK_RESERVE_BYTES
    return Needs(plan.private_bytes(takes), takes.shared_bytes, disk)


def largest_multiplier(plan: Plan, fits: Callable[[Plan], bool]) -> int:
    """The largest multiplier with which the plan fits; 0 where none does."""

    def fitting(multiplier: int) -> bool:
        return fits(dataclasses.replace(plan, multiplier=multiplier))

    # what a run needs is a straight line; the search does without knowing its slope
    low, high = 0, 1
    while fitting(high):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fitting(middle) else (low, middle)
    return low
