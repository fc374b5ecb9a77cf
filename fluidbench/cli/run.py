"""fluidbench run."""

from typing import Annotated

import typer

from fluidbench.cli import options
from fluidbench.cli.output import Output


def run(
    ctx: typer.Context,
    multiplier: options.Multiplier = options.DEFAULT_MULTIPLIER,
    vineyard: options.Vineyard = False,
    store: Annotated[
        str | None,
        typer.Option(
            "--store", help="pickle (default), parquet, arrow, tmpfs, s3, vineyard, vineyard-block, or module:Class."
        ),
    ] = None,
    repeat: Annotated[int, typer.Option("--repeat", min=1, help="How many runs, one after the other.")] = 1,
    data_dir: options.DataDir = None,
    target: options.Target = None,
    pipeline: options.Pipeline = "published",
    steps: options.Steps = None,
    cache: options.Cache = "cold",
    threads: options.Threads = None,
    step_timeout: options.StepTimeout = options.DEFAULT_STEP_TIMEOUT_S,
    storage_bandwidth: options.StorageBandwidth = None,
    s3_url: options.S3Url = "",
    s3_secret: options.S3Secret = "",
    allow_concurrent: options.AllowConcurrent = False,
    as_json: options.Json = False,
) -> None:
    """Run the pipeline once, through files or through Vineyard.

    Example: fluidbench run --multiplier 2000 --vineyard
    """
    from fluidbench.cli import live, workbench
    from fluidbench.report import envelope

    output: Output = ctx.obj
    output.as_json, output.envelope = as_json, envelope.runs([])
    name = workbench.store_called(store, vineyard=vineyard)
    with workbench.runner(output, target, data_dir) as (runner, screen):
        plan = workbench.plan(
            runner.target, name, multiplier, cache=cache, threads=threads, step_timeout_s=step_timeout,
            storage_bandwidth=storage_bandwidth, s3_url=s3_url, s3_secret=s3_secret, pipeline=pipeline, steps=steps,
        )  # fmt: skip
        workbench.tell_emulated(output, plan.storage, [plan.store])
        runner.check(plan)
        with workbench.measuring(f"run --multiplier {multiplier} --store {plan.store}", allow_concurrent):
            runner.prepare(plan)
            try:
                for number in range(1, repeat + 1):
                    screen.begin(f"multiplier {multiplier} through {plan.store}, run {number} of {repeat}")
                    runner.run(plan)
            finally:
                output.envelope = envelope.runs(screen.runs)
    output.json(output.envelope)
    for record in screen.runs:
        for line in ["", *live.run_tree(record)]:
            output.result(line)
