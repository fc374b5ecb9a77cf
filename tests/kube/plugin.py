"""Fixtures for every part that talks to a cluster: `from tests.kube.plugin import api, kube` in a conftest.py.

`fixture(name)` and `sequence(name)` are what a genuine cluster answered (Kubernetes 1.34.4, Fluid 1.0.8, Argo 3.7.18,
Vineyard 0.22.2), one state each, named after what had gone wrong; numbered ones are successive states of one object.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fluidbench.kube import Kube, Pauses
from tests.kube.apiserver import ApiServer

FIXTURES = Path(__file__).parent / "fixtures"


@pytest.fixture
def api() -> Iterator[ApiServer]:
    """An API server over HTTP; see apiserver.py for what it can do, and what can be done to it."""
    server = ApiServer()
    yield server
    server.close()


@pytest.fixture
def kube(api: ApiServer, tmp_path: Path) -> Kube:
    """A client of it that waits little between attempts."""
    return Kube.open(api.kubeconfig(tmp_path / "kubeconfig"), None, Pauses(first_s=0.01, longest_s=0.02))


def fixture(name: str) -> Any:
    """What a real cluster answered: an object, or the items of a list."""
    told = json.loads((FIXTURES / f"{name}.json").read_text(encoding="utf-8"))
    return told["items"] if told.get("kind") == "List" else told


def sequence(name: str) -> list[Any]:
    """The successive states of one object: `sequence("workflow-seq-vineyard")`."""
    return [fixture(path.stem) for path in sorted(FIXTURES.glob(f"{name}-[0-9][0-9]*.json"))]


def config_map(name: str = "settings", **data: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "default"}, "data": data,
    }  # fmt: skip


def workflow(name: str = "", **metadata: Any) -> dict[str, Any]:
    """Without a name it is given one by the server."""
    named = {"name": name} if name else {"generateName": "pipeline-"}
    return {
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow",
        "metadata": {"namespace": "default", **named, **metadata}, "spec": {},
    }  # fmt: skip
