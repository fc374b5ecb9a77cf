"""A real cluster: that of FLUIDBENCH_E2E_KUBECONFIG, or a kind cluster that is made where docker and kind are there.

FLUIDBENCH_E2E_CONTEXT names the context in that kubeconfig (its current one by default); FLUIDBENCH_E2E_UP holds more
options for `fluidbench up`, as one would write them in a shell, such as `--quota 1Gi --workers 2`.
"""

import json
import os
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.program import Outcome, Program

UP_TIMEOUT_S = 1800
COMMAND_TIMEOUT_S = 900


@dataclass
class RealCluster:
    """The program with a home of its own, and the options that name its cluster."""

    program: Program
    options: list[str]
    brought_up: Outcome

    def __call__(self, *argv: str) -> Outcome:
        return self.program(*argv, timeout_s=COMMAND_TIMEOUT_S)

    def up(self) -> Outcome:
        return self.program("up", *self.options, "--json", timeout_s=UP_TIMEOUT_S)


@pytest.fixture(scope="session")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealCluster]:
    options = [*_named(), *shlex.split(os.environ.get("FLUIDBENCH_E2E_UP", ""))]
    home = tmp_path_factory.mktemp("e2e")
    program = Program(home)
    brought_up = program("up", *options, "--json", timeout_s=UP_TIMEOUT_S)
    try:
        yield RealCluster(program, options, brought_up)
    finally:
        # a second time where the last test has done it already: that is no error either
        program("down", "--purge", timeout_s=COMMAND_TIMEOUT_S)


def _named() -> list[str]:
    """The options that say which cluster; skips where there is none to be had."""
    kubeconfig = os.environ.get("FLUIDBENCH_E2E_KUBECONFIG")
    if kubeconfig:
        context = os.environ.get("FLUIDBENCH_E2E_CONTEXT") or _current_context(Path(kubeconfig))
        return ["--kubeconfig", kubeconfig, "--context", context]
    if missing := [name for name in ("docker", "kind", "helm") if shutil.which(name) is None]:
        pytest.skip(
            f"FLUIDBENCH_E2E_KUBECONFIG is not set, and there is no {' and no '.join(missing)} to make a cluster"
        )
    answered = subprocess.run(["docker", "info"], capture_output=True, text=True, check=False)
    if answered.returncode != 0:
        pytest.skip(f"FLUIDBENCH_E2E_KUBECONFIG is not set, and docker does not answer: {answered.stderr.strip()}")
    return ["--name", "fluidbench-e2e"]


def _current_context(kubeconfig: Path) -> str:
    import yaml

    told = yaml.safe_load(kubeconfig.read_text(encoding="utf-8"))
    if not told.get("current-context"):
        pytest.skip(f"{kubeconfig} has no current context: name one with FLUIDBENCH_E2E_CONTEXT")
    return str(told["current-context"])


def by_hand(cluster: RealCluster, *argv: str, stdin: str = "") -> str:
    """What kubectl or argo prints, asked as a user would beside FluidBench; skips where it is not installed."""
    if shutil.which(argv[0]) is None:
        pytest.skip(f"there is no {argv[0]} here")
    reach = cluster.brought_up.json["cluster"]
    environment = os.environ | ({"KUBECONFIG": reach["kubeconfig"]} if reach["kubeconfig"] else {})
    line = [*argv, "--context", reach["context"], "-n", reach["namespace"]]
    done = subprocess.run(
        line, input=stdin, capture_output=True, text=True, env=environment, timeout=COMMAND_TIMEOUT_S, check=False
    )
    assert done.returncode == 0, f"{line}: {done.stdout}{done.stderr}"
    return done.stdout


def last_run(cluster: RealCluster) -> dict:
    """The last run that is recorded."""
    return json.loads(cluster("history", "--json").stdout)["runs"][0]
