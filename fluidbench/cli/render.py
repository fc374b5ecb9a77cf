"""fluidbench render."""

import difflib
import os
import sys
from dataclasses import replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fluidbench.cli import options
from fluidbench.cli.output import Output
from fluidbench.errors import UsageProblem

if TYPE_CHECKING:
    from fluidbench.render import PipelineOptions

DIFF_CONTEXT_LINES = 4
WHAT_HELP = (
    "workflow: the pipeline. setup: account, volumes and Vineyard. prepare: the dataset. "
    "clean-up: what removes a run. all: all but that, with both pipelines."
)
STORE_HELP = "pickle (default), parquet, arrow, s3, vineyard or vineyard-block."
CACHE_HELP = "cold: what is read is evicted before. dropped: all caches are, by privileged steps."
COLOURS = {"+": typer.colors.GREEN, "-": typer.colors.RED, "@": typer.colors.CYAN}


class What(StrEnum):
    """What `render` prints."""

    WORKFLOW = "workflow"
    SETUP = "setup"
    PREPARE = "prepare"
    CLEAN_UP = "clean-up"
    ALL = "all"


class Cache(StrEnum):
    """The cache policies."""

    COLD = "cold"
    WARM = "warm"
    DROPPED = "dropped"


def render(
    ctx: typer.Context,
    what: Annotated[What, typer.Option("--what", help=WHAT_HELP)] = What.WORKFLOW,
    vineyard: options.Vineyard = False,
    store: Annotated[str | None, typer.Option("--store", help=STORE_HELP)] = None,
    diff: Annotated[bool, typer.Option("--diff", help="What the pipeline through files changes for that.")] = False,
    multiplier: options.Multiplier = options.DEFAULT_MULTIPLIER,
    pipeline_name: options.Pipeline = "published",
    namespace: Annotated[str, typer.Option("--namespace", "-n", help="Where the pipeline runs.")] = "default",
    registry: Annotated[str, typer.Option("--registry", help="An image for each step: REGISTRY/preprocess-data.")] = "",
    step_image: Annotated[
        str, typer.Option("--step-image", help="One image for all steps. [fluidbench-steps:VERSION]")
    ] = "",
    nfs: Annotated[str, typer.Option("--nfs", help="SERVER:/PATH with the data; else a directory of the nodes.")] = "",
    node: Annotated[str, typer.Option("--node", help="The node that all steps run on.")] = "",
    replicas: Annotated[int, typer.Option("--replicas", min=1, help="Vineyard workers.")] = 2,
    quota: Annotated[str, typer.Option("--quota", help="Shared memory of each worker.")] = "20Gi",
    runtime: Annotated[str, typer.Option("--runtime", help="Name of Dataset and VineyardRuntime.")] = "vineyard",
    threads: Annotated[int, typer.Option("--threads", min=1, help="Threads of a step, and its processors.")] = 1,
    memory: Annotated[str, typer.Option("--memory", help="Memory of a step; what the multiplier needs.")] = "",
    cache: Annotated[Cache, typer.Option("--cache", help=CACHE_HELP)] = Cache.COLD,
    storage_bandwidth: options.StorageBandwidth = None,
    s3_url: options.S3Url = "",
    s3_secret: options.S3Secret = "",
    deadline: Annotated[int, typer.Option("--deadline", min=1, help="Seconds that the Workflow may take.")] = 3600,
    run_id: Annotated[str, typer.Option("--run-id", help="Name of the run; the Workflow's own name.")] = "",
    as_json: options.Json = False,
) -> None:
    """Print the Kubernetes manifests; needs no cluster.

    Example: fluidbench render --vineyard | kubectl create -f -
    """
    from fluidbench import render as rendering
    from fluidbench.cli import workbench
    from fluidbench.targets.cluster.fit import store_problem

    output: Output = ctx.obj
    output.as_json = as_json
    if registry and step_image:
        raise UsageProblem("--registry and --step-image contradict each other", "Give one of them.")
    name = workbench.store_called(store, vineyard=vineyard)
    bucket = workbench.s3_place(s3_url) if name == "s3" else ""
    if problem := store_problem(name, bucket):
        raise problem
    pipeline = rendering.PipelineOptions(
        store=name, multiplier=multiplier, namespace=namespace, registry=registry,
        step_image=step_image or rendering.STEP_IMAGE, node=node, runtime=runtime, threads=threads, memory=memory,
        cache_policy=cache, deadline_s=deadline, run_id=run_id, compiled_at=_now(), s3_url=bucket, s3_secret=s3_secret,
        storage=workbench.storage_of(name, storage_bandwidth), pipeline=workbench.pipeline_called(pipeline_name),
    )  # fmt: skip
    if diff:
        _show_difference(output, pipeline)
        return
    manifests = _manifests(what, pipeline, nfs, replicas, quota)
    output.json({"format_version": 1, "manifests": manifests})
    _print(output, rendering.to_yaml(manifests).rstrip())


