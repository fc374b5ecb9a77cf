"""fluidbench history."""

from typing import TYPE_CHECKING, Annotated

import typer

from fluidbench.cli import options
from fluidbench.cli.output import Output

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fluidbench.records import Run


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
    from fluidbench.cli import recorded
    from fluidbench.report import envelope
    from fluidbench.schema import Filters

    output: Output = ctx.obj
    output.as_json, output.envelope = as_json, envelope.runs([])
    wanted = recorded.filters(target, store, multiplier, since, until)
    with recorded.results(output) as results:
        found = [results.get(run)] if run else results.history(limit, wanted)
    output.json(envelope.runs(found))
    if not as_json:
        _show(output, found, whole=run is not None, filtered=wanted != Filters())


def _show(output: Output, found: "Sequence[Run]", *, whole: bool, filtered: bool) -> None:
    from fluidbench.cli import live
    from fluidbench.report import tables

    if whole:
        for line in live.run_tree(found[0]):
            output.result(line)
    elif found:
        output.table(tables.history_table(found))
    elif filtered:
        output.result("No such run is recorded.")
    else:
        output.result("Nothing is recorded yet. Start with: fluidbench run")
