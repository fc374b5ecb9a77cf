"""fluidbench doctor."""

from typing import Annotated

import typer

from fluidbench.cli import options
from fluidbench.cli.output import Output
from fluidbench.errors import of_exit_code


def doctor(
    ctx: typer.Context,
    multiplier: options.Multiplier = options.DEFAULT_MULTIPLIER,
    store: Annotated[str, typer.Option("--store", help="The store that has to fit.")] = "vineyard",
    data_dir: options.DataDir = None,
    target: options.Target = None,
    as_json: options.Json = False,
) -> None:
    """Tell what this machine can do, and what is missing with how to fix it.

    Example: fluidbench doctor --multiplier 2000
    """
    import msgspec

    from fluidbench import places
    from fluidbench.cli import workbench
    from fluidbench.report import tables
    from fluidbench.targets import open_target
    from fluidbench.targets.local import LocalTarget
    from fluidbench.targets.local.examine import examine

    output: Output = ctx.obj
    output.as_json = as_json
    open_target(target)
    directory = places.data_dir(data_dir or places.default_data_dir())
    findings = examine(workbench.plan(LocalTarget(), store, multiplier), directory)
    output.envelope = {"format_version": 1, "findings": msgspec.to_builtins(findings)}
    output.table(tables.findings_table(findings))
    if wrong := next((finding for finding in findings if not finding.good), None):
        raise of_exit_code(wrong.exit_code)(f"{wrong.what}: {wrong.found}", wrong.fix)
    output.json(output.envelope)