def _show_difference(output: Output, pipeline: "PipelineOptions") -> None:
    difference = _difference(pipeline)
    output.json({"format_version": 1, "diff": difference})
    _print(output, "\n".join(map(_coloured, difference.splitlines())))
    if _arms(pipeline)[-1].with_vineyard:
        output.note(
            "Beside it, a VineyardRuntime and a Dataset (fluidbench render --what setup), and in the steps' code put "
            "and get in place of files: docs/howto/use-vineyard-in-your-pipeline.md"
        )


def _manifests(what: What, pipeline: "PipelineOptions", nfs: str, replicas: int, quota: str) -> list[dict[str, Any]]:
    from fluidbench import render as rendering

    namespace = pipeline.namespace
    match what:
        case What.WORKFLOW:
            return [rendering.workflow(pipeline)]
        case What.PREPARE:
            return [rendering.prepare_job(pipeline)]
        case What.CLEAN_UP:
            return [_clean_up(pipeline)]
        case What.SETUP:
            return [
                *rendering.rbac(namespace),
                *rendering.volumes(rendering.VolumeOptions(namespace, nfs)),
                *rendering.vineyard(namespace, pipeline.runtime, replicas, quota),
            ]
    setup = _manifests(What.SETUP, pipeline, nfs, replicas, quota)
    both = [rendering.workflow(arm) for arm in _arms(pipeline)]
    return [*setup, rendering.prepare_job(pipeline), *both]


def _arms(pipeline: "PipelineOptions") -> list["PipelineOptions"]:
    """The published pipeline through files, and all else equal the one that was asked for, or that through Vineyard."""
    files = replace(pipeline, store="pickle", s3_url="", s3_secret="")
    return [files, replace(pipeline, store="vineyard") if pipeline.store == "pickle" else pipeline]


def _clean_up(pipeline: "PipelineOptions") -> dict[str, Any]:
    from fluidbench import render as rendering

    if not pipeline.run_id:
        raise UsageProblem("which run is to be removed?", "Name it with --run-id; by hand it is the Workflow's name.")
    return rendering.clean_up_job(
        pipeline.namespace, pipeline.image("preprocess-data"), pipeline.run_id,
        pipeline.runtime if pipeline.with_vineyard else "", node=pipeline.node, as_root=pipeline.drop_caches,
        s3_url=pipeline.s3_url, s3_secret=pipeline.s3_secret,
    )  # fmt: skip


def _difference(pipeline: "PipelineOptions") -> str:
    from fluidbench import render as rendering

    arms = _arms(pipeline)
    one, other = (rendering.to_yaml([rendering.workflow(arm)]).splitlines() for arm in arms)
    before, after = (f"{rendering.pipeline_name(arm)}-through-{arm.store}.yaml" for arm in arms)
    return "\n".join(difflib.unified_diff(one, other, before, after, lineterm="", n=DIFF_CONTEXT_LINES))


def _coloured(line: str) -> str:
    colour = COLOURS.get(line[:1])
    if colour is None or not sys.stdout.isatty() or os.environ.get("NO_COLOR"):
        return line
    return typer.style(line, fg=colour)


def _print(output: Output, text: str) -> None:
    # not through rich, which would take ":key:" for an emoji and has no say in YAML
    if not output.as_json:
        typer.echo(text)


def _now() -> str:
    """When the pipeline was compiled; SOURCE_DATE_EPOCH makes the output the same every time."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    moment = datetime.fromtimestamp(int(epoch), UTC) if epoch.isdecimal() else datetime.now(UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S")
