"""The bucket that a run of the store s3 has its objects in."""

import os
from typing import Any

from pyarrow.fs import FileSelector, S3FileSystem

VARIABLE = "FLUIDBENCH_S3_URL"


def connect() -> Any:
    """Arrow's client. Endpoint, region and credentials are where AWS's own tools look: AWS_*, else profile files."""
    return S3FileSystem(endpoint_override=os.environ.get("AWS_ENDPOINT_URL"))


def directory(url: str, run_id: str) -> str:
    """Bucket and prefix of a run's objects."""
    return f"{url.removeprefix('s3://').rstrip('/')}/{run_id}"


def remove(url: str, run_id: str) -> int:
    """Deletes a run's objects; returns how many there were."""
    client, place = connect(), directory(url, run_id)
    found = client.get_file_info(FileSelector(place, allow_not_found=True))
    if found:
        client.delete_dir(place)
    return len(found)
