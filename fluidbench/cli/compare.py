"""fluidbench compare."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from fluidbench.cli import options
from fluidbench.cli.output import Output
from fluidbench.errors import ResultProblem, UsageProblem

if TYPE_CHECKING:
    from fluidbench.campaign import Missing
    from fluidbench.comparison import Comparison
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
    """Compare what is recorded, and run the rounds that are missing.

    Example: fluidbench compare --multiplier 500 --rounds 6
    """
    from fluidbench.campaign import Campaign
    from fluidbench.cli import workbench
    from fluidbench.report import envelope

    output: Output = ctx.obj
    output.as_json = as_json
    with workbench.runner(output, target, data_dir) as (runner, screen):
        wanted = multiplier or runner.results.last_multiplier() or options.DEFAULT_MULTIPLIER
        names = _stores(stores, runner.target.name, with_s3=bool(workbench.s3_place(s3_url)))
        settings = (wanted, cache, threads, step_timeout, storage_bandwidth, s3_url, s3_secret, pipeline, steps)
        plans = [workbench.plan(runner.target, name, *settings) for name in names]
        workbench.tell_emulated(output, plans)
        campaign = Campaign(runner, plans[0], names)
        missing = campaign.missing(rounds)
        if missing.rounds and not no_run:
            screen.pause()
            campaign.check()
            _agree(output, missing, wanted, yes)
            with workbench.measuring(f"compare --multiplier {wanted}", allow_concurrent):
                campaign.run(missing.rounds, lambda slot, of: screen.begin(_title(slot, of, wanted)))
        comparison = campaign.recorded()
    output.envelope = envelope.comparison(comparison)
    _show(output, comparison, wanted)
    output.json(output.envelope)


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


def _emulated(comparison: "Comparison") -> str:
    storage = comparison.identity.storage if comparison.identity else None
    return f", storage {storage}" if storage else ""


def _show(output: Output, comparison: "Comparison", multiplier: int) -> None:
    from fluidbench import published, text
    from fluidbench.report import tables

    pipeline = comparison.identity.pipeline if comparison.identity else "published"
    if comparison.rounds:
        for line in tables.headline(comparison):
            output.result(line)
        files = f"files {comparison.cache}{_emulated(comparison)}"
        output.result(
            f"Multiplier {multiplier}, pipeline {pipeline}, {_rounds(comparison.rounds)}, medians; {files}. "
            "Ratio above 1: faster than the first store."
        )
        output.table(tables.comparison_table(comparison))
    else:
        output.result(f"No whole round of multiplier {multiplier} is recorded for this machine, dataset and settings.")
    for reason in comparison.confounded:
        output.result(f"Confounded: {reason}")
    if multiplier == published.MULTIPLIER and pipeline == "published":
        output.table(tables.published_table())
    for single in comparison.singles:
        output.result(f"Beside it: {single.run_id} {single.store} {text.seconds(single.duration_s)} ({single.cache})")
    for reason, count in comparison.not_comparable.items():
        output.result(f"Not comparable: {count} run{'s' if count > 1 else ''} ({reason})")
    if comparison.equivalent is False:
        raise ResultProblem(
            "the runs did not compute the same: " + "; ".join(comparison.differences[:5]),
            "See both: fluidbench history RUN --json. A store that changes the data cannot be compared.",
        )
