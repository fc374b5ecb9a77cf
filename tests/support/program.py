"""FluidBench as its users meet it: a program, with a home of its own."""

import contextlib
import json
import os
import pty
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

TESTS = Path(__file__).resolve().parent.parent
# Python reads where an editable install lies in the locale's encoding: in C it finds none below 中文
C_LOCALE = {"LC_ALL": "C"} if __file__.isascii() else {}
NO_UTF8 = {**C_LOCALE, "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"} if C_LOCALE else {}
STEERING = ("VINEYARD_", "FLUIDBENCH_", "GLOG_", "XDG_")


@dataclass(frozen=True)
class Outcome:
    """How a command ended, and what it printed."""

    returncode: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        return json.loads(self.stdout)


def executable(prefix: str = sys.prefix) -> str:
    """The console script of the environment that runs the tests."""
    return str(Path(prefix) / "bin" / "fluidbench")


def environment(home: Path, **more: str) -> dict[str, str]:
    """This process's environment with state and data in `home`, and the tests' own stores importable."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(STEERING) and name != "COLUMNS"}
    own = {"XDG_STATE_HOME": f"{home}/state", "XDG_DATA_HOME": f"{home}/data", "XDG_CACHE_HOME": f"{home}/cache"}
    return kept | own | {"PYTHONPATH": str(TESTS)} | more


@dataclass
class Program:
    """Runs the real program with its state and data in `home`."""

    home: Path
    more: Mapping[str, str] = field(default_factory=dict)

    @property
    def state(self) -> Path:
        return self.home / "state" / "fluidbench"

    @property
    def data(self) -> Path:
        return self.home / "data" / "fluidbench"

    def copy_dataset(self, place: Path) -> None:
        """Copies the dataset of multiplier 1 with its times, so that it counts as known there too."""
        place.mkdir(parents=True, exist_ok=True)
        for name in ("df_1.pkl", "df_1.json"):
            shutil.copy2(self.data / name, place / name)

    def __call__(self, *argv: str, timeout_s: float = 280, stdin: str = "", **env: str) -> Outcome:
        with self.start(*argv, **env) as process:
            stdout, stderr = process.communicate(stdin, timeout=timeout_s)
        return Outcome(process.returncode, stdout, stderr)

    def start(self, *argv: str, **env: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [executable(), *argv],
            env=environment(self.home, **(dict(self.more) | env)),
            cwd=self.home,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def watched(self, *argv: str, **env: str) -> tuple[Outcome, "Watch"]:
        """Runs to the end, and tells which processes and private directories there were."""
        process = self.start(*argv, **env)
        with Watch(process.pid) as watch:
            stdout, stderr = process.communicate(timeout=280)
        return Outcome(process.returncode, stdout, stderr), watch

    def in_a_terminal(self, *argv: str) -> tuple[Outcome, "Watch"]:
        """Runs to the end in a terminal of its own; what the terminal showed is in stdout."""
        ours, theirs = pty.openpty()
        process = subprocess.Popen(
            [executable(), *argv], env=environment(self.home, TERM="xterm"), cwd=self.home,
            stdin=theirs, stdout=theirs, stderr=theirs,
        )  # fmt: skip
        os.close(theirs)
        shown = b""
        with Watch(process.pid) as watch, contextlib.suppress(OSError):  # raised when the other end is closed
            while piece := os.read(ours, 65536):
                shown += piece
        os.close(ours)
        return Outcome(process.wait(60), shown.decode(), ""), watch


class Watch:
    """Looks at the children of a process every few milliseconds: their ids, and the directories they work in."""

    def __init__(self, pid: int) -> None:
        self._parent = psutil.Process(pid)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self.children: set[psutil.Process] = set()
        self.directories: set[Path] = set()
        self.names: set[str] = set()

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def wait_for(self, name: str, timeout_s: float = 120) -> psutil.Process:
        """The first child whose command line contains `name`, once there is one."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            for child in list(self.children):
                if name in " ".join(_command(child)[-8:]) and "-S" not in _command(child):
                    return child
            time.sleep(0.02)
        raise AssertionError(f"no child {name} within {timeout_s} s")

    def alive(self) -> list[psutil.Process]:
        return [child for child in self.children if _runs(child)]

    def left(self) -> list[Path]:
        """Directories that are still there, and logs in /tmp that carry the number of one of the processes."""
        logs = [path for child in self.children for path in Path("/tmp").glob(f"*.{child.pid}")]
        return [path for path in self.directories if path.exists()] + logs

    def _look(self) -> None:
        while not self._stop.wait(0.02):
            try:
                found = self._parent.children(recursive=True)
            except psutil.NoSuchProcess:
                return
            for child in found:
                self.children.add(child)
                self.names.add(" ".join(_command(child)))
                if (place := _directory(child)) is not None:
                    self.directories.add(place)


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def _directory(process: psutil.Process) -> Path | None:
    try:
        place = Path(process.cwd())
    except (psutil.Error, OSError):
        return None
    return place if place.name.startswith("fluidbench-") else None


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def gone_within(watch: Watch, seconds: float) -> bool:
    """Whether all that `watch` saw is gone before so many seconds have passed."""
    deadline = time.monotonic() + seconds
    while watch.alive() and time.monotonic() < deadline:
        time.sleep(0.02)
    return not watch.alive()
