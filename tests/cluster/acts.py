"""Acts of the steps: what the real ones report at multiplier 1, without the seconds that they take."""

import json
from typing import Any

from support.expected import EXPECTED
from tests.cluster.kubelet import Act

DATASET = {"rows": 10_000, "digest": "d", "file_bytes": 3_681_000}
PHASES = {"startup": 0.001, "load": 0.001, "touch": 0.001, "compute": 0.002, "save": 0.001}
RESULTS: dict[str, dict[str, Any]] = {
    "preprocess-data": {"train_rows": EXPECTED[1].train_rows, "test_rows": EXPECTED[1].test_rows},
    "train-data": {"intercept": EXPECTED[1].intercept, "digest_X_train": "1", "digest_y_train": "2"},
    "test-data": {"mse": EXPECTED[1].mse, "digest_X_test": "3", "digest_y_test": "4"},
}


def report(step: str, **more: Any) -> str:
    """A step's report; `more` takes the place of what it says."""
    told = {
        "contract_version": 1, "step": step, "phases": PHASES, "cpu_s": 0.003, "evict_s": 0.0, "fsync_s": 0.0,
        "verify_s": 0.0, "results": RESULTS[step], "read_bytes": 1000, "written_bytes": 900, "transport": "file",
        "inputs": [{"name": "X_train", "bytes": 1000, "cache": "cold"}], "warnings": [],
    }  # fmt: skip
    return json.dumps(told | more)


def played() -> dict[str, Act]:
    """All five scripts, each ending well at once."""
    acts = {step: Act(report(step), log=f"phase startup 0.001\n{step} was here\n") for step in RESULTS}
    acts["prepare-data"] = Act(log=f"phase startup 0.001\n{json.dumps({'dataset': DATASET})}\n")
    acts["clean-up"] = Act(log=json.dumps({"clean_up": {"removed_files": True}}) + "\n")
    return acts
