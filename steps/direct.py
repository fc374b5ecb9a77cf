"""Writes a large file past the page cache, which would first have to be given memory for all of it."""

import contextlib
import errno
import fcntl
import mmap
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pagecache

# a multiple of what any disk's blocks are aligned to
CHUNK_BYTES = 1 << 22
# macOS has none
DIRECT = getattr(os, "O_DIRECT", 0)
Piece = bytes | memoryview


def write(path: Path, pieces: Iterable[Piece]) -> None:
    """Writes the pieces, one after the other, into a new file that is on the disk when this returns.

    The next pieces are made while the last ones are being written. A file system that knows no direct writes gets
    ordinary ones, and so does a network's: there every direct write would wait for the server.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        if pagecache.filesystem_of(path) not in pagecache.NETWORK_FILESYSTEMS:
            with contextlib.suppress(OSError):  # not on this file system
                _past_the_cache(descriptor, True)
        for chunk in _ahead(_chunks(pieces)):
            _write_all(descriptor, chunk)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _past_the_cache(descriptor: int, wanted: bool) -> None:
    flags = fcntl.fcntl(descriptor, fcntl.F_GETFL)
    fcntl.fcntl(descriptor, fcntl.F_SETFL, flags | DIRECT if wanted else flags & ~DIRECT)


def _write_all(descriptor: int, chunk: memoryview) -> None:
    while chunk:
        try:
            chunk = chunk[os.write(descriptor, chunk) :]
        except OSError as refused:
            if refused.errno != errno.EINVAL or not fcntl.fcntl(descriptor, fcntl.F_GETFL) & DIRECT:
                raise
            # only whole blocks can be written directly, and the end of the file is none
            _past_the_cache(descriptor, False)


def _chunks(pieces: Iterable[Piece]) -> Iterator[memoryview]:
    """The pieces in whole chunks, and what is left in a last one; two buffers, aligned to pages, hold them in turn."""
    buffers = [memoryview(mmap.mmap(-1, CHUNK_BYTES, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)) for _ in range(2)]
    filled = 0
    for piece in pieces:
        rest = memoryview(piece)
        while rest:
            taken = min(len(rest), CHUNK_BYTES - filled)
            buffers[0][filled : filled + taken] = rest[:taken]
            rest, filled = rest[taken:], filled + taken
            if filled == CHUNK_BYTES:
                yield buffers[0]
                buffers.reverse()
                filled = 0
    if filled:
        yield buffers[0][:filled]


def _ahead(chunks: Iterator[memoryview]) -> Iterator[memoryview]:
    """Each chunk, while the next one is being filled."""
    with ThreadPoolExecutor(1) as worker:
        coming = worker.submit(next, chunks, None)
        while chunk := coming.result():
            coming = worker.submit(next, chunks, None)
            yield chunk
