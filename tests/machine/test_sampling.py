import os
import subprocess
import sys

from fluidbench.machine.sampling import Peaks

# 40 MB of private and 30 MB of shared memory, then only the shared
HUNGRY = """
import mmap, sys
private = bytearray(b"x" * 40_000_000)
print("big", flush=True); sys.stdin.readline()
del private
shared = mmap.mmap(-1, 30_000_000)
shared.write(b"y" * 30_000_000)
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


def test_a_process_that_is_gone_leaves_the_peaks_as_they_are() -> None:
    peaks = Peaks()
    peaks.sample(os.getpid())
    before = vars(peaks).copy()
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        pass
    peaks.sample(process.pid)
    assert vars(peaks) == before
