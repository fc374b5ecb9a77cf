"""Each target once, with a prepared dataset and a comparison of two rounds: the tests look at the same runs."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from fluidbench.tools import vineyardd
from support.bucket import Bucket
from support.program import Outcome
from tests.conformance.bench import OPEN, Bench

# compared in rounds; each of the others is run once
STORES = ("pickle", "vineyard")
OTHERS = ("parquet", "arrow", "tmpfs", "s3", "vineyard-block")
ONE_MACHINE = ("tmpfs",)


@dataclass
class Compared:
    """A target, and what its commands told."""

    bench: Bench
    prepared: Outcome
    compared: Outcome
    runs: list[dict[str, Any]]
    left: list[str]
    others: dict[str, Outcome]
    bucket: Bucket

    def of(self, store: str, *, warmup: bool = False) -> list[dict[str, Any]]:
        """The runs through a store."""
        if store in ONE_MACHINE and self.bench.target != "local":
            pytest.skip(f"{store} is for one machine")
        if store in OTHERS:
            assert self.others[store].returncode == 0, self.others[store].stderr
            return list(self.others[store].json["runs"])
        return [run for run in self.runs if run["identity"]["store"] == store and run["warmup"] == warmup]


@pytest.fixture(scope="session", params=sorted(OPEN))
def target(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, bucket: Bucket
) -> Iterator[Compared]:
    if reason := vineyardd.unsupported():
        pytest.skip(reason)
    with OPEN[request.param](tmp_path_factory.mktemp(f"conformance-{request.param}")) as bench:
        prepared = bench("prepare", "--multiplier", "1", "--json")
        assert prepared.returncode == 0, prepared.stderr
        compared = bench("compare", "-m", "1", "--rounds", "2", "--threads", "1", "--yes", "--json")
        assert compared.returncode == 0, compared.stderr
        runs = bench.recorded()
        others = {store: bench.through(store, bucket) for store in OTHERS}
        yield Compared(bench, prepared, compared, runs, bench.left(), others, bucket)
