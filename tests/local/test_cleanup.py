"""Nothing is left behind, however a run ends."""

import os
import signal
import time

import pytest

from support.program import Program, Watch, gone_within

VINEYARD = ("run", "--multiplier", "1", "--vineyard")


@pytest.fixture
def ready(program: Program, dataset_home: Program) -> Program:
    """A home of the test's own whose dataset is prepared already."""
    program.data.mkdir(parents=True)
    for name in ("df_1.pkl", "df_1.json"):
        os.link(dataset_home.data / name, program.data / name)
    return program


def nothing_left(program: Program, watch: Watch) -> None:
    assert watch.directories
    assert gone_within(watch, 1)
    assert watch.left() == []
    assert list(program.data.glob("runs/*")) == []


def last_run(program: Program) -> dict:
    return program("history", "--json").json["runs"][0]


@pytest.mark.parametrize("arm", [(), ("--vineyard",)])
def test_nothing_is_left_after_success(ready: Program, arm: tuple[str, ...]) -> None:
    ended, watch = ready.watched("run", "--multiplier", "1", *arm)
    assert ended.returncode == 0, ended.stderr
    assert len({name for name in watch.names if "vineyardd" in name}) >= len(arm)
    nothing_left(ready, watch)


def test_a_failed_step_leaves_nothing_and_the_server_is_gone(ready: Program) -> None:
    # the step cannot write its model, because a directory is in the way
    process = ready.start(*VINEYARD)
    with Watch(process.pid) as watch:
        watch.wait_for("preprocess_data.py")
        [run_dir] = ready.data.glob("runs/*")
        (run_dir / "model.pkl").mkdir()
        _, stderr = process.communicate(timeout=200)
    assert process.returncode == 6, stderr
    assert "train-data failed: IsADirectoryError" in stderr
    nothing_left(ready, watch)
    run = last_run(ready)
    assert (run["state"], [step["state"] for step in run["steps"]]) == ("Failed", ["Succeeded", "Failed"])


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 143)])
def test_a_signal_ends_the_run_in_order(ready: Program, number: signal.Signals, code: int) -> None:
    process = ready.start(*VINEYARD)
    with Watch(process.pid) as watch:
        watch.wait_for("train_data.py")
        process.send_signal(number)
        _, stderr = process.communicate(timeout=60)
    assert process.returncode == code, stderr
    assert "Traceback" not in stderr
    nothing_left(ready, watch)
    run = last_run(ready)
    assert (run["reason"], [step["name"] for step in run["steps"]]) == ("interrupted", ["preprocess-data"])


def test_after_a_kill_steps_and_server_are_gone_within_a_second_and_the_next_command_clears_the_rest(
    ready: Program,
) -> None:
    process = ready.start(*VINEYARD)
    with Watch(process.pid) as watch:
        watch.wait_for("train_data.py")
        time.sleep(0.3)
        process.kill()
        assert gone_within(watch, 1), watch.alive()
    assert watch.left() != []
    # nobody has waited for the killed process yet: it must not pass for a living one
    listed = ready("history", "--json")
    process.communicate()
    assert "interrupted" in listed.stderr
    assert [(run["state"], run["reason"]) for run in listed.json["runs"]] == [("Error", "interrupted")]
    nothing_left(ready, watch)


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
    left = ready.data / "runs" / "20260101-000000-aaaaaa"
    left.mkdir(parents=True)
    (ready.data / "df_9.pkl.77.partial").touch()
    kept = ready("down", "--json")
    assert kept.json["kept"] == [str(ready.data / "df_1.pkl")]
    assert not left.exists()
    assert "--purge" in kept.stderr
    removed = ready("down", "--purge", "--json")
    assert removed.json == {"format_version": 1, "removed": [str(ready.data / "df_1.pkl")], "kept": []}
    assert sorted(path.name for path in ready.data.iterdir()) == []


def test_down_leaves_alone_what_is_not_its_own(ready: Program) -> None:
    foreign = ready.data / "runs" / "of-somebody-else"
    foreign.mkdir(parents=True)
    mine = ready.data / "notes.txt"
    mine.touch()
    assert ready("down", "--purge").returncode == 0
    assert foreign.is_dir()
    assert mine.exists()


def test_what_down_leaves_are_the_results(lab) -> None:
    before = len(lab.recorded)
    assert lab.program("down").returncode == 0
    assert len(lab.program("history", "--json", "--limit", "99").json["runs"]) == before
    assert (lab.program.state / "results.db").exists()
