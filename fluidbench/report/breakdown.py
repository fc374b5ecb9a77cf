"""What stands under the total: where the saving came from, what it could be at best, and what it cost."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from fluidbench import text
from fluidbench.analysis import PARTS, Analysis, BestFile, Profile
from fluidbench.comparison import Comparison
from fluidbench.report import tables
from fluidbench.report.tables import Row, Table
from fluidbench.whatif import BreakEven, Prediction, WhatIf

PART_NAMES = {"orchestration": "orchestration, around the steps"}


def with_breakdown(table: Table, comparison: Comparison, analysis: Analysis | None) -> Table:
    """The table of a comparison with the rows of its analysis, under the rows that they belong to."""
    if analysis is None:
        return table
    under = {
        "total": [*_part_rows(analysis), *_ceiling_rows(analysis)],
        "shared memory held": list(_cost_rows(comparison, analysis)),
    }
    rows = [one for row in table.rows for one in (row, *under.get(row.cells[0], ()))]
    return replace(table, rows=tuple(rows))


def _part_rows(analysis: Analysis) -> Iterable[Row]:
    for part in PARTS:
        means = [profile.parts[part] for profile in analysis.profiles]
        if part == "other" and not any(means):
            continue
        saved = [cell for one in analysis.savings for cell in ("", signed(one.parts[part]))]
        yield Row((f"{PART_NAMES.get(part, part)} (mean)", *map(text.seconds, means), *saved), depth=1)
    moved = [cell for one in analysis.savings for cell in ("", signed(one.elsewhere_s))]
    yield Row(("saved elsewhere than in exchange", *[""] * len(analysis.profiles), *moved))


def _ceiling_rows(analysis: Analysis) -> Iterable[Row]:
    ceiling, arms = analysis.ceiling, analysis.profiles
    for name, ratio, saved in (
        ("ceiling: exchange free", ceiling.exchange_ratio, ceiling.exchange_s),
        ("ceiling: exchange between steps free", ceiling.handed_over_ratio, ceiling.handed_over_s),
    ):
        cells = (f"{ratio:.2f}x" if ratio else "", signed(saved))
        yield Row((name, *[""] * len(arms), *cells * len(analysis.savings)))


def _cost_rows(comparison: Comparison, analysis: Analysis) -> Iterable[Row]:
    arms, empty = analysis.profiles, [""] * (2 * len(analysis.savings))
    yield Row(("shared memory held, times the run", *(byte_seconds(arm.shared_memory_byte_s) for arm in arms), *empty))
    if comparison.identity and comparison.identity.target != "local":
        yield Row(("reached by", *map(reached_by, arms), *empty))
        yield Row(("nodes", *(", ".join(arm.nodes) for arm in arms), *empty))


def remarks(analysis: Analysis | None) -> list[str]:
    """What is told in sentences: the best file store, and what another storage would make of it."""
    if analysis is None:
        return []
    said = [_best_file(analysis.best_file)] if analysis.best_file else []
    for entry in analysis.what_if:
        if entry.asked:
            said.append(_asked(entry, entry.asked))
        said.append(_break_even(entry))
    return [*said, *(line for machine in _machines(analysis) for line in machine)]


def _best_file(best: BestFile) -> str:
    times = ", ".join(f"{store} {text.seconds(seconds)}" for store, seconds in best.seconds.items())
    said = f"Best file store: {best.store} (from {best.chosen_from}: {times})."
    for entry in best.comparisons:
        if entry.ratio is not None:
            said += f" Against it {entry.arm} is {entry.ratio:.2f}x{_spread(entry.interval)}: {entry.verdict}."
    return said


def _asked(entry: WhatIf, asked: Prediction) -> str:
    reads, writes = asked.reads_wait, asked.writes_wait
    return (
        f"Model: at {text.bandwidth(asked.bandwidth_bytes_per_s)} {entry.arm} would be {reads.ratio:.2f}x, "
        f"{signed(reads.saving_s)} saved; where writes wait too, as on NFS, {writes.ratio:.2f}x, "
        f"{signed(writes.saving_s)} saved."
    )


def _break_even(entry: WhatIf) -> str:
    saw = f"; these runs read at up to {text.bandwidth(entry.read_bytes_per_s)}" if entry.read_bytes_per_s else ""
    return (
        f"Model: {entry.arm} is faster {even_words(entry.break_even)}; where writes wait too, "
        f"{even_words(entry.break_even_writes_wait)}{saw}."
    )


def even_words(even: BreakEven) -> str:
    """Where an arm is the faster one: below 1.2 GB/s."""
    if even.bandwidth_bytes_per_s is None:
        return {"always": "at any bandwidth", "never": "at no bandwidth"}.get(even.faster, "nowhere: both are the same")
    return f"{even.faster} {text.bandwidth(even.bandwidth_bytes_per_s)}"


def _machines(analysis: Analysis) -> Iterable[list[str]]:
    """Side by side, where rounds of several machines were compared by force."""
    if len(analysis.machines) < 2:
        return
    for machine in analysis.machines:
        times = ", ".join(f"{store} {text.seconds(seconds)}" for store, seconds in machine.median_s.items())
        ratios = ", ".join(
            f"{entry.arm} {entry.ratio:.2f}x{_spread(entry.interval)}" for entry in machine.comparisons if entry.ratio
        )
        yield [f"Machine {machine.hash}: rounds {machine.rounds}; {times}; {ratios}."]


def difference_lines(differences: Mapping[str, tuple[str, str]]) -> list[str]:
    """Each fact that differs, here and there."""
    return [f"{name}: {here} here, {there} there" for name, (here, there) in differences.items()]


def reached_by(profile: Profile) -> str:
    """How the tables came: ipc; or with the steps, where these differ: ipc (test-data: rpc)."""
    ways: Sequence[str] = [", ".join(ways) for ways in profile.transports.values()]
    if len(set(ways)) <= 1:
        return ways[0] if ways else ""
    return "; ".join(f"{step}: {', '.join(found)}" for step, found in profile.transports.items())


def byte_seconds(value: float) -> str:
    """3.2 GB x s."""
    return f"{text.size(value)} x s"


def signed(seconds: float) -> str:
    """+0.123 s, -4.2 s; what rounds to nothing has no sign."""
    if abs(seconds) < 0.0005:
        return "0.000 s"
    return tables.signed(seconds)


def _spread(interval: tuple[float, float] | None) -> str:
    return f" ({interval[0]:.2f} to {interval[1]:.2f})" if interval else ""
