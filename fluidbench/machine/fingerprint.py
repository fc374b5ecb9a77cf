"""Stable facts of a machine; what changes from run to run (load, free memory) is a reading instead."""

import hashlib
import importlib.metadata
import json
import os
import platform
from functools import cache
from pathlib import Path

import psutil

from fluidbench.records import Fingerprint

PACKAGES = ("joblib", "numpy", "pandas", "pyarrow", "scikit-learn", "scipy", "vineyard", "xxhash")


def fingerprint(data_dir: Path) -> Fingerprint:
    """The facts that a comparison needs to be equal, with one hash over all."""
    facts = _machine() | {"disk": disk_of(data_dir)}
    return Fingerprint(facts, hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16])


def readings() -> dict[str, float]:
    """What the machine was doing when a run began."""
    memory = psutil.virtual_memory()
    return {"load_1m": os.getloadavg()[0], "memory_available_bytes": float(memory.available)}


def disk_of(path: Path) -> str:
    """Device and file system that hold `path`: ext4 on /dev/vda."""
    mounts = [part for part in psutil.disk_partitions(all=True) if path.resolve().is_relative_to(part.mountpoint)]
    if not mounts:
        return "unknown"
    # of two mounts on one place the later one is seen
    nearest = max(enumerate(mounts), key=lambda entry: (len(entry[1].mountpoint), entry[0]))[1]
    return f"{nearest.fstype} on {nearest.device}"


def threads_allowed() -> int:
    """The processors that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@cache
def _machine() -> dict[str, str]:
    versions = {}
    for package in PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            versions[package] = "absent"
    return {
        "cpu": _cpu_model(),
        "processors": str(threads_allowed()),
        # in whole GB: the kernel's total moves a little from boot to boot
        "memory": f"{round(psutil.virtual_memory().total / 1e9)} GB",
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
    } | versions


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown"
    names = [line.partition(":")[2].strip() for line in lines if line.startswith(("model name", "CPU part"))]
    return names[0] if names else platform.machine()
