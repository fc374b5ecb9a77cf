"""Samples a process's memory from outside, and prints the peaks as JSON when it is told to stop (SIGTERM).

For containers, where nobody else can look: the kernel keeps no high-water mark of private memory. Of a private peak
between two samples it tells what the high-water mark of all resident memory shows. It imports nothing but what the
interpreter has loaded anyway, and ends with the process that it watches.
"""

import signal
import sys
import time

INTERVAL_S = 0.02
FIELDS = ("RssAnon", "RssShmem", "RssFile", "VmHWM")
PEAKS = ("peak_private_bytes", "peak_shared_bytes", "peak_file_bytes")


def sample(pid: str, peaks: dict[str, int]) -> bool:
    """Takes one more sample; False when the process is gone."""
    try:
        with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as status:  # noqa: PTH123 - no pathlib here
            words = [line.partition(":") for line in status]
    except OSError:
        return False
    seen = {name: int(value.split()[0]) * 1024 for name, _, value in words if name in FIELDS}
    if not seen:  # it has ended, and was not waited for
        return False
    peaks["peak_shared_bytes"] = max(peaks["peak_shared_bytes"], seen["RssShmem"])
    peaks["peak_file_bytes"] = max(peaks["peak_file_bytes"], seen["RssFile"])
    # what is above the peaks of the other kinds was private
    between = seen["VmHWM"] - peaks["peak_shared_bytes"] - peaks["peak_file_bytes"]
    peaks["peak_private_bytes"] = max(peaks["peak_private_bytes"], seen["RssAnon"], between)
    return True


def main(pid: str) -> None:
    stopped: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _frame: stopped.append(number))
    peaks = dict.fromkeys(PEAKS, 0)
    while sample(pid, peaks) and not stopped:
        time.sleep(INTERVAL_S)
    print("{" + ", ".join(f'"{name}": {value}' for name, value in peaks.items()) + "}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
