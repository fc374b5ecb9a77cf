"""Private directories for sockets and reports; one whose process was killed is found and removed."""

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

# in /tmp, because the path of a socket may not be longer than 107 bytes
PARENT = Path("/tmp")  # noqa: S108
PREFIX = "fluidbench-run-"


@contextlib.contextmanager
def directory() -> Iterator[Path]:
    """A directory that only this user may look into; its lock is held while this process lives."""
    made = Path(tempfile.mkdtemp(prefix=".fluidbench-", dir=PARENT))
    held = os.open(made, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        # it gets its name only now that it is locked: nobody can take it for an abandoned one
        path = made.rename(made.with_name(PREFIX + made.name.rpartition("-")[2]))
        try:
            yield path
        finally:
            shutil.rmtree(path, ignore_errors=True)
    finally:
        os.close(held)


def remove_abandoned() -> None:
    """Removes this user's private directories whose process is gone: nobody holds their lock."""
    for path in PARENT.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):
            if path.is_symlink() or path.stat().st_uid != os.getuid():
                continue
            held = os.open(path, os.O_RDONLY)
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(path)
            finally:
                os.close(held)
