"""fluidbench compare."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fluidbench.cli import options
from fluidbench.cli.output import Output
from fluidbench.errors import UsageProblem

if TYPE_CHECKING:
    from fluidbench.campaign import Missing
    from fluidbench.experiment import Slot

ASK_ABOVE_S = 300.0


def compare(
    ctx: typer.Context,
    multiplier: options.MaybeMultiplier = None,
    rounds: Annotated[int | None, typer.Option("--rounds", min=1, help="Whole rounds to compare.")] = None,
    stores: options.Stores = "pickle,vineyard",
    no_run: Annotated[bool, typer.Option("--no-run", help="Show what is recorded, and run nothing.")] = False,
    yes: options.Yes = False,
    data_dir: options.DataDir = None,
    target: options.Target = None,
    cache: options.Cache = "cold",
    threads: options.Threads = None,
    step_timeout: options.StepTimeout = options.DEFAULT_STEP_TIMEOUT_S,
    allow_concurrent: options.AllowConcurrent = False,
    force: Annotated[bool, typer.Option("--force", help="Compare rounds of other machines too; runs nothing.")] = False,
    what_if: Annotated[
        str | None, typer.Option("--what-if", help="What would be on a storage of so much, by a model: 300MB/s.")
    ] = None,
    html: Annotated[Path | None, typer.Option("--html", help="Write the report as one page to this file.")] = None,
    format_: Annotated[str | None, typer.Option("--format", help="table (default), json, csv or markdown.")] = None,
    as_json: options.Json = False,
) -> None:
    """Compare what is recorded, and run the rounds that are missing.

    Example: fluidbench compare --multiplier 500 --rounds 6
    """
    from fluidbench.analysis import analyse
    from fluidbench.campaign import Campaign
    from fluidbench.cli import presenting, workbench

    output: Output = ctx.obj
    output.as_json = as_json
    names = _stores(stores)
    wanted = presenting.wish(format_, as_json, html, what_if)
    output.as_json = wanted.format == "json"
    with workbench.runner(output, target, data_dir) as (runner, screen):
        size = multiplier or runner.results.last_multiplier() or options.DEFAULT_MULTIPLIER
        plans = [workbench.plan(runner.target, name, size, cache, threads, step_timeout) for name in names]
        campaign = Campaign(runner, plans[0], names, force=force)
        missing = campaign.missing(rounds)
        # what was compared by force is what there is; running more would be of this machine alone
        may_run = not no_run and not force
        if missing.rounds and may_run:
            screen.pause()
            campaign.check()
            _agree(output, missing, size, yes)
            with workbench.measuring(f"compare --multiplier {size}", allow_concurrent):
                campaign.run(missing.rounds, lambda slot, of: screen.begin(_title(slot, of, size)))
        comparison = campaign.recorded()
        recorded, foreign = runner.results.runs_of(size), campaign.foreign()
    if force:
        presenting.tell_forced(output, foreign)
    else:
        presenting.refuse_foreign(output, foreign, comparison.rounds, may_run=may_run)
    analysis = analyse(comparison, recorded, wanted.bandwidth_bytes_per_s)
    presenting.present(output, wanted, comparison, analysis, presenting.about(comparison, size))


def _stores(words: str) -> list[str]:
    names = [word.strip() for word in words.split(",") if word.strip()]
    if len(names) < 2 or len(set(names)) < len(names):
        raise UsageProblem(
            f"--stores {words!r} does not name two or more different stores", "Say: --stores pickle,vineyard"
        )
    return names


def _agree(output: Output, missing: "Missing", multiplier: int, yes: bool) -> None:
    from fluidbench import text

    output.note(
        f"multiplier {multiplier}: recorded: {_rounds(missing.recorded)}; to be run: {missing.rounds}; "
        f"about {text.seconds(missing.estimate_s)} with a warm-up of each store."
    )
    if missing.estimate_s <= ASK_ABOVE_S or yes:
        return
    if not sys.stdin.isatty():
        raise UsageProblem(
            f"this would take about {text.seconds(missing.estimate_s)}, and there is no terminal to ask",
            "Agree with --yes, or show what is recorded with --no-run.",
        )
    typer.confirm("Run them?", abort=True, err=True)


def _rounds(count: int) -> str:
    return f"{count} whole round{'' if count == 1 else 's'}"


def _title(slot: "Slot", of: int, multiplier: int) -> str:
    where = "warm-up" if slot.warmup else f"round {slot.round} of {of}"
    return f"multiplier {multiplier} through {slot.store}, {where}"
