"""Where things lie: steps and templates (in a checkout or in the wheel), state, data and cache."""

import contextlib
import errno
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from platformdirs import PlatformDirs

from fluidbench.errors import UsageProblem

_PACKAGE = Path(__file__).resolve().parent
_DIRS = PlatformDirs("fluidbench", appauthor=False)


def steps_dir() -> Path:
    """The step scripts."""
    return _shipped("steps")


def templates_dir() -> Path:
    """The manifest templates."""
    return _shipped("templates")


def image_file(name: str) -> Path:
    """A file that the step image is built from: the Dockerfile, the locked requirements."""
    for candidate in (_PACKAGE / name, _PACKAGE.parent / name):
        if candidate.is_file():
            return candidate
    raise UsageProblem(f"the file {name} is missing beside {_PACKAGE}", "Install FluidBench again.")


def cache_dir() -> Path:
    """Downloads: `$XDG_CACHE_HOME/fluidbench`."""
    return _writable(Path(_DIRS.user_cache_dir), "cache directory", "XDG_CACHE_HOME")


def state_root() -> Path:
    """The state directory, whether it exists or not."""
    return Path(_DIRS.user_state_dir)


def state_dir() -> Path:
    """Database, artifacts of runs, the measuring lock: `$XDG_STATE_HOME/fluidbench`."""
    return _writable(state_root(), "state directory", "XDG_STATE_HOME")


def default_data_dir() -> Path:
    """The default of `--data-dir`: `$XDG_DATA_HOME/fluidbench`."""
    return Path(_DIRS.user_data_dir)


def database() -> Path:
    return state_dir() / "results.db"


def artifacts_dir(run_id: str) -> Path:
    """Logs and manifests of one run."""
    path = state_dir() / "runs" / run_id
    path.mkdir(parents=True, exist_ok=True)
    return path


def data_dir(path: Path) -> Path:
    """`path` as an absolute, existing and writable directory; raises UsageProblem where it cannot be one."""
    return _writable(path.expanduser().absolute(), "data directory", "--data-dir")


def check_replaceable(path: Path) -> None:
    """Raises UsageProblem where `path` cannot be written: before the work, not after it."""
    try:
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if path.exists():
            # what is there stays as it is
            path.open("r+b").close()
        if not path.exists() or path.is_file():
            tempfile.TemporaryFile(dir=path.absolute().parent).close()
    except OSError as error:
        raise _unwritable(path, error) from error


@contextlib.contextmanager
def replaced(path: Path) -> Iterator[IO[bytes]]:
    """A file that takes the place of `path` when it is whole, and leaves no trace when it does not come to that."""
    check_replaceable(path)
    # a pipe or a device is written to; a link goes on to be one
    path = path.resolve()
    try:
        if path.exists() and not path.is_file():
            with path.open("wb") as file:
                yield file
            return
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            try:
                yield file
                file.flush()
                # what a file that is made has; a temporary one is its owner's alone
                os.chmod(file.name, path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~_umask())  # noqa: PTH101
                os.replace(file.name, path)  # noqa: PTH105
            except BaseException:
                Path(file.name).unlink(missing_ok=True)
                raise
    except OSError as error:
        raise _unwritable(path, error) from error


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _unwritable(path: Path, error: OSError) -> UsageProblem:
    return UsageProblem(
        f"{path} cannot be written: {error.strerror or error}", "Name a file in a directory that you may write."
    )


def _shipped(name: str) -> Path:
    for candidate in (_PACKAGE / name, _PACKAGE.parent / name):
        if candidate.is_dir():
            return candidate
    raise UsageProblem(f"the directory {name}/ is missing beside {_PACKAGE}", "Install FluidBench again.")


def _writable(path: Path, what: str, option: str) -> Path:
    try:
        path.mkdir(parents=True, exist_ok=True)
        # another process may be asking the same at the same time
        tempfile.TemporaryFile(dir=path).close()
    except OSError as error:
        reason = error.strerror or str(error)
        raise UsageProblem(
            f"{path} cannot be the {what}: {reason}", f"Name a directory that you may write with {option}."
        ) from error
    return path
