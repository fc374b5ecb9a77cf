"""fluidbench prepare."""

import typer

from fluidbench.cli import options
from fluidbench.cli.output import Output


def prepare(
    ctx: typer.Context,
    multiplier: options.Multiplier = options.DEFAULT_MULTIPLIER,
    data_dir: options.DataDir = None,
    target: options.Target = None,
    as_json: options.Json = False,
) -> None:
    """Make the dataset of one multiplier, once; later runs use it.

    Example: fluidbench prepare --multiplier 2000 --data-dir /mnt/nas/fluidbench
    """
    import msgspec

    from fluidbench import text
    from fluidbench.cli import workbench

    output: Output = ctx.obj
    output.as_json = as_json
    plan = workbench.prepare_plan(multiplier)
    with workbench.runner(output, target, data_dir) as (runner, _):
        runner.check(plan)
        with workbench.measuring(f"prepare --multiplier {multiplier}", shared=True):
            runner.prepare(plan)
        dataset = runner.target.dataset(plan, runner.data_dir)
    output.json({"format_version": 1, "dataset": msgspec.to_builtins(dataset, enc_hook=str)})
    if dataset:
        output.result(
            f"{dataset.path}: {dataset.rows:,} rows, {text.size(dataset.file_bytes)}, digest {dataset.digest}"
        )
