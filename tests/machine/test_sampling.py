import os
import subprocess
import sys

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


def test_private_and_shared_peaks_are_kept_each_for_itself() -> None:
    peaks = Peaks()
    with subprocess.Popen(
        [sys.executable, "-c", HUNGRY], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin
        assert process.stdout
        for word in ("big", "shared"):
            assert process.stdout.readline().strip() == word
            peaks.sample(process.pid)
            process.stdin.write("\n")
            process.stdin.flush()
    assert 40_000_000 <= peaks.private_bytes <= 60_000_000
    assert 30_000_000 <= peaks.shared_bytes <= 32_000_000
    assert peaks.file_bytes > 0


def test_a_private_peak_between_two_samples_is_seen() -> None:
    """Only the second word is sampled: the 40 MB are gone by then."""
    peaks = Peaks()
    gone = HUNGRY.replace("shared = mmap.mmap(-1, 30_000_000)", "shared = mmap.mmap(-1, 3_000_000)")
    with subprocess.Popen([sys.executable, "-c", gone], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        assert process.stdout.readline().strip() == b"big"
        process.stdin.write(b"\n")
        process.stdin.flush()
        assert process.stdout.readline().strip() == b"shared"
        peaks.sample(process.pid)
        process.stdin.write(b"\n")
        process.stdin.flush()
    assert 37_000_000 <= peaks.private_bytes <= 60_000_000


def test_the_sampler_of_a_container_sees_the_same() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HUNGRY], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin
        assert process.stdout
        assert process.stdout.readline().strip() == "big"
        process.stdin.write("\n")
        process.stdin.flush()
        assert process.stdout.readline().strip() == "shared"
        outside, inside = Peaks(), dict.fromkeys(("peak_private_bytes", "peak_shared_bytes", "peak_file_bytes"), 0)
        outside.sample(process.pid)
        assert sampler.sample(str(process.pid), inside)
        process.stdin.write("\n")
        process.stdin.flush()
    assert list(inside.values()) == [outside.private_bytes, outside.shared_bytes, outside.file_bytes]
    assert not sampler.sample(str(process.pid), inside)


def test_a_process_that_is_gone_leaves_the_peaks_as_they_are() -> None:
    peaks = Peaks()
    peaks.sample(os.getpid())
    before = vars(peaks).copy()
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        pass
    peaks.sample(process.pid)
    assert vars(peaks) == before
