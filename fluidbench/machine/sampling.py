"""Peak memory of a process, sampled from outside: the kernel keeps no high-water mark of private memory."""

from dataclasses import dataclass
from pathlib import Path

SAMPLE_INTERVAL_S = 0.02
_FIELDS = {b"RssAnon": "private_bytes", b"RssShmem": "shared_bytes", b"RssFile": "file_bytes"}


@dataclass
class Peaks:
    """The largest samples so far, each for itself."""

    private_bytes: int = 0
    shared_bytes: int = 0
    file_bytes: int = 0

    def sample(self, pid: int) -> None:
        """Takes one more sample; a process that is gone leaves the peaks as they are."""
        try:
            status = Path(f"/proc/{pid}/status").read_bytes()
        except OSError:
            return
        for line in status.splitlines():
            name, _, value = line.partition(b":")
            if field := _FIELDS.get(name):
                setattr(self, field, max(getattr(self, field), int(value.split()[0]) * 1024))
