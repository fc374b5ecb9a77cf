"""Evicts files from the page cache, and tells what of them is in it: cold has to mean cold."""

import ctypes
import mmap
import os
import platform
from collections.abc import Iterable
from pathlib import Path

MEMORY_FILESYSTEMS = frozenset({"tmpfs", "ramfs"})
NETWORK_FILESYSTEMS = frozenset({"nfs", "nfs4", "cifs", "smb3", "ceph", "9p", "lustre", "glusterfs", "afs", "beegfs"})
# Linux 6.5; the number is the same on all architectures that have wheels for vineyard
SYS_CACHESTAT = 451
STATES = ("memory", "cold", "client-cold", "lukewarm", "warm", "unknown")
COLD_BELOW = 0.01
WARM_ABOVE = 0.99


class _Range(ctypes.Structure):
    _fields_ = (("off", ctypes.c_uint64), ("len", ctypes.c_uint64))


class _CacheStat(ctypes.Structure):
    _fields_ = (
        ("cache", ctypes.c_uint64),
        ("dirty", ctypes.c_uint64),
        ("writeback", ctypes.c_uint64),
        ("evicted", ctypes.c_uint64),
        ("recently_evicted", ctypes.c_uint64),
    )


def evict(path: Path) -> None:
    """Writes back and drops the file's pages from the page cache; needs no privilege.

    Does nothing where the system has no `posix_fadvise` (macOS); `state` then says so.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)  # dirty pages cannot be dropped
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(descriptor)


def worst(states: Iterable[str]) -> str:
    """Of several files that are read as one, the state that tells most against its being cold."""
    return max(states, key=STATES.index)


def state(path: Path) -> str:
    """Where a read of the file would find it: cold, lukewarm, warm, memory, client-cold or unknown.

    On a network file system the server's cache is out of sight: at best the client's is empty.
    """
    filesystem = filesystem_of(path)
    if filesystem in MEMORY_FILESYSTEMS:
        return "memory"
    share = resident_share(path)
    if share is None:
        return "unknown"
    if share <= COLD_BELOW:
        remote = filesystem in NETWORK_FILESYSTEMS or filesystem.startswith("fuse")
        return "client-cold" if remote else "cold"
    return "warm" if share >= WARM_ABOVE else "lukewarm"


def resident_share(path: Path) -> float | None:
    """The share of the file's pages in the page cache, 0 to 1; None where the kernel does not tell."""
    size = path.stat().st_size
    if size == 0 or platform.system() != "Linux":
        return 0.0 if size == 0 else None
    pages = -(-size // mmap.PAGESIZE)
    with path.open("rb") as file:
        resident = _cachestat(file.fileno())
        if resident is None:
            resident = _mincore(file.fileno(), path, size, pages)
    return None if resident is None else resident / pages


def filesystem_of(path: Path) -> str:
    """The type of the file system that holds `path`, as `/proc/self/mountinfo` names it; "" if unknown."""
    device = path.stat().st_dev
    wanted = f"{os.major(device)}:{os.minor(device)}"
    try:
        lines = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    for line in lines:
        mount, _, source = line.partition(" - ")
        if mount.split()[2] == wanted:
            return source.split()[0]
    return ""


def _cachestat(descriptor: int) -> int | None:
    libc = ctypes.CDLL(None, use_errno=True)
    whole, found = _Range(0, 0), _CacheStat()
    failed = libc.syscall(
        ctypes.c_long(SYS_CACHESTAT),
        ctypes.c_int(descriptor),
        ctypes.byref(whole),
        ctypes.byref(found),
        ctypes.c_uint(0),
    )
    return None if failed else int(found.cache)


def _mincore(descriptor: int, path: Path, size: int, pages: int) -> int | None:
    # for a file that one neither owns nor may write the kernel answers "all resident", whatever is true
    if not os.access(path, os.W_OK):
        return None
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mmap.restype = ctypes.c_void_p
    libc.mmap.argtypes = (
        ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long,
    )  # fmt: skip
    address = libc.mmap(None, size, mmap.PROT_READ, mmap.MAP_SHARED, descriptor, 0)
    if address == ctypes.c_void_p(-1).value:
        return None
    try:
        vector = (ctypes.c_ubyte * pages)()
        failed = libc.mincore(ctypes.c_void_p(address), ctypes.c_size_t(size), vector)
        return None if failed else sum(bytes(vector).translate(_LOW_BIT))
    finally:
        libc.munmap(ctypes.c_void_p(address), ctypes.c_size_t(size))


_LOW_BIT = bytes(value & 1 for value in range(256))
