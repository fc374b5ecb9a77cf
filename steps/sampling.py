"""A second process that samples this one's memory, where nobody outside can look."""

import json
import os
import subprocess
import sys
from pathlib import Path


class Sampler:
    """Samples from now until `peaks` is asked for."""

    def __init__(self) -> None:
        argv = [sys.executable, "-I", "-S", str(Path(__file__).with_name("sampler.py")), str(os.getpid())]
        self._process = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)

    def peaks(self) -> dict[str, int]:
        self._process.terminate()
        told, _ = self._process.communicate(timeout=10)
        peaks: dict[str, int] = json.loads(told or "{}")
        return peaks
