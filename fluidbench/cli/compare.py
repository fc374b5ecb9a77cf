"""fluidbench compare."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from fluidbench.cli import options
from fluidbench.cli.output import Output
from fluidbench.errors import FluidbenchError, ResultProblem, Terminated, UsageProblem

if TYPE_CHECKING:
    from fluidbench.campaign import Campaign, Missing
    from fluidbench.cli.live import Live
    from fluidbench.comparison import Comparison

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
    cache: options.Cache = "cold",
    threads: options.Threads = None,
    step_timeout: options.StepTimeout = options.DEFAULT_STEP_TIMEOUT_S,
    allow_concurrent: options.AllowConcurrent = False,
    control: Annotated[
        bool, typer.Option("--control", help="Run the first store against itself: how much is noise here?")
    ] = False,
    against: Annotated[
        str | None, typer.Option("--against", help="Run anew, and compare with this recorded experiment.")
    ] = None,
    fail_over: Annotated[
        str | None, typer.Option("--fail-over", help="With --against: exit 9 when slower by more than, say, 5%.")
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Compare what is recorded, and run the rounds that are missing.

    Example: fluidbench compare --multiplier 500 --rounds 6
    """
    from fluidbench import regression
    from fluidbench.campaign import Campaign
    from fluidbench.cli import workbench
    from fluidbench.report import envelope

    output: Output = ctx.obj
    output.as_json = as_json
    names, allowed = _stores(stores), _allowed(fail_over, against, control)
    with workbench.runner(output, target, data_dir) as (runner, screen):
        wanted = multiplier or runner.results.last_multiplier() or options.DEFAULT_MULTIPLIER
        plans = [workbench.plan(runner.target, name, wanted, cache, threads, step_timeout) for name in names]
        earlier = runner.results.experiment(against).experiment_id if against else None
        campaign = Campaign(runner, plans[0], names[:1] if control else names, control, earlier)
        missing = campaign.missing(rounds)
        stopped = None
        if missing.rounds and not no_run:
            screen.pause()
            campaign.check()
            _agree(output, missing, wanted, yes)
            with workbench.measuring(f"compare --multiplier {wanted}", allow_concurrent):
                stopped = _run(campaign, missing, screen)
        comparison = campaign.recorded()
    output.envelope = envelope.comparison(comparison)
    if stopped is None or comparison.rounds:
        _show(output, comparison, wanted)
    if stopped:
        raise stopped
    _require_equivalent(comparison)
    if allowed is not None:
        regression.require_no_slower(comparison.against, allowed)
    output.json(output.envelope)


def _run(campaign: "Campaign", missing: "Missing", screen: "Live") -> BaseException | None:
    """Runs what is missing. What stopped it is returned: first the table of what there is, then the error."""
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


def _stores(words: str) -> list[str]:
    names = [word.strip() for word in words.split(",") if word.strip()]
    if len(names) < 2 or len(set(names)) < len(names):
        raise UsageProblem(
            f"--stores {words!r} does not name two or more different stores", "Say: --stores pickle,vineyard"
        )
    return names


def _agree(output: Output, missing: "Missing", multiplier: int, yes: bool) -> None:
    from fluidbench import text

    new = f"to be run: {missing.rounds}; about {text.seconds(missing.estimate_s)} with a warm-up of each store."
    output.note(f"multiplier {multiplier}: recorded: {_rounds(missing.recorded)}; {new}")
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


def _rounds(count: int) -> str:
    return f"{count} whole round{'' if count == 1 else 's'}"


def _show(output: Output, comparison: "Comparison", multiplier: int) -> None:
    from fluidbench import published, text
    from fluidbench.report import sentences, tables

    if comparison.rounds:
        for line in sentences.headline(comparison):
            output.result(line)
        output.result(
            f"Multiplier {multiplier}, {_rounds(comparison.rounds)}, medians; files {comparison.cache}. "
            "Ratio above 1: faster than the first store."
        )
        output.table(tables.comparison_table(comparison))
    else:
        output.result(f"No whole round of multiplier {multiplier} is recorded for this machine, dataset and settings.")
    for line in sentences.remarks(comparison):
        output.result(line)
    for reason in comparison.confounded:
        output.result(f"Confounded: {reason}")
    if multiplier == published.MULTIPLIER:
        output.table(tables.published_table())
    for single in comparison.singles:
        output.result(f"Beside it: {single.run_id} {single.store} {text.seconds(single.duration_s)} ({single.cache})")
    for reason, count in comparison.not_comparable.items():
        output.result(f"Not comparable: {count} run{'s' if count > 1 else ''} ({reason})")


def _require_equivalent(comparison: "Comparison") -> None:
    if comparison.equivalent is False:
        raise ResultProblem(
            "the runs did not compute the same: " + "; ".join(comparison.differences[:5]),
            "See both: fluidbench history RUN --json. A store that changes the data cannot be compared.",
        )
