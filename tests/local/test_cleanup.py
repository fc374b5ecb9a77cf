"""Nothing is left behind, however a run ends."""

import json
import signal
import time
from pathlib import Path

import pytest

from fluidbench.dataset import find
from fluidbench.errors import ExternalFailure
from fluidbench.stores import remove
from support.bucket import Bucket, served_bucket
from support.program import Program, Watch, gone_within

VINEYARD = ("run", "--multiplier", "1", "--vineyard")


def nothing_left(program: Program, watch: Watch) -> None:
    assert watch.directories
    assert gone_within(watch, 1)
    assert watch.left() == []
    assert list(program.data.glob("exchange*")) == []


def last_run(program: Program) -> dict:
    return program("history", "--json").json["runs"][0]


def test_nothing_is_left_after_success(lab) -> None:
    assert (lab.twice.left, lab.terminal.left) == ([], [])
    assert not any("vineyardd" in name for name in lab.twice.programs)
    assert any("vineyardd" in name for name in lab.terminal.programs)


def test_a_failed_step_leaves_nothing_and_the_server_is_gone(ready: Program) -> None:
    # the step cannot write its model, because a directory is in the way
    process = ready.start(*VINEYARD)
    with Watch(process.pid) as watch:
        watch.wait_for("preprocess_data.py")
        [run_dir] = ready.data.glob("exchange/*")
        (run_dir / "model.pkl").mkdir()
        _, stderr = process.communicate(timeout=200)
    assert process.returncode == 6, stderr
    assert "train-data failed: IsADirectoryError" in stderr
    nothing_left(ready, watch)
    run = last_run(ready)
    assert (run["state"], [step["state"] for step in run["steps"]]) == ("Failed", ["Succeeded", "Failed"])


@pytest.mark.parametrize(
    ("number", "during", "ended", "code", "word"),
    [
        (signal.SIGINT, "train_data.py", ["preprocess-data"], 130, "interrupted"),
        (signal.SIGTERM, "preprocess_data.py", [], 143, "terminated"),
    ],
    ids=["Ctrl-C", "SIGTERM"],
)
def test_a_signal_ends_the_run_in_order_and_tells_what_was_recorded(
    ready: Program, number: signal.Signals, during: str, ended: list[str], code: int, word: str
) -> None:
    process = ready.start(*VINEYARD, "--json")
    with Watch(process.pid) as watch:
        watch.wait_for(during)
        process.send_signal(number)
        stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == code, stderr
    assert "Traceback" not in stderr
    assert stderr.endswith(f"Error: {word}\n  What had ended is recorded: fluidbench history\n")
    nothing_left(ready, watch)
    run, printed = last_run(ready), json.loads(stdout)
    assert (run["state"], run["reason"]) == ("Error", "interrupted")
    assert [step["name"] for step in run["steps"]] == ended
    assert (printed["runs"], printed["error"]["code"]) == ([run], word)


def test_a_signal_ends_the_making_of_a_dataset_in_order(program: Program) -> None:
    process = program.start("prepare", "--multiplier", "20")
    with Watch(process.pid) as watch:
        watch.wait_for("prepare_data.py")
        process.send_signal(signal.SIGHUP)
        _, stderr = process.communicate(timeout=60)
    assert process.returncode == 143
    assert stderr.endswith("Error: terminated\n  What had ended is recorded: fluidbench history\n")
    nothing_left(program, watch)
    assert find(program.data, 20) is None
    assert program("down").returncode == 0
    assert [path.name for path in program.data.iterdir()] in ([], ["df_20.lock"])


def test_after_a_kill_steps_and_server_are_gone_within_a_second_and_the_next_command_clears_the_rest(
    ready: Program,
) -> None:
    process = ready.start(*VINEYARD)
    with Watch(process.pid) as watch:
        watch.wait_for("preprocess_data.py")
        time.sleep(0.3)
        process.kill()
        assert gone_within(watch, 1), watch.alive()
    # other commands on this machine may already have cleared the private directory, but not what lies in this home
    assert len(list(ready.data.glob("exchange/*"))) == 1
    # nobody has waited for the killed process yet: it must not pass for a living one
    listed = ready("history", "--json")
    process.communicate()
    assert "interrupted" in listed.stderr
    assert [(run["state"], run["reason"]) for run in listed.json["runs"]] == [("Error", "interrupted")]
    nothing_left(ready, watch)


