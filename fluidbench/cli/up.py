"""fluidbench up."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from fluidbench import pins
from fluidbench.cli import cluster_options, options
from fluidbench.cli.output import Output
from fluidbench.errors import Terminated, UsageProblem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fluidbench.targets.cluster.bringup.options import UpOptions
    from fluidbench.targets.cluster.bringup.stages import Planned


def up(
    ctx: typer.Context,
    name: cluster_options.Name = "fluidbench",
    workers: cluster_options.Workers = None,
    node_image: cluster_options.NodeImage = pins.KUBERNETES_NODE_IMAGE,
    kind_config_patch: cluster_options.KindConfigPatch = None,
    context: cluster_options.Context = None,
    kubeconfig: cluster_options.Kubeconfig = None,
    step_image: cluster_options.StepImage = None,
    registry: cluster_options.Registry = "",
    build_option: cluster_options.BuildOptions = None,
    fluid_chart: cluster_options.FluidChart = pins.FLUID_CHART,
    fluid_values: cluster_options.FluidValues = None,
    image_prefix: cluster_options.ImagePrefix = "",
    argo_manifest: cluster_options.ArgoManifest = pins.ARGO_MANIFEST,
    replicas: cluster_options.Replicas = None,
    quota: cluster_options.Quota = None,
    multiplier: cluster_options.SizedFor = None,
    namespace: cluster_options.Namespace = "default",
    nfs: cluster_options.Nfs = "",
    data_dir: options.DataDir = None,
    offline: cluster_options.Offline = False,
    dry_run: cluster_options.DryRun = False,
    as_json: options.Json = False,
) -> None:
    """Bring up the cluster: kind, Fluid, Argo and Vineyard; or what is missing of it.

    Example: fluidbench up --multiplier 2000
    """
    from fluidbench import places
    from fluidbench.targets.cluster.bringup import up as bringup
    from fluidbench.targets.cluster.bringup.options import UpOptions, bytes_of

    output: Output = ctx.obj
    output.as_json = as_json
    if kubeconfig and not context:
        raise UsageProblem("--kubeconfig says where a context stands, and none is named", "Name it: --context NAME")
    asked = UpOptions(
        data_dir=_absolute(data_dir or places.default_data_dir()), name=name, workers=workers, node_image=node_image,
        kind_config_patch=kind_config_patch, context=context, kubeconfig=_absolute(kubeconfig) if kubeconfig else None,
        step_image=step_image, registry=registry, build_options=tuple(build_option or ()), fluid_chart=fluid_chart,
        fluid_values=tuple(fluid_values or ()), image_prefix=image_prefix, argo_manifest=argo_manifest,
        replicas=replicas, quota_bytes=bytes_of(quota) if quota else None, multiplier=multiplier,
        namespace=namespace, nfs=nfs, offline=offline,
    )  # fmt: skip
    if dry_run:
        _print_plan(output, list(bringup.planned(asked)))
        return
    places.data_dir(asked.data_dir)
    _bring_up(output, asked)


def _absolute(path: Path) -> Path:
    return path.expanduser().absolute()


def _bring_up(output: Output, asked: "UpOptions") -> None:
    import msgspec

    from fluidbench.cli import workbench
    from fluidbench.cli.stages import Stages
    from fluidbench.targets.cluster import current
    from fluidbench.targets.cluster.bringup import up as bringup

    with workbench.measuring("up"), Stages(output) as screen:
        output.envelope = {"format_version": 1, "stages": screen.ended}
        try:
            for event in bringup.bring_up(asked):
                screen(event)
        except (KeyboardInterrupt, Terminated):
            output.note("Interrupted: what is done is done, and the next `fluidbench up` goes on from there.")
            raise
    now = current.load()
    assert now is not None
    output.json({**output.envelope, "cluster": msgspec.to_builtins(now)})
    kubeconfig = f"KUBECONFIG={now.kubeconfig} " if now.kubeconfig else ""
    output.result(f"The cluster is up: context {now.context}, namespace {now.namespace}. It is the current target.")
    output.result(f"  {kubeconfig}kubectl --context {now.context} -n {now.namespace} get pods")
    output.result("Next: fluidbench run --vineyard")


def _print_plan(output: Output, plan: "Sequence[tuple[str, Sequence[Planned]]]") -> None:
    from fluidbench.render import to_yaml
    from fluidbench.targets.cluster.bringup.stages import Command, Content, Manifest

    described: list[dict[str, Any]] = []
    for stage, planned in plan:
        output.result(f"# {stage}")
        for one in planned:
            if isinstance(one, Command):
                described.append({"stage": stage, "command": list(one.argv)})
                output.result(str(one))
            elif isinstance(one, Manifest):
                described.append({"stage": stage, "manifest": one.content})
                output.result("---\n" + to_yaml([one.content]).rstrip())
            elif isinstance(one, Content):
                described.append({"stage": stage, "file": one.name, "content": one.text})
                output.result(f"# the file {one.name}:\n{one.text.rstrip()}")
            else:
                described.append({"stage": stage, "note": one})
                output.result(f"# {one}")
        output.result()
    output.json({"format_version": 1, "dry_run": True, "planned": described})
