"""Samples a process's memory from outside, and prints the peaks as JSON when it is told to stop (SIGTERM).

For containers, where nobody else can look: the kernel keeps no high-water mark of private memory. It imports nothing
but what the interpreter has loaded anyway, and ends with the process that it watches.
"""

import signal
import sys
import time

INTERVAL_S = 0.02
FIELDS = {"RssAnon": "peak_private_bytes", "RssShmem": "peak_shared_bytes", "RssFile": "peak_file_bytes"}


def sample(pid: str, peaks: dict[str, int]) -> bool:
    """Takes one more sample; False when the process is gone."""
    try:
        with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as status:  # noqa: PTH123 - no pathlib here
            for line in status:
                name, _, value = line.partition(":")
                if field := FIELDS.get(name):
                    peaks[field] = max(peaks[field], int(value.split()[0]) * 1024)
    except OSError:
        return False
    return True


def main(pid: str) -> None:
    stopped: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _frame: stopped.append(number))
    peaks = dict.fromkeys(FIELDS.values(), 0)
    while sample(pid, peaks) and not stopped:
        time.sleep(INTERVAL_S)
    print("{" + ", ".join(f'"{name}": {value}' for name, value in peaks.items()) + "}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
