"""`fluidbench up`: the stages in their order, as a plan or as work."""

import dataclasses
from collections.abc import Iterator, Sequence

from fluidbench.errors import UsageProblem
from fluidbench.targets.cluster.bringup.access import Access
from fluidbench.targets.cluster.bringup.argo import Argo
from fluidbench.targets.cluster.bringup.check import Check
from fluidbench.targets.cluster.bringup.events import Event
from fluidbench.targets.cluster.bringup.fluid import Fluid
from fluidbench.targets.cluster.bringup.images import Images, StepImageInNodes
from fluidbench.targets.cluster.bringup.kind_cluster import ExistingCluster, KindCluster
from fluidbench.targets.cluster.bringup.options import UpOptions
from fluidbench.targets.cluster.bringup.site import Site
from fluidbench.targets.cluster.bringup.stages import Planned, Stage, run_all
from fluidbench.targets.cluster.bringup.step_image import StepImage
from fluidbench.targets.cluster.bringup.vineyard import RoundTrip, Vineyard


def stages(site: Site) -> list[Stage]:
    """What `up` does. Stages that do not need each other run side by side: the image and the nodes, Fluid and Argo."""
    cluster: Stage = KindCluster(site) if site.made_here else ExistingCluster(site)
    return [
        Check(site), cluster, StepImage(site), Images(site), Access(site), Fluid(site), Argo(site),
        StepImageInNodes(site), Vineyard(site), RoundTrip(site),
    ]  # fmt: skip


def bring_up(options: UpOptions) -> Iterator[Event]:
    """Brings the cluster up, and makes it the current one. What an earlier call has done is found, not done again."""
    check_options(options)
    site = Site(options)
    # not on disk: what fails before it has changed anything leaves the current cluster as it was
    site.current = dataclasses.replace(site.current, ready=False)
    yield from run_all(stages(site))
    site.remember(ready=True)


def planned(options: UpOptions) -> Iterator[tuple[str, Sequence[Planned]]]:
    """What `bring_up` would do where nothing is there yet, stage by stage. Touches nothing, starts nothing."""
    check_options(options)
    site = Site(options)
    for stage in stages(site):
        yield stage.name, list(stage.planned())


def check_options(options: UpOptions) -> None:
    """Raises UsageProblem where options contradict each other."""
    if options.context is None:
        return
    only_kind = {"--workers": options.workers, "--kind-config-patch": options.kind_config_patch}
    if said := [name for name, value in only_kind.items() if value is not None]:
        raise UsageProblem(
            f"{', '.join(said)} is for a kind cluster of our own, and --context names one that is there",
            "Leave one of them out.",
        )
