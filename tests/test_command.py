import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from fluidbench.command import run, running
from fluidbench.errors import ExternalFailure, ToolMissing, WaitTimeout

SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]
# starts a Child, tells its number, and waits
PARENT = """
import os, sys, time
from pathlib import Path
from fluidbench.command import running
with running([sys.executable, "-c", "import time; time.sleep(600)"], env=os.environ, cwd=Path("/"),
             log=Path(sys.argv[1])) as child:
    print(child.pid, flush=True)
    time.sleep(600)
"""


def test_a_child_is_gone_within_a_second_after_its_parent_was_killed(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT, str(tmp_path / "log")], stdout=subprocess.PIPE) as parent:
        assert parent.stdout
        child = psutil.Process(int(parent.stdout.readline()))
        time.sleep(0.3)
        parent.kill()
        deadline = time.monotonic() + 1
        while child.is_running() and child.status() != psutil.STATUS_ZOMBIE and time.monotonic() < deadline:
            time.sleep(0.01)
        assert not psutil.pid_exists(child.pid) or child.status() == psutil.STATUS_ZOMBIE


def test_a_child_is_ended_when_the_block_is_left_by_an_error(tmp_path: Path) -> None:
    with pytest.raises(KeyError), running(SLEEP, env=os.environ, cwd=tmp_path, log=tmp_path / "log") as child:
        raise KeyError
    assert not psutil.pid_exists(child.pid)


def test_a_child_that_ignores_sigterm_is_killed(tmp_path: Path) -> None:
    stubborn = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True)"
    argv = [sys.executable, "-c", f"{stubborn}; time.sleep(600)"]
    with running(argv, env=os.environ, cwd=tmp_path, log=tmp_path / "log") as child:
        while "up" not in (tmp_path / "log").read_text():
            assert child.wait(0.02) is None
        assert child.stop(grace_s=0.2).signal == signal.SIGKILL


def test_how_a_child_ended_is_told(tmp_path: Path) -> None:
    argv = [sys.executable, "-c", "import sys; print('out'); print('err', file=sys.stderr); sys.exit(7)"]
    with running(argv, env=os.environ, cwd=tmp_path, log=tmp_path / "log") as child:
        ended = child.wait(60)
        assert ended
        assert (ended.returncode, ended.signal, child.wait(0)) == (7, None, ended)
    assert sorted((tmp_path / "log").read_text().split()) == ["err", "out"]


def test_a_child_has_a_group_of_its_own_so_that_ctrl_c_does_not_reach_it(tmp_path: Path) -> None:
    with running(SLEEP, env=os.environ, cwd=tmp_path, log=tmp_path / "log") as child:
        time.sleep(0.1)
        assert os.getpgid(child.pid) == child.pid != os.getpgid(0)


def test_the_output_of_a_program_comes_back() -> None:
    assert run(["echo", "a b"], timeout_s=20) == "a b\n"


def test_a_failed_program_is_shown_as_it_can_be_pasted_with_the_end_of_its_stderr() -> None:
    with pytest.raises(ExternalFailure, match=r"exit code 3 from: sh -c 'echo \"no way\" >&2; exit 3'\nno way"):
        run(["sh", "-c", 'echo "no way" >&2; exit 3'], timeout_s=20)


def test_a_missing_program_is_named() -> None:
    with pytest.raises(ToolMissing, match="no-such-program was not found"):
        run(["no-such-program"], timeout_s=20)


def test_a_program_that_hangs_is_given_up() -> None:
    with pytest.raises(WaitTimeout, match=r"sleep 60 did not end within 0\.2 s"):
        run(["sleep", "60"], timeout_s=0.2)
