"""Where a plan runs."""

from fluidbench.errors import UsageProblem
from fluidbench.targets.base import Target
from fluidbench.targets.local import LocalTarget

TARGETS = ("local",)


def open_target(name: str) -> Target:
    """The target called `name`; raises UsageProblem where there is none."""
    if name != "local":
        raise UsageProblem(f"there is no target {name!r}", f"Known are: {', '.join(TARGETS)}.")
    return LocalTarget()
