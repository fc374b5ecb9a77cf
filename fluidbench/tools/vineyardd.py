"""vineyardd, as it comes inside the vineyard package."""

import contextlib
import importlib.util
import os
import platform
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fluidbench.command import Child, running
from fluidbench.errors import ExternalFailure, ToolMissing, UsageProblem
from fluidbench.signals import held
from fluidbench.wait import wait_until

START_TIMEOUT_S = 300.0
SOCKET_NAME = "vineyard.sock"
# PYTHONDONTWRITEBYTECODE, say, has every step compile pandas anew
STEERING = ("VINEYARD_", "FLUIDBENCH_", "GLOG_", "PYTHON")


def unsupported(system: str = sys.platform, version: tuple[int, int] = sys.version_info[:2]) -> str:
    """Why vineyard cannot be had on a platform, in one sentence; "" where it can."""
    if system != "linux":
        return f"vineyard has packages for Linux only, and this is {platform.system()}"
    if version >= (3, 13):
        return f"vineyard has packages for Python 3.11 and 3.12, and this is {platform.python_version()}"
    return ""


def require_support() -> None:
    """Raises UsageProblem where vineyard cannot be had."""
    if reason := unsupported():
        raise UsageProblem(
            f"the local target cannot run here: {reason}",
            "Use Linux with Python 3.11 or 3.12; history and compare --no-run work everywhere.",
        )


def executable() -> Path:
    """The vineyardd in the installed package; raises UsageProblem or ToolMissing where there is none."""
    require_support()
    spec = importlib.util.find_spec("vineyard")
    if spec is None or not spec.submodule_search_locations:
        raise ToolMissing("the package vineyard is not installed", "Install it: pip install vineyard==0.22.2")
    path = Path(spec.submodule_search_locations[0]) / "bdist" / "vineyardd"
    if not os.access(path, os.X_OK):
        raise ToolMissing(
            f"the installed package vineyard has no vineyardd at {path}",
            "Install it again: pip install --force-reinstall vineyard==0.22.2 vineyard-bdist==0.22.2",
        )
    return path


@dataclass(frozen=True)
class Server:
    """A running vineyardd and a client that is connected to it."""

    socket: Path
    start_s: float
    client: Any

    def used_bytes(self) -> int:
        return int(self.client.status.memory_usage)

    def drop(self, names: Sequence[str]) -> None:
        """Removes the names and frees their objects; a name alone, put again, would leak what it named before."""
        for name in names:
            with contextlib.suppress(RuntimeError):  # vineyard's own errors: no such name, no such object
                object_id = self.client.get_name(name)
                self.client.drop_name(name)
                self.client.delete(object_id, force=True, deep=True)


def environment(directory: Path) -> dict[str, str]:
    """What a client needs to reach the server in `directory`, and no other."""
    return {
        "VINEYARD_IPC_SOCKET": str(directory / SOCKET_NAME),
        # an address from the user's environment or from /var/run must not come in between
        "VINEYARD_CONFIG": str(directory / "no-such-configuration"),
        "GLOG_log_dir": str(directory),
        "GLOG_logtostderr": "1",
    }


@contextlib.contextmanager
def serving(size_bytes: int, directory: Path, log: Path) -> Iterator[Server]:
    """A vineyardd with `size_bytes` reserved beforehand, as Fluid's chart does; gone when the block is left.

    Ready means that a client's connect has returned.
    """
    argv = [
        str(executable()), "--socket", str(directory / SOCKET_NAME), "--size", str(size_bytes), "--reserve_memory",
        "--meta", "local", "--rpc=false", "--deployment", "local",
    ]  # fmt: skip
    with held():
        import vineyard  # noqa: F401 - before the clock: it takes a second, and is ours to wait for, not the server's

    began = time.monotonic()
    with running(argv, env=clean_environment() | environment(directory), cwd=directory, log=log) as child:
        _await_socket(directory / SOCKET_NAME, child)
        client = _connected(directory / SOCKET_NAME, child)
        yield Server(directory / SOCKET_NAME, time.monotonic() - began, client)


def clean_environment() -> dict[str, str]:
    """This process's environment without anything that steers vineyard, a step, or the interpreter's speed."""
    return {name: value for name, value in os.environ.items() if not name.startswith(STEERING)}


def _await_socket(socket: Path, child: Child) -> None:
    def listening() -> bool | None:
        if (ended := child.wait(0)) is not None:
            raise _ended(child, f"with {ended.returncode} before it was ready")
        return socket.exists() or None

    # it listens only after its memory is reserved
    wait_until(listening, what="vineyardd", timeout_s=START_TIMEOUT_S, interval_s=0.02, hint=f"Its log: {child.log}")


def _connected(socket: Path, child: Child) -> Any:
    import vineyard

    try:
        return vineyard._connect(str(socket))
    except RuntimeError as error:  # vineyard's own errors: it may die while it is being spoken to
        raise _ended(child, f"or does not answer: {error}") from error


def _ended(child: Child, how: str) -> ExternalFailure:
    tail = "\n".join(child.log.read_text(errors="replace").splitlines()[-10:])
    return ExternalFailure(f"vineyardd ended {how}\n{tail}", f"Its log: {child.log}")
