"""fluidbench import."""

from pathlib import Path
from typing import Annotated

import typer

from fluidbench.cli import options
from fluidbench.cli.output import Output


def import_(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="What `export` wrote, here or on another machine.")],
    as_json: options.Json = False,
) -> None:
    """Take in the runs of an export, all or none. Importing a file twice changes nothing.

    Example: fluidbench import theirs.jsonl
    """
    from fluidbench import transfer
    from fluidbench.cli import recorded

    output: Output = ctx.obj
    output.as_json = as_json
    with recorded.results(output) as results:
        found = transfer.read(results, file)
    output.json({"format_version": 1, "file": str(file), "added": found.added, "known": found.known})
    output.result(f"Imported from {file}: new records: {found.added}; known before: {found.known}.")
