"""Rows of text, independent of what draws them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from fluidbench import published, text
from fluidbench.comparison import Arm, Compared, Comparison
from fluidbench.plan import PUBLISHED
from fluidbench.records import Finding, Run


@dataclass(frozen=True)
class Row:
    """One line: its cells, how deep it is indented, and whether it is a sum worth seeing first."""

    cells: tuple[str, ...]
    depth: int = 0
    strong: bool = False


@dataclass(frozen=True)
class Table:
    """`numbers`: all columns but the first are set flush right."""

    title: str
    headers: tuple[str, ...]
    rows: tuple[Row, ...]
    numbers: bool = True


def comparison_table(comparison: Comparison) -> Table:
    """A row a step and phase, a column a store, then ratio and saving of each arm against the baseline."""
    arms = comparison.arms
    others = [arm for arm in arms if arm.store != comparison.baseline]
    words = [f"{word}{_of(arm, others)}" for arm in others for word in ("ratio", "saved")]
    headers = ("", *(arm.label for arm in arms), *words)
    return Table("", headers, tuple(_time_rows(comparison, arms, others)) + tuple(_memory_rows(arms, others)))


def overview_table(comparison: Comparison) -> Table:
    """A row a store, for more stores than fit side by side: its steps, the total, and how it stands."""
    steps = comparison.arms[0].steps
    headers = ("", *(step.name for step in steps), "around", "total", "ratio", "saved", "private", "shared")
    return Table("", headers, tuple(_overview_row(comparison, arm) for arm in comparison.arms))


def _overview_row(comparison: Comparison, arm: Arm) -> Row:
    entry = _compared(comparison, arm, "total")
    cells = (
        arm.label, *(text.seconds(step.median_s) for step in arm.steps), text.seconds(arm.unaccounted_s),
        text.seconds(arm.median_s), _ratio(entry), signed(entry.saving_s) if entry else "",
        text.size(max(step.peak_private_bytes for step in arm.steps)), text.size(arm.shared_memory_bytes),
    )  # fmt: skip
    return Row(cells)


def _time_rows(comparison: Comparison, arms: Sequence[Arm], others: Sequence[Arm]) -> Iterable[Row]:
    def row(name: str, scope: str, values: Sequence[float], depth: int = 0, strong: bool = False) -> Row:
        compared = [_compared(comparison, arm, scope) for arm in others]
        judged = tuple(cell for entry in compared for cell in (_ratio(entry), signed(entry.saving_s) if entry else ""))
        return Row((name, *map(text.seconds, values), *judged), depth, strong)

    for position, step in enumerate(arms[0].steps):
        same = [arm.steps[position] for arm in arms]
        yield row(step.name, f"step:{step.name}", [one.median_s for one in same], strong=True)
        for phase in dict.fromkeys(phase for one in same for phase in one.phases):
            seconds = [one.phases.get(phase, 0.0) for one in same]
            yield row(phase, f"step:{step.name}/phase:{phase}", seconds, depth=1)
    yield row("around the steps", "unaccounted", [arm.unaccounted_s for arm in arms])
    yield row("total", "total", [arm.median_s for arm in arms], strong=True)


def _memory_rows(arms: Sequence[Arm], others: Sequence[Arm]) -> Iterable[Row]:
    empty = [""] * (2 * len(others))
    peaks = [max(step.peak_private_bytes for step in arm.steps) for arm in arms]
    yield Row(("peak private memory", *map(text.size, peaks), *empty))
    yield Row(("shared memory held", *(text.size(arm.shared_memory_bytes) for arm in arms), *empty))
    yield Row(("service start (not counted)", *(text.seconds(arm.service_start_s) for arm in arms), *empty))


def _compared(comparison: Comparison, arm: Arm, scope: str) -> Compared | None:
    return next((entry for entry in comparison.comparisons if (entry.arm, entry.scope) == (arm.store, scope)), None)


def _ratio(entry: Compared | None) -> str:
    return f"{entry.ratio:.2f}x" if entry and entry.ratio is not None else ""


def signed(seconds: float) -> str:
    """+0.123 s, -4.2 s."""
    return f"{seconds:+.3f} s" if abs(seconds) < 1 else f"{seconds:+.1f} s"


def _of(arm: Arm, others: Sequence[Arm]) -> str:
    return f" ({arm.label})" if len(others) > 1 else ""


def published_table() -> Table:
    """The published figures, in whole seconds as they were given."""
    figures = [*published.STEPS_S.items(), ("total", published.WORKFLOW_S)]
    rows = tuple(
        Row((name, f"{files} s", f"{vineyard} s", f"{files / vineyard:.2f}x", f"{files - vineyard:+d} s"))
        for name, (files, vineyard) in figures
    )
    return Table(published.SETUP, ("", "files", "vineyard", "ratio", "saved"), rows)


def history_table(runs: Sequence[Run]) -> Table:
    """A row a run, the newest first."""
    rows = tuple(
        Row((
            run.run_id, run.identity.store, _work(run), _state(run),
            text.seconds(run.duration_s) if run.duration_s else "", _cache(run), _slot(run),
        ))
        for run in runs
    )  # fmt: skip
    return Table("", ("run", "store", "multiplier", "state", "duration", "cache", "round"), rows, numbers=False)


def _work(run: Run) -> str:
    had = run.identity
    return f"{had.multiplier}" if had.pipeline == PUBLISHED.name else f"{had.multiplier}, {had.pipeline}"


def _cache(run: Run) -> str:
    storage = run.identity.storage
    return f"{run.cache}, storage {storage}" if storage else run.cache


def _state(run: Run) -> str:
    return f"{run.state}: {run.reason.splitlines()[0][:60]}" if run.reason else str(run.state)


def _slot(run: Run) -> str:
    if run.warmup:
        return "warm-up"
    return f"{run.round} of {run.experiment_id}" if run.experiment_id else ""


def findings_table(findings: Sequence[Finding]) -> Table:
    """A row a finding of `doctor`."""
    rows = tuple(
        Row(("✔" if finding.good else "✖", finding.what, finding.found, finding.fix), strong=not finding.good)
        for finding in findings
    )
    return Table("", ("", "what", "found", "what to do"), rows, numbers=False)
