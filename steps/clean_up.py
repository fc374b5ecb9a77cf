"""clean-up: drops a run's names and objects from Vineyard, and removes its files and its objects in a bucket.

Prints what it did and what each worker still holds, as one line of JSON.
"""

import contextlib
import json
import os
import shutil
import sys
from typing import Any

import contract

TABLES = ("X_train", "X_test", "y_train", "y_test")
# vineyard's own default is 5
MANY_NAMES = 10_000


def main() -> int:
    told = contract.parameters([])
    if not told.run_id.strip(".") or "/" in told.run_id:
        print(f"{told.run_id!r} is no run id", file=sys.stderr)
        return 2
    done: dict[str, Any] = {"run_id": told.run_id, "removed_files": told.run_dir.exists()}
    if told.run_dir.exists():
        shutil.rmtree(told.run_dir)
        with contextlib.suppress(OSError):  # another run's files may be there
            told.run_dir.parent.rmdir()
    if {"VINEYARD_CONFIG", "VINEYARD_IPC_SOCKET"} & os.environ.keys():
        done |= in_vineyard(told.run_id)
    if url := os.environ.get("FLUIDBENCH_S3_URL"):
        import s3_client

        done["removed_objects"] = s3_client.remove(url, told.run_id)
    print(json.dumps({"clean_up": done}), flush=True)
    return 0


def in_vineyard(run_id: str) -> dict[str, Any]:
    """Drops the run's objects; when nobody's names are left then, everything that has none goes too.

    A `get(fetch=True)` from another worker leaves a copy there that is found under no name.
    """
    import vineyard_client

    client = vineyard_client.connect()
    dropped = [table for table in TABLES if drop(client, f"{table}-{run_id}")]
    names_left = len(client.list_names("*", limit=MANY_NAMES))
    problem = ""
    if not names_left:
        try:
            client.clear()
        except RuntimeError as error:  # a worker that restarted leaves metadata that cannot be walked
            problem = f"{type(error).__name__}: {error}"
    return {
        "dropped": dropped,
        "names_left": names_left,
        "used_bytes": vineyard_client.used_bytes(client),
        "problem": problem,
    }


def drop(client: Any, name: str) -> bool:
    """Removes the name first: put again while it stands, it would leak what it named before."""
    try:
        object_id = client.get_name(name)
        client.drop_name(name)
    except RuntimeError:  # vineyard's own errors: there is no such name
        return False
    try:
        client.delete(object_id, force=True, deep=True)
    except RuntimeError as error:  # its worker restarted: the object is gone already
        print(f"{name}: {error}", file=sys.stderr)
    return True


if __name__ == "__main__":
    sys.exit(main())
