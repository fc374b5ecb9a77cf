"""The cluster's half of `fluidbench down`."""

from pathlib import Path

from fluidbench import dataset
from fluidbench.cli.output import Output
from fluidbench.cli.stages import Stages
from fluidbench.errors import UsageProblem
from fluidbench.targets.cluster import current as currents
from fluidbench.targets.cluster.bringup.down import Removed, take_down
from fluidbench.targets.cluster.bringup.options import UpOptions
from fluidbench.targets.cluster.bringup.site import Site


def site_of(
    name: str | None, context: str | None, kubeconfig: Path | None, namespace: str | None, data_dir: Path
) -> Site | None:
    """The cluster that was named, else the current one; None where there is neither."""
    current = currents.load()
    if name is None and context is None:
        if current and namespace not in (None, current.namespace):
            raise UsageProblem(
                f"the current cluster was brought up in namespace {current.namespace}, not {namespace}",
                f"Name the cluster as well: --context {current.context} --namespace {namespace}",
            )
        return Site.of(current) if current else None
    if current and (context in (None, current.context)) and f"kind-{name}" in ("kind-None", current.context):
        return Site.of(current)
    asked = UpOptions(
        data_dir=data_dir, name=name or "fluidbench", context=context, kubeconfig=kubeconfig,
        namespace=namespace or "default",
    )  # fmt: skip
    return Site(asked)


def take_cluster_down(output: Output, site: Site, purge: bool) -> None:
    """Removes the cluster, or what we made in it, and tells what is gone, kept and left."""
    done = Removed()
    with Stages(output) as screen:
        output.envelope = {"format_version": 1, "stages": screen.ended, "removed": done.gone, "left": done.left}
        for event in take_down(site, done, purge_image=purge):
            screen(event)
    # of a cluster that we did not make, this machine's data directory is no part
    data_dir = Path(site.current.data_dir) if site.current.made_cluster and not site.current.nfs else None
    datasets = dataset.all_in(data_dir) if data_dir else []
    if purge and data_dir:
        for path in datasets:
            dataset.remove(path)
        for path in dataset.left_over(data_dir):
            dataset.remove_run(path) if path.is_dir() else path.unlink()
        done.gone += map(str, datasets)
        datasets = []
    output.json({**output.envelope, "kept": [str(path) for path in datasets]})
    for words, lines in (("removed", done.gone), ("kept", datasets), ("left", done.left)):
        for line in lines:
            output.result(f"{words} {line}")
    if datasets:
        output.result("The datasets are removed by: fluidbench down --purge")
    output.result("The cluster is down." + (" Look at what is left." if done.left else " Nothing is left of it."))
