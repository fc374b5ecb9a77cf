"""The bucket that a run of the store s3 has its objects in."""

import os
from typing import Any

from pyarrow.fs import FileSelector, S3FileSystem

VARIABLE = "FLUIDBENCH_S3_URL"
# a server may put large objects together for longer than the client's own 3 s
REQUEST_TIMEOUT_S = 60.0


def connect() -> Any:
    """Arrow's client. Endpoint, region and credentials are where AWS's own tools look: AWS_*, else profile files."""
    return S3FileSystem(endpoint_override=os.environ.get("AWS_ENDPOINT_URL"), request_timeout=REQUEST_TIMEOUT_S)


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
