"""Each target once, with a prepared dataset and a comparison of two rounds: the tests look at the same runs."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from fluidbench.tools import vineyardd
from support.program import Outcome
from tests.conformance.bench import OPEN, Bench

STORES = ("pickle", "vineyard")


@dataclass
class Compared:
    """A target, and what its commands told."""

    bench: Bench
    prepared: Outcome
    compared: Outcome
    runs: list[dict[str, Any]]
    left: list[str]

    def of(self, store: str, *, warmup: bool = False) -> list[dict[str, Any]]:
        """The runs through a store."""
        return [run for run in self.runs if run["identity"]["store"] == store and run["warmup"] == warmup]


@pytest.fixture(scope="session", params=sorted(OPEN))
def target(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Compared]:
    if reason := vineyardd.unsupported():
        pytest.skip(reason)
    with OPEN[request.param](tmp_path_factory.mktemp(f"conformance-{request.param}")) as bench:
        prepared = bench("prepare", "--multiplier", "1", "--json")
        assert prepared.returncode == 0, prepared.stderr
        compared = bench("compare", "-m", "1", "--rounds", "2", "--threads", "1", "--yes", "--json")
        assert compared.returncode == 0, compared.stderr
        yield Compared(bench, prepared, compared, bench.recorded(), bench.left())
