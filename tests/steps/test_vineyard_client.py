"""How a step finds the Vineyard of its node, in the states that a cluster was seen in: with a real vineyardd."""

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fluidbench.places import steps_dir
from fluidbench.tools import vineyardd

pytestmark = pytest.mark.skipif(bool(vineyardd.unsupported()), reason=vineyardd.unsupported() or "supported")
CONFIG = f"Vineyard:\n  IPCSocket: {vineyardd.SOCKET_NAME}\n  RPCEndpoint: ''\n"
SCRIPT = "import sys, vineyard_client; print(vineyard_client.connect(float(sys.argv[1])).has_ipc_client())"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[vineyardd.Server]:
    place = tmp_path_factory.mktemp("v")
    with vineyardd.serving(16_000_000, place, place / "vineyardd.log") as serving:
        yield serving


def connecting(mount: Path, meanwhile: Callable[[], object], wait_s: float = 20) -> subprocess.CompletedProcess[str]:
    """A step connects through what `mount` shows; `meanwhile` happens while it waits."""
    timer = threading.Timer(2.0, meanwhile)
    timer.start()
    env = vineyardd.clean_environment() | {"VINEYARD_CONFIG": str(mount), "PYTHONPATH": str(steps_dir())}
    argv = [sys.executable, "-c", SCRIPT, str(wait_s)]
    try:
        return subprocess.run(argv, env=env, capture_output=True, text=True, timeout=60, check=False)
    finally:
        timer.cancel()
        timer.join()


def link(server: vineyardd.Server, mount: Path) -> None:
    (mount / vineyardd.SOCKET_NAME).hardlink_to(server.socket)


def test_a_configuration_that_is_not_there_yet_is_waited_for(server: vineyardd.Server, tmp_path: Path) -> None:
    link(server, tmp_path)
    done = connecting(tmp_path, lambda: (tmp_path / "vineyard-config.yaml").write_text(CONFIG))
    assert done.stdout.split() == ["True"], done.stderr


@pytest.mark.parametrize("half", ["", "Vineyard:\n  IPCSocket: vine"])
def test_half_of_a_configuration_is_read_again(server: vineyardd.Server, tmp_path: Path, half: str) -> None:
    link(server, tmp_path)
    config = tmp_path / "vineyard-config.yaml"
    config.write_text(half)
    done = connecting(tmp_path, lambda: config.write_text(CONFIG))
    assert done.stdout.split() == ["True"], done.stderr


def test_a_socket_that_appears_some_seconds_later_is_waited_for(server: vineyardd.Server, tmp_path: Path) -> None:
    (tmp_path / "vineyard-config.yaml").write_text(CONFIG)
    done = connecting(tmp_path, lambda: link(server, tmp_path))
    assert done.stdout.split() == ["True"], done.stderr


def test_a_configuration_that_is_nowhere_is_an_error_and_no_server_is_started(tmp_path: Path) -> None:
    done = connecting(tmp_path / "nowhere", lambda: None, wait_s=0.5)
    assert done.returncode == 1
    assert "Error" in done.stderr.splitlines()[-1]
    assert done.stdout == ""
