"""Objects in a bucket."""

import contextlib
import dataclasses
import os
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from fluidbench.errors import ExternalFailure, UsageProblem
from fluidbench.plan import Plan
from fluidbench.stores.base import Footprint, Medium, Place, Provision
from fluidbench.stores.parquet_file import ParquetStore

ENDPOINT = "AWS_ENDPOINT_URL"
OVERRIDE = "endpoint_override"
REQUEST_TIMEOUT_S = 60.0
HINT = "Say where: --s3-url s3://BUCKET/PREFIX; endpoint and credentials come from AWS_* or from AWS's profile files."


class S3Store:
    """Parquet objects below a URL. Credentials are looked for by Arrow's client, and by nothing here."""

    name = "s3"
    step_store = "s3"
    medium = Medium.ELSEWHERE

    def footprint(self, exchange_bytes: int) -> Footprint:
        return dataclasses.replace(ParquetStore().footprint(exchange_bytes), disk_bytes=0)

    def check(self, plan: Plan) -> None:
        """Raises UsageProblem where the URL names no bucket, ExternalFailure where it cannot be listed."""
        directory = self.directory(plan.s3_url)
        with _client(plan.s3_url, _endpoint()) as client:
            found = _has_bucket(client, directory)
        if not found:
            raise UsageProblem(f"{plan.s3_url} names a bucket that is not there", "Make it, or name another.")

    @contextlib.contextmanager
    def provision(self, place: Place, exchange_bytes: int) -> Iterator[Provision]:
        try:
            yield Provision({"FLUIDBENCH_S3_URL": place.s3_url})
        except BaseException:
            with contextlib.suppress(ExternalFailure):  # what came before it is what is told
                self.remove(_of_run(place.s3_url, place.run_id))
            raise
        self.remove(_of_run(place.s3_url, place.run_id))

    def elsewhere(self, plan: Plan, run_id: str) -> list[str]:
        return [_of_run(plan.s3_url, run_id)]

    def remove(self, url: str) -> None:
        """Deletes all objects below a URL of `elsewhere`. Raises ExternalFailure where its bucket is not found."""
        from pyarrow.fs import FileSelector

        place, _, query = url.partition("?")
        endpoint = parse_qs(query).get(OVERRIDE, [_endpoint()])[0]
        directory = self.directory(place)
        with _client(place, endpoint) as client:
            if not _has_bucket(client, directory):
                raise ExternalFailure(f"there is no such bucket at {endpoint or 'AWS'}", f"Look at {ENDPOINT}.")
            if client.get_file_info(FileSelector(directory, allow_not_found=True)):
                client.delete_dir(directory)

    @staticmethod
    def directory(url: str) -> str:
        """Bucket and prefix of a URL; raises UsageProblem where it is none."""
        parts = urlsplit(url)
        if parts.scheme != "s3" or not parts.hostname or parts.username or parts.query or parts.fragment:
            # of one that may hold keys nothing is repeated
            told = "" if "@" in url else f", and has {url!r}"
            raise UsageProblem(f"the store s3 needs a URL such as s3://BUCKET/PREFIX{told}", HINT)
        return f"{parts.netloc}{parts.path}".rstrip("/")


def _endpoint() -> str:
    """Where the bucket is; empty: at AWS."""
    return os.environ.get(ENDPOINT, "")


def _of_run(url: str, run_id: str) -> str:
    """Where a run's objects lie, in Arrow's form: whoever removes them later may have another endpoint set."""
    # it is recorded, as no keys may be
    known = _endpoint() if "@" not in _endpoint() else ""
    at = f"?{urlencode({OVERRIDE: known})}" if known else ""
    return f"{url.rstrip('/')}/{run_id}{at}"


def _has_bucket(client: Any, directory: str) -> bool:
    return bool(client.get_file_info(directory.partition("/")[0]).type.name != "NotFound")


@contextlib.contextmanager
def _client(url: str, endpoint: str) -> Iterator[Any]:
    """Arrow's client. What it says is turned into what a user can do about it, and names no credentials."""
    from pyarrow.fs import S3FileSystem

    try:
        yield S3FileSystem(endpoint_override=endpoint or None, request_timeout=REQUEST_TIMEOUT_S)
    except OSError as error:
        raise ExternalFailure(
            f"{url} at {endpoint or 'AWS'} does not answer as it should: {error}",
            f"Look at {ENDPOINT}, the region and the credentials.",
        ) from error
