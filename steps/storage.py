"""Files in the data directory, as fast as the storage is, or as `FLUIDBENCH_STORAGE_BANDWIDTH` allows (bytes a second).

Without the variable nothing stands between a step and its files: the published calls get the path. With it they get
a file object over a token bucket that all files of the process share, reads and writes alike.
"""

import contextlib
import functools
import io
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

VARIABLE = "FLUIDBENCH_STORAGE_BANDWIDTH"
CHUNK_BYTES = 1 << 20
# reads of less than this fetch so much, as a kernel reads ahead
BUFFER_BYTES = 1 << 17
# one transfer after the other: after a longer pause nothing that was not used is made good for
PAUSE_S = 0.005
# so much is, of what a busy processor or the disk held up in between
CREDIT_S = 0.2


class Bucket:
    """Lets so many bytes a second through, whoever asks: `take` returns when they may have passed."""

    def __init__(self, bytes_per_s: float) -> None:
        self._bytes_per_s = bytes_per_s
        self._lock = threading.Lock()
        self._free_at = self._left_at = 0.0

    def take(self, count: int, began: float) -> None:
        """Waits until `count` bytes could have passed since `began`, on the monotonic clock, and those before them."""
        with self._lock:
            since = began - (CREDIT_S if began - self._left_at <= PAUSE_S else 0.0)
            self._free_at = max(self._free_at, since) + count / self._bytes_per_s
            wait_s = self._free_at - time.monotonic()
        if wait_s > 0:
            time.sleep(wait_s)
        self._left_at = time.monotonic()


class LimitedFile(io.RawIOBase):
    """A file whose bytes go through a bucket, in chunks; what the disk itself takes counts towards the time."""

    def __init__(self, path: Path, mode: str, bucket: Bucket) -> None:
        self._file = io.FileIO(path, mode)
        self._bucket = bucket

    def readinto(self, buffer: "WriteableBuffer") -> int:
        view, done = memoryview(buffer).cast("B"), 0
        while done < len(view):
            began = time.monotonic()
            count = self._file.readinto(view[done : done + CHUNK_BYTES])
            if not count:
                break
            self._bucket.take(count, began)
            done += count
        return done

    def write(self, data: "ReadableBuffer") -> int:
        view, done = memoryview(data).cast("B"), 0
        while done < len(view):
            began = time.monotonic()
            count = self._file.write(view[done : done + CHUNK_BYTES])
            self._bucket.take(count, began)
            done += count
        return done

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def readable(self) -> bool:
        return self._file.readable()

    def writable(self) -> bool:
        return self._file.writable()

    def seekable(self) -> bool:
        return True

    def close(self) -> None:
        self._file.close()
        super().close()


@functools.cache
def bucket() -> Bucket | None:
    """The bucket of this process; None where its storage is not limited."""
    told = os.environ.get(VARIABLE, "")
    return Bucket(float(told)) if told else None


def reading(path: Path) -> AbstractContextManager[Path | BinaryIO]:
    """What a call that reads `path` is handed: the path itself, or a file object that is limited."""
    return _handed(path, "rb", io.BufferedReader)


def writing(path: Path) -> AbstractContextManager[Path | BinaryIO]:
    """What a call that writes `path` is handed; likewise."""
    return _handed(path, "wb", io.BufferedWriter)


@contextlib.contextmanager
def _handed(
    path: Path, mode: str, buffered: Callable[[io.RawIOBase, int], io.BufferedReader | io.BufferedWriter]
) -> Iterator[Path | BinaryIO]:
    limit = bucket()
    if limit is None:
        yield path
    else:
        with buffered(LimitedFile(path, mode, limit), BUFFER_BYTES) as file:
            yield file
