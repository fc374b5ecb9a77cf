"""fluidbench compare."""

import functools
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from fluidbench.cli import options
from fluidbench.cli.output import Output
from fluidbench.errors import FluidbenchError, Terminated, UsageProblem

if TYPE_CHECKING:
    from fluidbench.campaign import Campaign, Missing
    from fluidbench.cli.live import Live

ASK_ABOVE_S = 300.0
NUMBERS_TOLD = 12


def compare(
    ctx: typer.Context,
    multiplier: options.MaybeMultiplier = None,
    rounds: Annotated[int | None, typer.Option("--rounds", min=1, help="Whole rounds to compare.")] = None,
    stores: options.Stores = "pickle,vineyard",
    no_run: Annotated[bool, typer.Option("--no-run", help="Show what is recorded, and run nothing.")] = False,
    yes: options.Yes = False,
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
    control: options.Control = False,
    against: options.Against = None,
    fail_over: options.FailOver = None,
    force: options.Force = False,
    what_if: options.WhatIf = None,
    html: options.Html = None,
    format_: options.Format = None,
    as_json: options.Json = False,
) -> None:
    """Compare what is recorded, and run the rounds that are missing.

    Example: fluidbench compare --multiplier 500 --rounds 6
    """
    from fluidbench.campaign import Campaign
    from fluidbench.cli import presenting, workbench

    output: Output = ctx.obj
    wanted = presenting.wish(output, format_, as_json, html, what_if)
    allowed = _allowed(fail_over, against, control)
    with workbench.runner(output, target, data_dir) as (runner, screen):
        size = multiplier or runner.results.last_multiplier() or options.DEFAULT_MULTIPLIER
        names = _stores(stores, runner.target.name, with_s3=bool(workbench.s3_place(s3_url)))
        planned = functools.partial(
            workbench.plan, runner.target, multiplier=size, cache=cache, threads=threads, step_timeout_s=step_timeout,
            storage_bandwidth=storage_bandwidth, s3_url=s3_url, s3_secret=s3_secret, pipeline=pipeline, steps=steps,
        )  # fmt: skip
        plans = [planned(store=name) for name in names]
        workbench.tell_emulated(output, plans[0].storage, names)
        earlier = runner.results.experiment(against).experiment_id if against else None
        campaign = Campaign(runner, plans[0], names[:1] if control else names, control, earlier, force)
        # what was compared by force is what there is; running more would be of this machine alone
        may_run = not no_run and not force
        missing = campaign.missing(rounds if may_run else 0)
        stopped = _run(output, campaign, missing, screen, yes=yes, allow_concurrent=allow_concurrent)
        comparison = campaign.recorded()
        recorded, foreign = runner.results.runs_of(size), campaign.foreign()
    presenting.tell_foreign(output, foreign, force=force, alone=not comparison.rounds and not may_run)
    presenting.present(output, wanted, comparison, recorded, size, stopped=stopped is not None)
    if stopped:
        raise stopped
    presenting.require(comparison, allowed)
    output.json(output.envelope)


def _run(
    output: Output, campaign: "Campaign", missing: "Missing", screen: "Live", *, yes: bool, allow_concurrent: bool
) -> BaseException | None:
    """Runs what is missing. What stopped it is returned: first the table of what there is, then the error."""
    from fluidbench.cli import workbench

    if not missing.rounds:
        return None
    screen.pause()
    campaign.check()
    size = campaign.plan.multiplier
    _agree(output, missing, size, yes)
    with workbench.measuring(f"compare --multiplier {size}", allow_concurrent):
        try:
            campaign.run(missing)
        except (KeyboardInterrupt, Terminated, FluidbenchError) as stopped:
            return stopped
        finally:
            screen.pause()
    return None


def _allowed(fail_over: str | None, against: str | None, control: bool) -> float | None:
    """How much slower an arm may get, as a part of 1; None where that is not asked."""
    from fluidbench import regression

    if control and against:
        raise UsageProblem("--control and --against contradict each other", "Give one of them.")
    if fail_over and not against:
        raise UsageProblem("--fail-over does not say since when", "Say: --against EXPERIMENT --fail-over 5%")
    return regression.percentage(fail_over) if fail_over else None


def _stores(words: str, target: str, *, with_s3: bool) -> list[str]:
    """The stores that are named; `all` are those that the target can have, s3 only where its place is known."""
    from fluidbench.stores import STORES

    if words == "all":
        absent = {"tmpfs"} if target == "cluster" else set()
        return [name for name in STORES if name not in absent and (with_s3 or name != "s3")]
    names = [word.strip() for word in words.split(",") if word.strip()]
    if len(names) < 2 or len(set(names)) < len(names):
        raise UsageProblem(
            f"--stores {words!r} does not name two or more different stores", "Say: --stores pickle,vineyard"
        )
    return names


def _agree(output: Output, missing: "Missing", multiplier: int, yes: bool) -> None:
    from fluidbench import text

    new = f"to be run: {missing.rounds}; about {text.seconds(missing.estimate_s)} with a warm-up of each store."
    output.note(f"multiplier {multiplier}: recorded: {text.counted(missing.recorded, 'whole round')}; {new}")
    if missing.resumed:
        numbers = ", ".join(map(str, missing.numbers[:NUMBERS_TOLD])) + ("..." if missing.rounds > NUMBERS_TOLD else "")
        output.note(f"Experiment {missing.resumed.experiment_id} was interrupted and goes on in its order: {numbers}.")
    if missing.estimate_s <= ASK_ABOVE_S or yes:
        return
    if not sys.stdin.isatty():
        raise UsageProblem(
            f"this would take about {text.seconds(missing.estimate_s)}, and there is no terminal to ask",
            "Agree with --yes, or show what is recorded with --no-run.",
        )
    typer.confirm("Run them?", abort=True, err=True)
