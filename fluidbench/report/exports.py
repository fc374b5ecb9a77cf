"""A comparison as CSV, for a spreadsheet, and as Markdown, for an issue."""

import csv
import io
from collections.abc import Iterable

from fluidbench.analysis import Analysis
from fluidbench.comparison import Comparison
from fluidbench.report import breakdown, sentences, tables
from fluidbench.report.tables import Row, Table

CSV_COLUMNS = (
    "arm", "baseline", "scope", "baseline_mean_s", "arm_mean_s", "ratio", "low", "high", "method", "verdict",
    "saving_s", "rounds",
)  # fmt: skip


def as_csv(comparison: Comparison, analysis: Analysis | None) -> str:
    """A line an arm and scope, parts of the saving included; every number with all its digits."""
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    for entry in comparison.comparisons:
        low, high = entry.interval or ("", "")
        ratio = "" if entry.ratio is None else entry.ratio
        means = _means(analysis, entry.arm, entry.baseline) if entry.scope == "total" else ("", "")
        writer.writerow((
            entry.arm, entry.baseline, entry.scope, *means, ratio, low, high, entry.method, entry.verdict,
            entry.saving_s, comparison.rounds,
        ))  # fmt: skip
    writer.writerows(_part_lines(comparison, analysis))
    return lines.getvalue()


def _means(analysis: Analysis | None, *arms: str) -> tuple[object, object]:
    means = {profile.arm: profile.mean_s for profile in analysis.profiles} if analysis else {}
    arm, baseline = arms
    return means.get(baseline, ""), means.get(arm, "")


def _part_lines(comparison: Comparison, analysis: Analysis | None) -> Iterable[tuple[object, ...]]:
    if analysis is None:
        return
    parts = {profile.arm: profile.parts for profile in analysis.profiles}
    for saving in analysis.savings:
        for part, seconds in saving.parts.items():
            means = parts[saving.baseline][part], parts[saving.arm][part]
            yield (
                saving.arm, saving.baseline, f"part:{part}", *means, "", "", "", "mean", "", seconds, comparison.rounds,
            )  # fmt: skip


def as_markdown(comparison: Comparison, analysis: Analysis | None, about: str) -> str:
    """Sentences, the table, and the machine; `about` says what was compared."""
    lines = [*(f"**{line}**" for line in map(_escaped, sentences.headline(comparison))), "", _escaped(about), ""]
    if comparison.rounds:
        lines += _table(breakdown.with_breakdown(tables.comparison_table(comparison), comparison, analysis))
    lines += ["", *(f"- Confounded: {_escaped(reason)}" for reason in comparison.confounded)]
    lines += [f"- {_escaped(line)}" for line in _remarks(comparison, analysis)]
    lines += [f"- Not the same: {_escaped(line)}" for line in comparison.differences[:5]]
    for machine in analysis.machines if analysis else ():
        lines += ["", f"<details><summary>Machine {machine.hash}</summary>", ""]
        lines += _table(Table("", ("fact", "value"), tuple(Row(entry) for entry in machine.facts.items()), False))
        lines += ["", "</details>"]
    return "\n".join(lines).replace("\n\n\n", "\n\n").strip() + "\n"


def _remarks(comparison: Comparison, analysis: Analysis | None) -> list[str]:
    return [*sentences.remarks(comparison), *breakdown.remarks(analysis)] if comparison.rounds else []


def _table(table: Table) -> Iterable[str]:
    align = ["---:" if table.numbers and place else ":---" for place in range(len(table.headers))]
    yield _line(map(_escaped, table.headers))
    yield _line(align)
    for row in table.rows:
        cells = [_escaped(cell) for cell in row.cells]
        if row.strong:
            cells = [f"**{cell}**" if cell else "" for cell in cells]
        # a table of Markdown has no other way to set a cell in
        yield _line(["&nbsp;" * 4 * row.depth + cells[0], *cells[1:]])


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _escaped(text: str) -> str:
    """Text that Markdown shows as it is."""
    for character in "\\`*_|<>[]#":
        text = text.replace(character, f"\\{character}")
    return " ".join(text.split())
