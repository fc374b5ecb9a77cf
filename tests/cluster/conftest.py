"""`fluidbench` against the cluster stand-in: in this process, or as a program."""

import dataclasses
from collections.abc import Callable, Iterator
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

    def act(self, step: str, **changes: Any) -> None:
        """Has a step act otherwise than it does when all is well."""
        acts = self.cluster.argo.kubelet.acts
        acts[step] = dataclasses.replace(acts[step], **changes)

    def during(self, step: str, action: Callable[[], object], takes_s: float = 0.0) -> None:
        """Calls `action` while the step is at work."""
        self.act(step, during=action, takes_s=takes_s)

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
