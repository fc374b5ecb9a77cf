"""Peak memory of a process, sampled from outside: the kernel keeps no high-water mark of private memory."""

from dataclasses import dataclass
from pathlib import Path

SAMPLE_INTERVAL_S = 0.02
_FIELDS = frozenset({b"RssAnon", b"RssShmem", b"RssFile", b"VmHWM"})


@dataclass
class Peaks:
    """The largest samples so far, each for itself.

    A private peak between two samples counts as far as the kernel's high-water mark of all resident memory (VmHWM)
    shows it: what of that is above the peaks of the other kinds. A file that was mapped and unmapped again between two
    samples passes for private.
    """

    private_bytes: int = 0
    shared_bytes: int = 0
    file_bytes: int = 0

    def sample(self, pid: int) -> None:
        """Takes one more sample; a process that is gone leaves the peaks as they are."""
        try:
            lines = Path(f"/proc/{pid}/status").read_bytes().splitlines()
        except OSError:
            return
        words = (line.partition(b":") for line in lines)
        seen = {name: int(value.split()[0]) * 1024 for name, _, value in words if name in _FIELDS}
        if not seen:  # a process that has ended, and was not waited for
            return
        self.shared_bytes = max(self.shared_bytes, seen[b"RssShmem"])
        self.file_bytes = max(self.file_bytes, seen[b"RssFile"])
        between = seen[b"VmHWM"] - self.shared_bytes - self.file_bytes
        self.private_bytes = max(self.private_bytes, seen[b"RssAnon"], between)
