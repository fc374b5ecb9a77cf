"""Bad input: one message, what to do next, the right exit code; the same with --json."""

import json
import os
import sqlite3
from pathlib import Path

import pytest

from fluidbench.results import Results

COMMANDS = ("run", "compare", "prepare", "history", "doctor", "down")
CASES = [
    (("run", "--multiplier", "0"), 2, "usage"),
    (("run", "--multiplier", "-3"), 2, "usage"),
    (("run", "--multiplier", "many"), 2, "usage"),
    (("run", "--multiplier", "1000000000"), 8, "does_not_fit"),
    (("run", "--multiplier", "1000000000", "--vineyard"), 8, "does_not_fit"),
    (("prepare", "--multiplier", "1000000000"), 8, "does_not_fit"),
    (("compare", "--multiplier", "1000000000"), 8, "does_not_fit"),
    (("compare", "--multiplier", "0"), 2, "usage"),
    (("run", "--store", "nosuch"), 2, "usage"),
    (("run", "--store", "no_such_module:Store"), 2, "usage"),
    (("run", "--store", "json:NoSuchClass"), 2, "usage"),
    (("run", "--store", "pickle", "--vineyard"), 2, "usage"),
    (("compare", "--stores", "pickle"), 2, "usage"),
    (("compare", "--stores", "pickle,pickle"), 2, "usage"),
    (("compare", "--stores", "pickle,nosuch"), 2, "usage"),
    (("run", "--cache", "tepid"), 2, "usage"),
    (("run", "--storage-bandwidth", "fast"), 2, "usage"),
    (("run", "--storage-bandwidth", "10kB/s"), 2, "usage"),
    (("run", "--store", "s3"), 2, "usage"),
    (("run", "--store", "s3", "--s3-url", "https://bucket/prefix"), 2, "usage"),
    (("run", "--store", "s3", "--s3-url", "s3://me:secret@bucket/prefix"), 2, "usage"),
    (("run", "--store", "s3", "--s3-url", "s3://bucket/a", "--storage-bandwidth", "300MB/s"), 2, "usage"),
    (("run", "--store", "support.odd_stores:Fills", "--storage-bandwidth", "300MB/s"), 2, "usage"),
    (("compare", "--stores", "pickle,s3", "--storage-bandwidth", "300MB/s"), 2, "usage"),
    (("run", "--s3-secret", "keys"), 2, "usage"),
    (("run", "--repeat", "0"), 2, "usage"),
    (("run", "--step-timeout", "0"), 2, "usage"),
    (("history", "no-such-run"), 7, "result"),
    (("run", "--no-such-option"), 2, "usage"),
    (("nosuch",), 2, "usage"),
    *[((command, "--target", "nosuch"), 2, "usage") for command in COMMANDS],
]
NAMES = [" ".join(argv) for argv, _, _ in CASES]


@pytest.mark.parametrize(("argv", "code", "kind"), CASES, ids=NAMES)
def test_bad_input_is_one_message_with_a_hint_and_the_right_exit_code(cli, argv, code: int, kind: str) -> None:
    ended = cli(*argv)
    assert ended.returncode == code
    assert ended.stdout == ""
    said = [line for line in ended.stderr.splitlines() if line.startswith("Error: ")]
    hint = ended.stderr.splitlines()[ended.stderr.splitlines().index(said[0]) + 1 :]
    assert len(said) == 1
    assert any(line.strip() for line in hint)
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(("argv", "code", "kind"), CASES, ids=NAMES)
def test_with_json_the_error_is_in_the_envelope(cli, argv, code: int, kind: str) -> None:
    ended = cli(*argv, "--json")
    assert ended.returncode == code
    envelope = json.loads(ended.stdout)
    assert (envelope["format_version"], envelope["error"]["code"]) == (1, kind)
    assert envelope["error"]["message"]
    assert envelope["error"]["hint"]


def test_a_multiplier_that_does_not_fit_names_the_largest_that_does(cli) -> None:
    said = cli("run", "--multiplier", "1000000000", "--json").json["error"]
    largest = int(said["hint"].rpartition("--multiplier ")[2].rstrip("."))
    assert 1 <= largest < 1_000_000_000
    assert cli("doctor", "--multiplier", str(max(1, largest // 2)), "--store", "pickle").returncode == 0


@pytest.mark.parametrize("place", ["a-file", "a-file/below", "/proc/nowhere"])
def test_a_data_directory_that_cannot_be_used_is_named(cli, tmp_path: Path, place: str) -> None:
    (tmp_path / "a-file").touch()
    for command in ("run", "prepare", "compare", "doctor"):
        ended = cli(command, "--data-dir", str(tmp_path / place))
        assert ended.returncode == 2, command
        assert f"{tmp_path / place} cannot be the data directory" in ended.stderr
        assert "--data-dir" in ended.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_data_directory_that_may_not_be_written_is_named(cli, tmp_path: Path) -> None:
    (tmp_path / "locked").mkdir(mode=0o500)
    assert cli("run", "--data-dir", str(tmp_path / "locked")).returncode == 2


def test_a_full_disk_is_seen_before_anything_is_made(cli, small_disk) -> None:
    place = small_disk(2_000_000)
    ended = cli("run", "--multiplier", "1", "--data-dir", str(place), "--json")
    assert (ended.returncode, ended.json["error"]["code"]) == (8, "does_not_fit")
    assert str(place) in ended.json["error"]["message"]
    assert list(place.iterdir()) == []


def database(home: Path) -> Path:
    path = home / "state" / "fluidbench" / "results.db"
    path.parent.mkdir(parents=True)
    return path


@pytest.mark.parametrize("command", ["history", "run", "compare", "down"])
def test_a_corrupt_database_is_refused_and_kept(cli, home: Path, command: str) -> None:
    path = database(home)
    path.write_bytes(b"no database at all " * 300)
    ended = cli(command)
    assert ended.returncode == 7
    assert f"mv {path}" in ended.stderr
    assert path.read_bytes() == b"no database at all " * 300


@pytest.mark.parametrize("command", ["history", "run", "compare", "down"])
def test_a_newer_database_is_refused(cli, home: Path, command: str) -> None:
    with sqlite3.connect(database(home)) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    ended = cli(command, "--json")
    assert (ended.returncode, ended.json["error"]["code"]) == (7, "result")
    assert "Upgrade FluidBench" in ended.stderr


def test_a_locked_database_is_a_timeout_with_a_hint(cli, home: Path, monkeypatch) -> None:
    monkeypatch.setattr(Results.__init__, "__defaults__", (0.2,))  # the usual patience is ten seconds
    assert cli("history").returncode == 0
    holder = sqlite3.connect(home / "state" / "fluidbench" / "results.db", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    ended = cli("history", "--json")
    holder.close()
    assert (ended.returncode, ended.json["error"]["code"]) == (5, "timeout")
    assert "fuser" in ended.json["error"]["hint"]


def test_a_state_directory_that_cannot_be_made_is_named(cli, home: Path, monkeypatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/proc/nowhere")
    ended = cli("history")
    assert ended.returncode == 2
    assert "XDG_STATE_HOME" in ended.stderr


def test_keys_in_a_url_are_refused_and_not_repeated(cli) -> None:
    ended = cli("run", "--store", "s3", "--s3-url", "s3://me:not-to-be-seen@bucket/prefix", "--json")
    assert ended.returncode == 2
    assert "not-to-be-seen" not in ended.stdout + ended.stderr
