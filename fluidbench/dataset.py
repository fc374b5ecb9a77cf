"""The data directory: datasets, taken only when they are known to be whole, and the files of each run."""

import contextlib
import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

# what the sidecars of steps/prepare_data.py say
SIDECAR_VERSION = 1
EXCHANGE = "exchange"
RUN_ID = re.compile(r"\d{8}-\d{6}-[0-9a-f]{6}")
PARTIAL = re.compile(r"df_\d+\.(pkl|json)\.\d+\.partial")


@dataclass(frozen=True)
class Dataset:
    """The dataset of one multiplier. `digest` covers its cells, column after column."""

    path: Path
    multiplier: int
    rows: int
    digest: str
    file_bytes: int


def none(multiplier: int) -> Dataset:
    """What stands for the dataset where the steps make their own data."""
    return Dataset(Path(), multiplier, 0, "", 0)


def find(data_dir: Path, multiplier: int) -> Dataset | None:
    """The prepared dataset of `multiplier`, or None where there is none that is known to be whole.

    A file that changed since it was last found right counts as unknown: the prepare-data step then reads it all.
    """
    path = data_dir / f"df_{multiplier}.pkl"
    try:
        facts = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        if (facts["sidecar_version"], facts["multiplier"]) != (SIDECAR_VERSION, multiplier):
            return None
        stat = path.stat()
        if (stat.st_size, stat.st_mtime_ns) != (facts["file_bytes"], facts["verified_mtime_ns"]):
            return None
        return Dataset(path, multiplier, facts["rows"], facts["digest"], facts["file_bytes"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def exchange_dir(data_dir: Path, run_id: str) -> Path:
    """Where a run's own files lie, as steps/contract.py has it. Not `runs`: the state directory may be the same."""
    return data_dir / EXCHANGE / run_id


def remove_run(path: Path) -> None:
    """Removes a directory that a run made, and the one above it where that was for the files of runs and is empty."""
    shutil.rmtree(path, ignore_errors=True)
    if path.parent.name == EXCHANGE:
        with contextlib.suppress(OSError):  # another run's files may be there
            path.parent.rmdir()


def left_over(data_dir: Path) -> list[Path]:
    """What killed processes left in a data directory. It may hold other things too, under names like ours."""
    runs = [path for path in data_dir.glob(f"{EXCHANGE}/*") if RUN_ID.fullmatch(path.name)]
    return runs + [path for path in data_dir.glob("df_*.partial") if PARTIAL.fullmatch(path.name)]


def remove(path: Path) -> None:
    """Removes a dataset, its sidecar first: without it, it does not count."""
    for part in (path.with_suffix(".json"), path, path.with_suffix(".lock")):
        part.unlink(missing_ok=True)


def all_in(data_dir: Path) -> list[Path]:
    """The dataset files in a data directory that have a sidecar of ours."""
    return sorted(path for path in data_dir.glob("df_*.pkl") if _is_ours(path.with_suffix(".json")))


def _is_ours(sidecar: Path) -> bool:
    try:
        return "sidecar_version" in json.loads(sidecar.read_text(encoding="utf-8"))
    except (OSError, ValueError, TypeError):
        return False
