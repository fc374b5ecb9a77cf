"""A file that is written past the page cache holds what was given, whatever its length and wherever it lies."""

import os
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

import direct
import pagecache
from direct import CHUNK_BYTES

IN_MEMORY = Path("/dev/shm")


def pieces(*sizes: int) -> list[bytes]:
    return [os.urandom(size) for size in sizes]


@pytest.mark.parametrize(
    "sizes",
    [(), (0,), (1,), (4096,), (CHUNK_BYTES,), (7, CHUNK_BYTES - 7), (CHUNK_BYTES + 1,), (300, 2 * CHUNK_BYTES, 77)],
)
def test_the_file_holds_the_pieces_one_after_the_other(tmp_path: Path, sizes: tuple[int, ...]) -> None:
    given = pieces(*sizes)
    direct.write(tmp_path / "file", given)
    assert (tmp_path / "file").read_bytes() == b"".join(given)


@pytest.mark.skipif(not IN_MEMORY.is_dir(), reason="no file system in memory")
def test_a_file_system_of_another_kind_gets_the_same(tmp_path: Path) -> None:
    path = IN_MEMORY / f"fluidbench-test-{os.getpid()}"
    given = pieces(5, CHUNK_BYTES)
    try:
        direct.write(path, given)
        assert path.read_bytes() == b"".join(given)
    finally:
        path.unlink(missing_ok=True)


def test_most_of_it_never_comes_into_the_page_cache(tmp_path: Path) -> None:
    path = tmp_path / "file"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT)
    try:
        direct._past_the_cache(descriptor, True)
    except OSError:
        pytest.skip("this file system knows no direct writes")
    finally:
        os.close(descriptor)
        path.unlink()
    direct.write(path, pieces(4 * CHUNK_BYTES, 100))
    if (state := pagecache.state(path)) in ("memory", "client-cold", "unknown"):
        pytest.skip(f"a file of this file system is {state} in any case")
    assert state == "cold"


def test_what_fails_while_a_piece_is_made_or_written_is_raised(tmp_path: Path) -> None:
    def failing() -> Iterator[bytes]:
        yield b"x" * CHUNK_BYTES
        raise ValueError("no more")

    with pytest.raises(ValueError, match="no more"):
        direct.write(tmp_path / "file", failing())
    with pytest.raises(FileExistsError):
        direct.write(tmp_path / "file", pieces(1))


def test_a_file_that_may_not_become_so_large_is_told(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (CHUNK_BYTES + 1000, before[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            direct.write(tmp_path / "file", pieces(3 * CHUNK_BYTES))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_many_small_pieces_are_gathered(tmp_path: Path) -> None:
    direct.write(tmp_path / "file", (bytes([number % 256]) * 1000 for number in range(10_000)))
    found = (tmp_path / "file").read_bytes()
    assert found == b"".join(bytes([number % 256]) * 1000 for number in range(10_000))
