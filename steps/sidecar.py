"""The facts of a dataset, in a file beside it. It is written last: without it there is no dataset."""

import json
from pathlib import Path
from typing import Any

SIDECAR_VERSION = 1
NEEDED = {
    "multiplier", "rows", "digest", "around_digest", "data_offset", "data_bytes", "file_bytes", "verified_mtime_ns",
}  # fmt: skip


class AlteredDatasetError(Exception):
    """The dataset is not what was prepared."""


def sidecar(dataset: Path) -> Path:
    """Where the facts of a dataset lie."""
    return dataset.with_suffix(".json")


def facts_of(dataset: Path, multiplier: int) -> dict[str, Any]:
    """What the sidecar says of a dataset whose size is as it says; raises AlteredDatasetError."""
    facts = _read(dataset, multiplier)
    if not dataset.exists():
        raise AlteredDatasetError(f"{dataset} is missing, though its sidecar is there")
    if (size := dataset.stat().st_size) != facts["file_bytes"]:
        raise AlteredDatasetError(f"{dataset} has {size} bytes, prepared were {facts['file_bytes']}")
    return facts


def _read(dataset: Path, multiplier: int) -> dict[str, Any]:
    name = sidecar(dataset).name
    try:
        facts = dict(json.loads(sidecar(dataset).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise AlteredDatasetError(f"{dataset}: its sidecar {name} cannot be read") from error
    if facts.get("sidecar_version") != SIDECAR_VERSION:
        raise AlteredDatasetError(f"{dataset}: its sidecar {name} is not of version {SIDECAR_VERSION}")
    if missing := sorted(NEEDED - set(facts)):
        raise AlteredDatasetError(f"{dataset}: its sidecar {name} lacks {', '.join(missing)}")
    if facts["multiplier"] != multiplier:
        raise AlteredDatasetError(f"{dataset}: its sidecar {name} is that of multiplier {facts['multiplier']}")
    return facts
