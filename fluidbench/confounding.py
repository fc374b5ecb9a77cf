"""What a comparison, or a single run, must not be shown without: differences that are not those of the stores. Pure."""

from collections.abc import Iterable, Mapping

from fluidbench.records import Run, Step

Round = Mapping[str, Run]


def confounded(entry: Round) -> Iterable[str]:
    """What else than the store differed within a round, or kept the store from being what it stands for."""
    number = next(iter(entry.values())).round
    nodes = sorted({step.node for run in entry.values() for step in run.steps})
    if len(nodes) > 1:
        yield f"round {number}: placement, the steps ran on {', '.join(nodes)}"
    yield from _unlike_resources(entry)
    for store, run in entry.items():
        yield from _grid(run)
        for step in run.steps:
            yield from _fallbacks(step, f"round {number}: {step.name} of {store}")


def _unlike_resources(entry: Round) -> Iterable[str]:
    asked: dict[str, set[tuple[tuple[str, str], ...]]] = {}
    for run in entry.values():
        for step in run.steps:
            asked.setdefault(step.name, set()).add(tuple(sorted(step.resources.items())))
    number = next(iter(entry.values())).round
    for step_name, different in asked.items():
        if len(different) > 1:
            told = " and ".join(", ".join(map("=".join, one)) or "none" for one in sorted(different))
            yield f"round {number}: {step_name} had other requests and limits: {told}"


def remarks(run: Run) -> Iterable[str]:
    """What a run must not be shown without: where its times are not only of the work, or not of what was asked for."""
    yield from _grid(run)
    if len(nodes := sorted({step.node for step in run.steps if step.node})) > 1:
        yield f"the steps ran on {', '.join(nodes)}"
    for step in run.steps:
        yield from _fallbacks(step, step.name)


def _grid(run: Run) -> Iterable[str]:
    if (grid := run.readings.get("argo_requeue_s", 0.0)) > 1:
        yield f"Argo looks at a Workflow every {grid:g} s only: steps start on that grid (DEFAULT_REQUEUE_TIME)"


def _fallbacks(step: Step, who: str) -> Iterable[str]:
    if step.transport == "rpc":
        yield f"{who} reached Vineyard by RPC, not by shared memory"
    for warning in step.warnings:
        yield f"{who}: {warning}"
