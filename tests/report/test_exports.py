import csv
import dataclasses
import io

import pytest

from fluidbench.analysis import analyse
from fluidbench.comparison import compare
from fluidbench.report import breakdown, exports, sentences, tables
from support.recorded import experiment

STORES = ("pickle", "vineyard")
RUNS = experiment()
COMPARISON = compare(RUNS, STORES, RUNS[-1])
ANALYSIS = analyse(COMPARISON, RUNS, 300e6)


def cells(table: tables.Table, name: str) -> tuple[str, ...]:
    return next(row.cells[1:] for row in table.rows if row.cells[0].startswith(name))


@pytest.fixture
def table() -> tables.Table:
    return breakdown.with_breakdown(tables.comparison_table(COMPARISON), COMPARISON, ANALYSIS)


def test_under_the_total_stand_its_parts_and_the_ceiling(table: tables.Table) -> None:
    names = [row.cells[0] for row in table.rows]
    under = names[names.index("total") + 1 :]
    assert [name.partition(" (mean)")[0] for name in under[:7]] == [
        "exchange", "compute", "startup", "orchestration, around the steps", "saved elsewhere than in exchange",
        "ceiling: exchange free", "ceiling: exchange between steps free",
    ]  # fmt: skip
    assert {len(row.cells) for row in table.rows} == {len(table.headers)}
    assert cells(table, "shared memory held, times")[1].endswith("GB x s")


def test_where_a_run_took_place_is_a_row_on_a_cluster_only(table: tables.Table) -> None:
    assert not any(row.cells[0] == "reached by" for row in table.rows)
    identity = dataclasses.replace(RUNS[0].identity, target="cluster")
    runs = [dataclasses.replace(run, identity=dataclasses.replace(identity, store=run.identity.store)) for run in RUNS]
    last = runs[-1]
    moved = dataclasses.replace(last.steps[2], transport="rpc", node="lab-2")
    runs[-1] = dataclasses.replace(last, steps=(*last.steps[:2], moved))
    found = compare(runs, STORES, runs[-1])
    shown = breakdown.with_breakdown(tables.comparison_table(found), found, analyse(found, runs, None))
    store = 0 if last.identity.store == "pickle" else 1
    assert "test-data: " in cells(shown, "reached by")[store]
    assert "rpc" in cells(shown, "reached by")[store]
    assert cells(shown, "nodes")[store] == "lab-1, lab-2"


def test_the_model_is_told_as_one() -> None:
    said = breakdown.remarks(ANALYSIS)
    assert said[0].startswith("Best file store: pickle (from warm-ups")
    assert said[1].startswith("Model: at 300 MB/s vineyard would be")
    assert all(line.startswith("Model: ") for line in said[1:])


def test_the_csv_has_every_scope_and_part_with_all_digits() -> None:
    lines = list(csv.DictReader(io.StringIO(exports.as_csv(COMPARISON, ANALYSIS))))
    assert [(line["arm"], line["scope"]) for line in lines[: len(COMPARISON.comparisons)]] == [
        (entry.arm, entry.scope) for entry in COMPARISON.comparisons
    ]
    total = COMPARISON.total("vineyard")
    assert (float(lines[0]["ratio"]), float(lines[0]["saving_s"])) == (total.ratio, total.saving_s)
    assert float(lines[0]["baseline_mean_s"]) - float(lines[0]["arm_mean_s"]) == pytest.approx(total.saving_s)
    parts = {line["scope"]: float(line["saving_s"]) for line in lines if line["scope"].startswith("part:")}
    assert sum(parts.values()) == pytest.approx(total.saving_s)


def test_the_markdown_is_the_table_with_the_same_cells_in_every_line(table: tables.Table) -> None:
    shown = exports.as_markdown(COMPARISON, ANALYSIS, "Multiplier 500.")
    lines = [line for line in shown.split("<details>")[0].splitlines() if line.startswith("|")]
    assert len(lines) == len(table.rows) + 2
    assert {line.count("|") for line in lines} == {len(table.headers) + 1}
    assert shown.startswith(f"**{sentences.headline(COMPARISON)[0]}**")
    assert "A processor with 2 cores" in shown


def test_a_name_cannot_break_the_markdown() -> None:
    odd = "a|b*<img src=x>\n# c"
    runs = [
        dataclasses.replace(run, identity=dataclasses.replace(run.identity, store=odd))
        if run.identity.store == "vineyard"
        else run
        for run in RUNS
    ]
    found = compare(runs, ("pickle", odd), runs[-1])
    shown = exports.as_markdown(found, analyse(found, runs, None), "x")
    assert "<img" not in shown.replace("\\<img", "")
    assert not any(line.startswith("# c") for line in shown.splitlines())


def test_without_a_round_every_format_says_so() -> None:
    nothing = compare([], STORES, RUNS[0])
    assert exports.as_markdown(nothing, None, "No whole round.") == "No whole round.\n"
    assert exports.as_csv(nothing, None).splitlines() == [",".join(exports.CSV_COLUMNS)]
