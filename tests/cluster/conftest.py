"""`fluidbench` against the cluster stand-in: in this process, or as a program."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from support.program import Outcome, Program
from tests.cluster.acts import played
from tests.cluster.cluster import Cluster, cluster
from tests.conftest import Cli


@dataclass
class World:
    """A home whose current target is the cluster; scripts are played unless a test takes the acts away."""

    cluster: Cluster
    home: Path
    cli: Cli

    def __call__(self, *argv: str) -> Outcome:
        return self.cli(*argv)

    def run(self, *argv: str) -> Outcome:
        """One run at multiplier 1, as JSON."""
        return self.cli("run", "-m", "1", "--json", *argv)

    @property
    def program(self) -> Program:
        """The same, as a process that can be stopped and killed."""
        return Program(self.home)

    def recorded(self) -> dict[str, Any]:
        """The last run that is recorded."""
        run: dict[str, Any] = self.cli("history", "--json").json["runs"][0]
        return run


@pytest.fixture
def world(home: Path, tmp_path: Path, cli: Cli) -> Iterator[World]:
    with cluster(tmp_path) as made:
        made.argo.kubelet.acts.update(played())
        made.make_current(home)
        yield World(made, home, cli)
