from dataclasses import replace

import pandas as pd
import pytest

import schema
from fluidbench.needs import needs
from fluidbench.plan import COLUMNS, PUBLISHED, ROWS_PER_MULTIPLIER, TABLES, Plan, dataset_bytes
from fluidbench.targets.local.preflight import largest, memory_bytes


def test_the_published_pipeline_is_three_steps_in_a_row() -> None:
    assert [step.name for step in PUBLISHED.steps] == ["preprocess-data", "train-data", "test-data"]
    seen: set[str] = set()
    for step in PUBLISHED.steps:
        assert set(step.needs) <= seen
        seen.add(step.name)


def test_only_the_first_step_is_told_the_multiplier_as_published() -> None:
    assert [step.takes_multiplier for step in PUBLISHED.steps] == [True, False, False]


def test_the_plan_knows_the_same_dataset_as_the_steps() -> None:
    assert (len(schema.COLUMNS), schema.ROWS_PER_MULTIPLIER) == (COLUMNS, ROWS_PER_MULTIPLIER)


def test_the_published_sizes_are_those_of_the_workload() -> None:
    assert dataset_bytes(1) == 3_680_000
    assert dataset_bytes(2000) == 7_360_000_000
    assert Plan("pickle", 100).rows == 1_000_000


def test_the_exchange_has_room_for_the_four_tables_with_their_indexes() -> None:
    rows = 763_697 + 190_925  # multiplier 100, from the expected results
    one_index = 8 * rows
    assert rows * 46 * 8 + 2 * one_index == pytest.approx(Plan("pickle", 100).exchange_bytes, rel=0.001)
    assert len(TABLES) == 4


@pytest.mark.parametrize("store", ["pickle", "vineyard"])
def test_the_largest_multiplier_is_the_last_one_that_fits(store: str) -> None:
    plan = Plan(store, 1)
    for memory, disk in ((20_000_000_000, 1 << 60), (1 << 60, 10_000_000_000), (2_000_000_000, 3_000_000_000)):
        last = largest(plan, memory, disk)
        fitting, larger = replace(plan, multiplier=last), replace(plan, multiplier=last + 1)
        assert memory_bytes(fitting) <= memory
        assert needs(fitting).disk_bytes <= disk
        assert memory_bytes(larger) > memory or needs(larger).disk_bytes > disk


def test_nothing_fits_into_nothing() -> None:
    assert largest(Plan("pickle", 1), 0, 0) == 0


def test_the_columns_are_46_integers_with_names_of_their_own() -> None:
    names = [name for name, low, high in schema.COLUMNS if low < high]
    assert len(set(names)) == 46
    assert pd.Index(names).is_unique
