"""`fluidbench up` and its kin through `main(argv)`: fake programs are the whole PATH, the API server is over HTTP."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from fluidbench import pins
from fluidbench.cli.main import main
from fluidbench.targets.cluster import current
from fluidbench.targets.cluster.bringup import stages, waiting
from tests.kube.apiserver import TOKEN, ApiServer
from tests.kube.plugin import api
from tests.up.programs import Programs, make
from tests.up.stack import ARGO_MANIFEST, Stack

__all__ = ["api"]

IMAGES = [*pins.FLUID_IMAGES, *pins.VINEYARD_IMAGES, *pins.ARGO_IMAGES, pins.KUBERNETES_NODE_IMAGE]


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(self.out)
        return told

    @property
    def stages(self) -> dict[str, bool]:
        """The stages that ended, and whether each was found done."""
        return {stage["stage"]: stage["found"] for stage in self.json["stages"]}


@dataclass
class World:
    """A host with its programs, and the cluster behind them."""

    api: ApiServer
    stack: Stack
    programs: Programs
    home: Path
    capfd: pytest.CaptureFixture[str]

    def __call__(self, *argv: str) -> Outcome:
        self.capfd.readouterr()
        code = main(argv)
        printed = self.capfd.readouterr()
        return Outcome(code, printed.out, printed.err)

    def up(self, *argv: str) -> Outcome:
        """`up` of a kind cluster called bench with small workers, as JSON."""
        return self("up", *self.files, "--name", "bench", "--quota", "512Mi", "--json", *argv)

    @property
    def files(self) -> list[str]:
        """What replaces the published locations."""
        return [
            "--fluid-chart", str(self.home / "fluid.tgz"), "--argo-manifest", str(self.home / "argo.yaml"),
            "--data-dir", str(self.home / "data"),
        ]  # fmt: skip

    def current(self) -> current.Current:
        found = current.load()
        assert found is not None
        return found


@pytest.fixture
def world(
    api: ApiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Iterator[World]:
    home = tmp_path / "home"
    home.mkdir()
    for kind in ("STATE", "DATA", "CACHE"):
        monkeypatch.setenv(f"XDG_{kind}_HOME", str(home / kind.lower()))
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "KUBECONFIG"):
        monkeypatch.delenv(name, raising=False)
    programs = make(tmp_path, api.url, _kubeconfig(api), IMAGES)
    monkeypatch.setenv("PATH", str(programs.bin))
    # the tests wait for the same things, but not as long
    monkeypatch.setattr(stages, "IDLE_S", 0.01)
    monkeypatch.setattr(waiting, "LOOK_EVERY_S", 0.02)
    (home / "argo.yaml").write_text(ARGO_MANIFEST)
    (home / "fluid.tgz").write_text("")
    yield World(api, Stack(api), programs, home, capfd)
    shutil.rmtree(home, ignore_errors=True)


def _kubeconfig(api: ApiServer) -> str:
    """A kubeconfig for any context, as a template."""
    name = "%(context)s"
    return json.dumps({
        "apiVersion": "v1", "kind": "Config", "current-context": name,
        "clusters": [{"name": name, "cluster": {"server": api.url}}],
        "users": [{"name": name, "user": {"token": TOKEN}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
    })  # fmt: skip


@pytest.fixture
def existing(world: World) -> list[str]:
    """Options that name an existing cluster, with three nodes, which is not kind's."""
    kubeconfig = world.home / "kubeconfig"
    kubeconfig.write_text(_kubeconfig(world.api) % {"context": "office"})
    for number in range(3):
        world.api.add({
            "apiVersion": "v1", "kind": "Node", "metadata": {"name": f"office-{number}"}, "spec": {},
            "status": {"conditions": [{"type": "Ready", "status": "True"}], "allocatable": {"memory": "64Gi"}},
        })  # fmt: skip
    return ["--context", "office", "--kubeconfig", str(kubeconfig), "--step-image", "registry.example/steps:1"]
