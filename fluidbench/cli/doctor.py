"""fluidbench doctor."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fluidbench.cli import options
from fluidbench.cli.output import Output
from fluidbench.errors import of_exit_code

if TYPE_CHECKING:
    from fluidbench.records import Finding


def doctor(
    ctx: typer.Context,
    multiplier: options.Multiplier = options.DEFAULT_MULTIPLIER,
    store: Annotated[str, typer.Option("--store", help="The store that has to fit.")] = "vineyard",
    pipeline: options.Pipeline = "published",
    steps: options.Steps = None,
    data_dir: options.DataDir = None,
    target: options.Target = None,
    as_json: options.Json = False,
) -> None:
    """Tell what this machine can do, and what is missing with how to fix it; with --target cluster, for `up`.

    Example: fluidbench doctor --multiplier 2000
    """
    import msgspec

    from fluidbench import places
    from fluidbench.report import tables
    from fluidbench.targets import open_target

    output: Output = ctx.obj
    output.as_json = as_json
    directory = places.data_dir(data_dir or places.default_data_dir())
    # the cluster only where it is asked for: the question is what this machine can do
    examine = _cluster if open_target(target or "local").name == "cluster" else _local
    findings = examine(store, multiplier, directory, pipeline, steps)
    output.envelope = {"format_version": 1, "findings": msgspec.to_builtins(findings)}
    output.table(tables.findings_table(findings))
    if wrong := next((finding for finding in findings if not finding.good), None):
        raise of_exit_code(wrong.exit_code)(f"{wrong.what}: {wrong.found}", wrong.fix)
    output.json(output.envelope)


def _local(store: str, multiplier: int, directory: Path, pipeline: str, steps: Path | None) -> "list[Finding]":
    from fluidbench.cli import workbench
    from fluidbench.targets.local import LocalTarget
    from fluidbench.targets.local.examine import examine

    plan = workbench.plan(LocalTarget(), store, multiplier, pipeline=pipeline, steps=steps)
    return examine(plan, directory)


def _cluster(store: str, multiplier: int, directory: Path, pipeline: str, steps: Path | None) -> "list[Finding]":
    """What stands against `up`; and where a cluster is ready, whether the plan fits into it."""
    from fluidbench.cli import workbench
    from fluidbench.targets.cluster import current
    from fluidbench.targets.cluster.bringup.examine import examine
    from fluidbench.targets.cluster.bringup.options import UpOptions
    from fluidbench.targets.cluster.target import ClusterTarget

    workbench.pipeline_of(ClusterTarget(), pipeline, steps)
    findings = examine(UpOptions(data_dir=directory, multiplier=multiplier))
    if (found := current.load()) and found.ready:
        target = ClusterTarget()
        findings.append(target.fit(workbench.plan(target, store, multiplier, pipeline=pipeline)))
    return findings
