"""fluidbench history."""

from typing import Annotated

import typer

from fluidbench.cli import options
from fluidbench.cli.output import Output


def history(
    ctx: typer.Context,
    run: Annotated[str | None, typer.Argument(help="The id of a run, or the part of it that is its own.")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="How many runs to list.")] = 20,
    store: options.OfStore = None,
    multiplier: options.OfMultiplier = None,
    target: options.OfTarget = None,
    since: options.Since = None,
    until: options.Until = None,
    as_json: options.Json = False,
) -> None:
    """List what was run, or show one run whole.

    Example: fluidbench history --store vineyard --since 7d
    """
    from fluidbench.cli import live, workbench
    from fluidbench.report import envelope, tables

    output: Output = ctx.obj
    output.as_json, output.envelope = as_json, envelope.runs([])
    wanted = workbench.filters(target, store, multiplier, since, until)
    with workbench.results(output) as results:
        found = [results.get(run)] if run else results.history(limit, wanted)
    output.json(envelope.runs(found))
    if run:
        for line in live.run_tree(found[0]):
            output.result(line)
        return
    if found:
        output.table(tables.history_table(found))
    elif any((target, store, multiplier, since, until)):
        output.result("No such run is recorded.")
    else:
        output.result("Nothing is recorded yet. Start with: fluidbench run")
