"""fluidbench export."""

from pathlib import Path
from typing import Annotated

import typer

from fluidbench.cli import options
from fluidbench.cli.output import Output


def export(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="Where to; a file that is there is replaced.")],
    store: options.OfStore = None,
    multiplier: options.OfMultiplier = None,
    target: options.OfTarget = None,
    since: options.Since = None,
    until: options.Until = None,
    as_json: options.Json = False,
) -> None:
    """Write recorded runs, and the experiments that they belong to, to a file for `import`.

    Example: fluidbench export mine.jsonl --multiplier 500
    """
    from fluidbench import places, transfer
    from fluidbench.cli import recorded

    output: Output = ctx.obj
    output.as_json = as_json
    wanted = recorded.filters(target, store, multiplier, since, until)
    with recorded.results(output) as results, places.replaced(file) as opened:
        written = transfer.write(results, wanted, opened)
    output.json({"format_version": 1, "file": str(file), "runs": written.runs, "experiments": written.experiments})
    output.result(f"Exported to {file}: runs: {written.runs}; experiments: {written.experiments}.")
