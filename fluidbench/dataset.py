"""The dataset on this machine: found, checked, and taken only when it is whole."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xxhash

from fluidbench.errors import ResultProblem

SIDECAR_VERSION = 1
CHUNK_BYTES = 1 << 24
_NEEDED = {"multiplier", "rows", "digest", "around_digest", "data_offset", "data_bytes", "file_bytes"}


@dataclass(frozen=True)
class Dataset:
    """The dataset of one multiplier. `digest` covers its cells, column after column."""

    path: Path
    multiplier: int
    rows: int
    digest: str
    file_bytes: int


def find(data_dir: Path, multiplier: int) -> Dataset | None:
    """The prepared dataset of `multiplier`, or None where there is none.

    Raises ResultProblem where it is truncated or altered. Its bytes are read again only when the file was changed
    since they were last found right.
    """
    path = data_dir / f"df_{multiplier}.pkl"
    sidecar = path.with_suffix(".json")
    if not sidecar.exists():
        return None
    facts = _facts(sidecar, multiplier)
    if not path.exists():
        raise _unusable(path, "it is missing, though its sidecar is there")
    stat = path.stat()
    if stat.st_size != facts["file_bytes"]:
        raise _unusable(path, f"it has {stat.st_size} bytes, prepared were {facts['file_bytes']}")
    if facts.get("verified_mtime_ns") != stat.st_mtime_ns:
        _verify(path, facts)
        _remember(sidecar, {**facts, "verified_mtime_ns": stat.st_mtime_ns})
    return Dataset(path, multiplier, facts["rows"], facts["digest"], facts["file_bytes"])


def remove(path: Path) -> None:
    """Removes a dataset, its sidecar first: without it, it does not count."""
    for part in (path.with_suffix(".json"), path, path.with_suffix(".lock")):
        part.unlink(missing_ok=True)


def all_in(data_dir: Path) -> list[Path]:
    """The dataset files in a data directory."""
    return sorted(data_dir.glob("df_*.pkl"))


def _facts(sidecar: Path, multiplier: int) -> Mapping[str, Any]:
    try:
        facts: Mapping[str, Any] = json.loads(sidecar.read_text(encoding="utf-8"))
        version = facts["sidecar_version"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _unusable(sidecar.with_suffix(".pkl"), f"its sidecar {sidecar.name} cannot be read") from error
    if version != SIDECAR_VERSION:
        raise _unusable(sidecar.with_suffix(".pkl"), f"its sidecar is of version {version}, not {SIDECAR_VERSION}")
    if missing := sorted(_NEEDED - set(facts)):
        raise _unusable(sidecar.with_suffix(".pkl"), f"its sidecar {sidecar.name} lacks {', '.join(missing)}")
    if facts["multiplier"] != multiplier:
        raise _unusable(sidecar.with_suffix(".pkl"), f"its sidecar is that of multiplier {facts['multiplier']}")
    return facts


def _verify(path: Path, facts: Mapping[str, Any]) -> None:
    offset, size = facts["data_offset"], facts["data_bytes"]
    cells, around = xxhash.xxh3_128(), xxhash.xxh3_128()
    with path.open("rb") as file:
        around.update(file.read(offset))
        remaining = size
        while remaining and (chunk := file.read(min(CHUNK_BYTES, remaining))):
            cells.update(chunk)
            remaining -= len(chunk)
        around.update(file.read())
    if (cells.hexdigest(), around.hexdigest()) != (facts["digest"], facts["around_digest"]):
        raise _unusable(path, "its content is not what was prepared")


def _remember(sidecar: Path, facts: Mapping[str, Any]) -> None:
    partial = sidecar.with_name(f"{sidecar.name}.{os.getpid()}.partial")
    partial.write_text(json.dumps(facts), encoding="utf-8")
    partial.replace(sidecar)


def _unusable(path: Path, reason: str) -> ResultProblem:
    return ResultProblem(
        f"the dataset {path} cannot be used: {reason}",
        f"Remove it, and the next run prepares it again: rm {path} {path.with_suffix('.json')}",
    )
