import subprocess
import sys

import psutil

from fluidbench.machine.owners import Owner, this_process


def test_this_process_is_alive() -> None:
    assert this_process().alive()


def test_a_process_that_ended_is_not_alive() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        owner = Owner(process.pid, psutil.Process(process.pid).create_time())
    assert not owner.alive()


def test_a_killed_process_that_nobody_waited_for_is_not_alive() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        owner = Owner(process.pid, psutil.Process(process.pid).create_time())
        process.kill()
        while psutil.Process(process.pid).status() != psutil.STATUS_ZOMBIE:
            pass
        assert not owner.alive()


def test_another_process_that_got_the_same_number_is_not_the_owner() -> None:
    mine = this_process()
    assert not Owner(mine.pid, mine.started_at - 3600).alive()
