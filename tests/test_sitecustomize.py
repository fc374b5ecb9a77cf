import os
import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).parent
# without sitecustomize it hung at one of the first ten
INTERRUPTS = 500
CALLS = """
import signal

def call(number):
    return number + 1

def raise_interrupt(*_):
    raise KeyboardInterrupt

def interrupted(after_s):
    try:
        signal.setitimer(signal.ITIMER_REAL, after_s)
        while True:
            call(1)
    except KeyboardInterrupt:
        return 1
"""
PROGRAM = f"""
import random, signal
import coverage
measured = coverage.Coverage(include=["calls.py"], branch=True, config_file=False)
measured.start()
import sitecustomize
sitecustomize.free_the_lock_always()
import calls
signal.signal(signal.SIGALRM, calls.raise_interrupt)
print(sum(calls.interrupted(random.uniform(1e-5, 4e-4)) for _ in range({INTERRUPTS})))
measured.stop()
print(len(measured.get_data().measured_files()))
"""


def test_an_interrupt_never_stops_a_program_whose_coverage_is_measured(tmp_path: Path) -> None:
    (tmp_path / "calls.py").write_text(CALLS, encoding="utf-8")
    env = {name: value for name, value in os.environ.items() if not name.startswith(("COVERAGE_", "COV_"))}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=env | {"PYTHONPATH": f"{TESTS}{os.pathsep}{tmp_path}"}, cwd=tmp_path,
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert (done.stdout.split(), done.stderr) == ([str(INTERRUPTS), "1"], "")