def killed(program: Program, store: str, during: str) -> str:
    """Kills a run through the store in one of its steps; returns its id."""
    process = program.start("run", "--multiplier", "1", "--store", store, "--json")
    with Watch(process.pid) as watch:
        watch.wait_for(during)
        [run_dir] = program.data.glob("exchange/*")
        process.kill()
        assert gone_within(watch, 1)
    process.communicate()
    return run_dir.name


def test_after_a_kill_the_next_command_removes_the_files_in_memory_too(ready: Program) -> None:
    in_memory = Path("/dev/shm", f"fluidbench-{killed(ready, 'tmpfs', 'preprocess_data.py')}")
    assert in_memory.is_dir()
    assert ready("history").returncode == 0
    assert not in_memory.exists()


def test_after_a_kill_the_next_command_removes_the_objects_in_the_bucket_or_says_where_they_are(
    ready: Program, tmp_path: Path
) -> None:
    with served_bucket(tmp_path / "log") as bucket:
        found = Program(ready.home, bucket.environment | {"FLUIDBENCH_S3_URL": bucket.url})
        run_id = killed(found, "s3", "train_data.py")
        assert {run_id in path for path in bucket.objects()} == {True}
        # whoever comes next may have another endpoint set, or none
        elsewhere = Program(ready.home, found.more | {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"})
        assert f"Run {run_id} had been interrupted; what it left was removed" in elsewhere("history").stderr
        assert bucket.objects() == []
        run_id = killed(found, "s3", "train_data.py")
    listed = found("history")
    assert listed.returncode == 0
    assert f"what it left at {bucket.url}/{run_id}?endpoint_override=http" in listed.stderr
    assert " stays: " in listed.stderr


def test_objects_whose_bucket_is_not_found_are_not_said_to_be_removed(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in bucket.environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ExternalFailure, match="no such bucket at http"):
        remove("s3", "s3://another-bucket/prefix/run")


def test_a_kill_while_the_dataset_is_made_leaves_nothing_after_the_next_command(program: Program) -> None:
    process = program.start("run", "--multiplier", "1")
    with Watch(process.pid) as watch:
        watch.wait_for("prepare_data.py")
        process.kill()
        assert gone_within(watch, 1)
    process.communicate()
    assert program("history").returncode == 0
    assert watch.left() == []


def test_down_removes_what_is_left_and_asks_before_datasets(ready: Program) -> None:
    left = ready.data / "exchange" / "20260101-000000-aaaaaa"
    left.mkdir(parents=True)
    (ready.data / "df_9.pkl.77.partial").touch()
    kept = ready("down", "--json")
    assert kept.json["kept"] == [str(ready.data / "df_1.pkl")]
    assert not left.exists()
    assert "--purge" in kept.stderr
    removed = ready("down", "--purge", "--json")
    assert removed.json == {"format_version": 1, "removed": [str(ready.data / "df_1.pkl")], "kept": []}
    # nor is the directory of the runs' files left when it is empty
    assert sorted(path.name for path in ready.data.iterdir()) == []


def test_down_leaves_alone_what_is_not_its_own(ready: Program) -> None:
    foreign = ready.data / "exchange" / "of-somebody-else"
    foreign.mkdir(parents=True)
    mine = ready.data / "notes.txt"
    mine.touch()
    assert ready("down", "--purge").returncode == 0
    assert foreign.is_dir()
    assert mine.exists()


def test_what_down_leaves_are_the_results(lab) -> None:
    before = len(lab.program("history", "--json", "--limit", "99").json["runs"])
    assert lab.program("down").returncode == 0
    assert len(lab.program("history", "--json", "--limit", "99").json["runs"]) == before
    assert (lab.program.state / "results.db").exists()
