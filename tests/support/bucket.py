"""A bucket of a real S3 server, a process of its own that is spoken to over HTTP."""

import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pyarrow.fs import FileSelector, FileType, S3FileSystem

from fluidbench.wait import wait_until

NAME = "fluidbench-tests"
SECRET = "not-to-be-seen-anywhere"
# servers of AWS itself are not to be asked for a role: there are none here
KEYS = {
    "AWS_ACCESS_KEY_ID": "AKIATESTS", "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}  # fmt: skip


@dataclass(frozen=True)
class Bucket:
    """`environment` is what a client needs to find it, as AWS's own tools do."""

    environment: Mapping[str, str]

    @property
    def url(self) -> str:
        return f"s3://{NAME}/some/prefix"

    def objects(self) -> list[str]:
        """The objects of runs: what has a name and a content."""
        found = self.client().get_file_info(FileSelector(NAME, recursive=True))
        return [info.path for info in found if info.type == FileType.File]

    def client(self) -> S3FileSystem:
        return S3FileSystem(
            endpoint_override=self.environment["AWS_ENDPOINT_URL"], access_key=KEYS["AWS_ACCESS_KEY_ID"],
            secret_key=SECRET, region=KEYS["AWS_REGION"], allow_bucket_creation=True, request_timeout=60,
        )  # fmt: skip


@contextlib.contextmanager
def served_bucket(log: Path) -> Iterator[Bucket]:
    port = _free_port()
    with log.open("wb") as told:
        server = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
            stdout=told, stderr=subprocess.STDOUT, env=os.environ | KEYS,
        )  # fmt: skip
    try:
        wait_until(lambda: _listens(port) or None, what=f"the S3 server ({log})", timeout_s=120, interval_s=0.1)
        bucket = Bucket(KEYS | {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}"})
        bucket.client().create_dir(NAME)
        yield bucket
    finally:
        server.terminate()
        server.wait(30)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False
