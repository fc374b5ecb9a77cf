"""What this machine can do for the local target, one finding a question."""

import platform
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from fluidbench import text
from fluidbench.command import run
from fluidbench.errors import FluidbenchError
from fluidbench.machine.fingerprint import disk_of, threads_allowed
from fluidbench.machine.memory import allowance
from fluidbench.needs import needs
from fluidbench.places import steps_dir
from fluidbench.plan import Plan
from fluidbench.records import Finding
from fluidbench.targets.local import preflight
from fluidbench.tools import vineyardd

# evicts a file of its own in the data directory and tells what is left of it in the page cache
_EVICTION_PROBE = """
import os, sys, tempfile
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import pagecache
with tempfile.NamedTemporaryFile(dir=sys.argv[2], prefix=".fluidbench-") as file:
    file.write(os.urandom(1 << 20)); file.flush()
    pagecache.evict(Path(file.name))
    print(pagecache.state(Path(file.name)))
"""


def examine(plan: Plan, data_dir: Path) -> list[Finding]:
    """Python, vineyardd, processors, memory, disk, and whether files can be made cold."""
    memory = allowance()
    return [
        _finding("Python", lambda: f"{platform.python_version()} on {platform.system()} {platform.machine()}"),
        _finding("vineyardd", _vineyardd),
        _finding("processors", lambda: str(threads_allowed())),
        _finding("memory", lambda: f"{text.size(memory.available_bytes)} available ({memory.bound})"),
        _finding("data directory", lambda: _disk(data_dir)),
        _cold_files(data_dir),
        _fit(plan, data_dir),
    ]


def _finding(what: str, ask: Callable[[], str]) -> Finding:
    try:
        return Finding(what, ask(), good=True)
    except FluidbenchError as error:
        return _bad(what, error)


def _bad(what: str, error: FluidbenchError) -> Finding:
    return Finding(what, error.message, good=False, fix=error.hint, exit_code=error.exit_code)


def _vineyardd() -> str:
    path = vineyardd.executable()
    run([str(path), "--version"], timeout_s=30)
    return str(path)


def _disk(data_dir: Path) -> str:
    return f"{data_dir}: {text.size(shutil.disk_usage(data_dir).free)} free, {disk_of(data_dir)}"


def _cold_files(data_dir: Path) -> Finding:
    state = run([sys.executable, "-c", _EVICTION_PROBE, str(steps_dir()), str(data_dir)], timeout_s=60).strip()
    meaning = {
        "cold": "evicted before each read, and verified",
        "memory": "the data directory is in memory: reads from it are never from a disk",
        "client-cold": "evicted on this machine; the server's cache is out of sight",
    }
    known = meaning.get(state, "this system does not tell whether a file is cold")
    return Finding("cold files", f"{state}: {known}", good=True)


def _fit(plan: Plan, data_dir: Path) -> Finding:
    what = f"multiplier {plan.multiplier}, {plan.pipeline.name}, through {plan.store}"
    if found := preflight.problems(plan, data_dir):
        return _bad("fit", found[0])
    wanted = f"memory {text.size(preflight.memory_bytes(plan))}, disk {text.size(needs(plan).disk_bytes)}"
    return Finding(what, f"fits: {wanted}; the largest that does: {preflight.largest_here(plan, data_dir)}", good=True)
