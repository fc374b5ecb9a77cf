"""Where a plan runs."""

from collections.abc import Callable

from fluidbench.errors import UsageProblem
from fluidbench.targets.base import Target
from fluidbench.targets.cluster import current
from fluidbench.targets.cluster.target import ClusterTarget
from fluidbench.targets.local import LocalTarget

TARGETS: dict[str, Callable[[], Target]] = {"local": LocalTarget, "cluster": ClusterTarget}


def open_target(name: str | None) -> Target:
    """The target called `name`; without a name the cluster that `up` made current, else this machine.

    Raises UsageProblem where there is no such target.
    """
    wanted = name or ("cluster" if current.load() else "local")
    if wanted not in TARGETS:
        raise UsageProblem(f"there is no target {wanted!r}", f"Known are: {', '.join(TARGETS)}.")
    return TARGETS[wanted]()
