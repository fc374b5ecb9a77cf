"""Which stores a command takes, and what it says of a storage that is emulated."""

import sys

import pytest

from tests.conftest import Cli

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the local target needs Linux")
LIMIT = ("--storage-bandwidth", "300MB/s")


def test_all_stores_of_this_machine_are_compared_and_s3_where_its_place_is_known(cli: Cli) -> None:
    said = cli("compare", "-m", "1", "--no-run", "--stores", "all", *LIMIT).stderr
    assert "every file of the data directory is read and written at 300 MB/s at most" in said
    assert "Memory is not limited: the tables of tmpfs, vineyard, vineyard-block." in said
    assert "arrow reads its files through the limit and does not map them." in said
    with_s3 = cli("compare", "-m", "1", "--no-run", "--stores", "all", "--s3-url", "s3://bucket/prefix", *LIMIT)
    assert (with_s3.returncode, "cannot limit the store s3" in with_s3.stderr) == (2, True)


def test_the_url_of_a_bucket_can_come_from_the_environment(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLUIDBENCH_S3_URL", "s3://bucket/prefix")
    ended = cli("compare", "-m", "1", "--no-run", "--stores", "all", *LIMIT)
    assert "cannot limit the store s3" in ended.stderr


def test_without_a_limit_nothing_is_said_of_one(cli: Cli) -> None:
    assert "emulated" not in cli("compare", "-m", "1", "--no-run", "--stores", "all").stderr


def test_a_bucket_that_does_not_answer_is_told_without_its_keys(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("ACCESS_KEY_ID", "me"), ("SECRET_ACCESS_KEY", "not-to-be-seen"), ("REGION", "us-east-1")):
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    ended = cli("run", "-m", "1", "--store", "s3", "--s3-url", "s3://bucket/prefix")
    assert ended.returncode == 4
    assert "s3://bucket/prefix at http://127.0.0.1:9 does not answer as it should" in ended.stderr
    assert "not-to-be-seen" not in ended.stderr


def test_a_bucket_that_is_not_there_is_told(cli: Cli, bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in bucket.environment.items():
        monkeypatch.setenv(name, value)
    ended = cli("run", "-m", "1", "--store", "s3", "--s3-url", "s3://no-such-bucket/prefix")
    assert ended.returncode == 2
    assert "names a bucket that is not there" in ended.stderr
