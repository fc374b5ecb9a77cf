"""More stores than fit side by side are a row each."""

from dataclasses import replace

from fluidbench.comparison import compare
from fluidbench.report import tables
from support.made import rounds, run

STORES = ("pickle", "parquet", "arrow", "vineyard")


def test_every_store_is_a_row_with_its_steps_and_how_it_stands_against_the_first() -> None:
    pairs = [(10.0, 8.0), (11.0, 8.8), (12.0, 9.6)]
    runs = rounds(*pairs)
    for store, factor in (("parquet", 0.5), ("arrow", 1.0)):
        others = rounds(*((before, before * factor) for before, _ in pairs), arm=store)
        runs += [one for one in others if one.identity.store == store]
    places = {store: place for place, store in enumerate(STORES)}
    runs = [replace(one, position=places[one.identity.store]) for one in runs]
    found = compare(sorted(runs, key=lambda one: (one.round or 0, one.position or 0)), STORES, run())
    table = tables.overview_table(found)
    assert table.headers == ("", "train-data", "around", "total", "ratio", "saved", "private", "shared")
    rows = {row.cells[0]: dict(zip(table.headers, row.cells, strict=True)) for row in table.rows}
    assert list(rows) == list(STORES)
    assert {store: row["ratio"] for store, row in rows.items()} == {
        "pickle": "", "parquet": "2.00x", "arrow": "1.00x", "vineyard": "1.25x",
    }  # fmt: skip
    assert (rows["parquet"]["total"], rows["parquet"]["saved"], rows["pickle"]["saved"]) == ("5.5 s", "+5.5 s", "")
