import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator

import sampler
from fluidbench.machine.sampling import Peaks

# 40 MB of private and 30 MB of shared memory, then only the shared
HUNGRY = """
import mmap, sys
private = b"x" * 40_000_000
print("big", flush=True); sys.stdin.readline()
del private
shared = mmap.mmap(-1, 30_000_000)
for page in range(0, len(shared), 4096):
    shared[page] = 1
print("shared", flush=True); sys.stdin.readline()
"""


@contextlib.contextmanager
def at_each_word(program: str = HUNGRY) -> Iterator[Iterator[tuple[str, int]]]:
    """What the program says, and its process; it goes on as the next word is asked for."""
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin
        assert process.stdout

        def words() -> Iterator[tuple[str, int]]:
            for line in process.stdout:
                yield line.strip(), process.pid
                process.stdin.write("\n")
                process.stdin.flush()

        yield words()


def test_private_and_shared_peaks_are_kept_each_for_itself() -> None:
    peaks, said = Peaks(), []
    with at_each_word() as words:
        for word, pid in words:
            said.append(word)
            peaks.sample(pid)
    assert said == ["big", "shared"]
    assert 40_000_000 <= peaks.private_bytes <= 60_000_000
    assert 30_000_000 <= peaks.shared_bytes <= 32_000_000
    assert peaks.file_bytes > 0


def test_a_private_peak_between_two_samples_is_seen() -> None:
    """Only the second word is sampled: the 40 MB are gone by then."""
    peaks = Peaks()
    with at_each_word(HUNGRY.replace("30_000_000", "3_000_000")) as words:
        assert next(words)[0] == "big"
        word, pid = next(words)
        assert word == "shared"
        peaks.sample(pid)
        assert list(words) == []
    assert 37_000_000 <= peaks.private_bytes <= 60_000_000


def test_the_sampler_of_a_container_sees_the_same() -> None:
    outside, inside = Peaks(), dict.fromkeys(sampler.PEAKS, 0)
    with at_each_word() as words:
        assert next(words)[0] == "big"
        word, pid = next(words)
        assert word == "shared"
        outside.sample(pid)
        assert sampler.sample(str(pid), inside)
        assert list(words) == []
    assert list(inside.values()) == [outside.private_bytes, outside.shared_bytes, outside.file_bytes]
    assert not sampler.sample(str(pid), inside)


def test_a_process_that_is_gone_leaves_the_peaks_as_they_are() -> None:
    peaks = Peaks()
    peaks.sample(os.getpid())
    before = vars(peaks).copy()
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        pass
    peaks.sample(process.pid)
    assert vars(peaks) == before
