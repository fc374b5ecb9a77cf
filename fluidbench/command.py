"""The only user of subprocess: programs that are run to their end, and children that are watched."""

import contextlib
import os
import select
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fluidbench.errors import ExternalFailure, ToolMissing, WaitTimeout

STDERR_TAIL_LINES = 20

# Runs in the child before the program proper, and becomes it. PR_SET_PDEATHSIG (1) has the kernel kill the child
# when the thread that started it is gone, however it went; it survives the exec. The parent may already be gone.
_LAUNCHER = """
import ctypes, os, sys, time
ctypes.CDLL(None).prctl(1, 9)
if os.getppid() != int(sys.argv[1]):
    os._exit(137)
os.environ["FLUIDBENCH_SPAWNED_AT"] = repr(time.monotonic())
os.execvp(sys.argv[2], sys.argv[2:])
"""


def shell_line(argv: Sequence[str]) -> str:
    """The command as it can be pasted into a shell."""
    return shlex.join(argv)


@dataclass(frozen=True)
class Done:
    """How a program that was run to its end ended."""

    argv: tuple[str, ...]
    returncode: int
    stdout: str
    stderr: str

    def failure(self) -> ExternalFailure:
        """The failure of this program, with its command and the end of its stderr."""
        return exit_failure(self.argv, self.returncode, self.stderr)


def exit_failure(argv: Sequence[str], returncode: int, told: str) -> ExternalFailure:
    """A program's exit as an error: the command so that it can be pasted, and the end of what it told."""
    tail = "\n".join(told.splitlines()[-STDERR_TAIL_LINES:])
    return ExternalFailure(f"exit code {returncode} from: {shell_line(argv)}\n{tail}".rstrip())


def attempt(argv: Sequence[str], *, timeout_s: float, env: Mapping[str, str] | None = None) -> Done:
    """Runs a program to its end, however it ends; raises ToolMissing when there is none, and WaitTimeout."""
    try:
        done = subprocess.run(  # noqa: S603 - argv comes from this package
            argv, capture_output=True, text=True, errors="replace", timeout=timeout_s, check=False, env=env,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except FileNotFoundError as error:
        raise ToolMissing(f"{argv[0]} was not found", f"Install {argv[0]} and put it on the PATH.") from error
    except PermissionError as error:
        raise ToolMissing(f"{argv[0]} may not be run: {error.strerror}", f"See: command -v {argv[0]}") from error
    except subprocess.TimeoutExpired as error:
        raise WaitTimeout(f"{shell_line(argv)} did not end within {timeout_s:g} s") from error
    return Done(tuple(argv), done.returncode, done.stdout, done.stderr)


def run(argv: Sequence[str], *, timeout_s: float, env: Mapping[str, str] | None = None) -> str:
    """Runs a program to its end and returns its stdout.

    Raises ToolMissing when there is no such program, WaitTimeout, and ExternalFailure when it exits non-zero.
    """
    done = attempt(argv, timeout_s=timeout_s, env=env)
    if done.returncode != 0:
        raise done.failure()
    return done.stdout


@dataclass(frozen=True)
class Exit:
    """How a child ended, and when it was seen (monotonic clock)."""

    returncode: int
    seen_at: float

    @property
    def signal(self) -> int | None:
        return -self.returncode if self.returncode < 0 else None


class Child:
    """A child process in a group of its own, with its output in a log file; it dies when this process does.

    Its own group, so that a Ctrl-C in the terminal reaches FluidBench alone, which then ends its children in order.
    """

    def __init__(self, argv: Sequence[str], *, env: Mapping[str, str], cwd: Path, log: Path) -> None:
        launcher = [sys.executable, "-I", "-S", "-c", _LAUNCHER, str(os.getpid()), *argv]
        with log.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603
                launcher, env=dict(env), cwd=cwd, stdin=subprocess.DEVNULL, stdout=output,
                stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        self.pid = self._process.pid
        self.log = log
        self._pidfd = os.pidfd_open(self.pid)
        self._exit: Exit | None = None

    def wait(self, timeout_s: float) -> Exit | None:
        """Waits for the child's end, at most `timeout_s`; None while it runs. Wakes at once, does not poll."""
        if self._exit is None and _readable(self._pidfd, timeout_s):
            seen_at = time.monotonic()
            self._exit = Exit(self._process.wait(), seen_at)
            os.close(self._pidfd)
        return self._exit

    def stop(self, grace_s: float = 5.0) -> Exit:
        """Ends the child and all of its group: SIGTERM, and SIGKILL after `grace_s`."""
        for number, patience_s in ((signal.SIGTERM, grace_s), (signal.SIGKILL, 30.0)):
            if self._exit is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self.pid, number)
            if ended := self.wait(patience_s):
                return ended
        raise ExternalFailure(
            f"process {self.pid} does not end, not even on SIGKILL", f"See: ps -o stat,wchan -p {self.pid}"
        )


def _readable(descriptor: int, timeout_s: float) -> bool:
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(max(0.0, timeout_s) * 1000))


@contextlib.contextmanager
def running(argv: Sequence[str], *, env: Mapping[str, str], cwd: Path, log: Path) -> Iterator[Child]:
    """A child that is ended when the block is left, however it is left."""
    child = Child(argv, env=env, cwd=cwd, log=log)
    try:
        yield child
    finally:
        child.stop()
