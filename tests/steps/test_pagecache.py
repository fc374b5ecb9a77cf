import os
from pathlib import Path

import pytest

import pagecache


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_bytes(os.urandom(8_000_000))
    if pagecache.filesystem_of(path) in pagecache.MEMORY_FILESYSTEMS:
        pytest.skip(f"{tmp_path} is in memory, where nothing can be evicted")
    return path


def test_a_file_that_was_just_written_is_warm(file: Path) -> None:
    assert pagecache.state(file) == "warm"


def test_an_evicted_file_is_cold_though_it_was_dirty(file: Path) -> None:
    pagecache.evict(file)
    assert pagecache.resident_share(file) == 0.0
    assert pagecache.state(file) == "cold"


def test_a_file_is_warm_again_after_it_was_read(file: Path) -> None:
    pagecache.evict(file)
    file.read_bytes()
    assert pagecache.state(file) == "warm"


def test_a_file_of_which_a_part_was_read_is_lukewarm(file: Path) -> None:
    pagecache.evict(file)
    with file.open("rb", buffering=0) as opened:
        os.posix_fadvise(opened.fileno(), 0, 0, os.POSIX_FADV_RANDOM)
        opened.read(2_000_000)
    assert pagecache.state(file) == "lukewarm"
    assert pagecache.resident_share(file) == pytest.approx(0.25, abs=0.1)


def test_mincore_agrees_with_cachestat(file: Path) -> None:
    size, pages = file.stat().st_size, -(-file.stat().st_size // os.sysconf("SC_PAGESIZE"))
    for prepare in (pagecache.evict, Path.read_bytes):
        prepare(file)
        with file.open("rb") as opened:
            counted = pagecache._mincore(opened.fileno(), file, size, pages)
            asked = pagecache._cachestat(opened.fileno())
        assert asked is None or asked == counted


def test_a_file_in_memory_says_so(small_disk) -> None:
    path = small_disk(1_000_000) / "file"
    path.write_bytes(b"x" * 10_000)
    pagecache.evict(path)
    assert pagecache.state(path) == "memory"


def test_an_empty_file_is_cold(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    assert pagecache.resident_share(tmp_path / "empty") == 0.0


def test_evicting_does_not_change_the_file(file: Path) -> None:
    before = file.read_bytes()
    pagecache.evict(file)
    assert file.read_bytes() == before
