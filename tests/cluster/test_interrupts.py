"""A run that is interrupted, at any stage, or killed: nothing is left, and what had ended is recorded."""

import contextlib
import json
import signal
import subprocess
import time
from collections.abc import Iterator

import pytest

from fluidbench.kube import POD, WORKFLOW
from tests.cluster.conftest import World

RUN = ("run", "-m", "1", "--vineyard", "--json")


@contextlib.contextmanager
def at_work(world: World, step: str, *argv: str) -> Iterator["subprocess.Popen[str]"]:
    """The program, while a step is at work that does not end by itself."""
    world.act(step, hangs=True)
    process = world.program.start(*(argv or RUN))
    try:
        deadline = time.monotonic() + 30
        while not running(world, step):
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.02)
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()
        world.act(step, hangs=False)


def ended_before(world: World, step: str) -> None:
    """Waits until the step before is recorded, which its successor's start is a moment ahead of."""
    deadline = time.monotonic() + 10
    while step not in [one["name"] for one in world.recorded()["steps"]]:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def running(world: World, step: str) -> bool:
    pods = world.cluster.api.objects(POD)
    return any(step in pod["metadata"]["name"] and pod["status"].get("phase") == "Running" for pod in pods)


@pytest.mark.parametrize(
    ("number", "code", "word"),
    [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated"), (signal.SIGHUP, 143, "terminated")],
)
def test_a_signal_in_the_middle_stops_the_workflow_and_removes_everything(
    world: World, number: signal.Signals, code: int, word: str
) -> None:
    with at_work(world, "train-data") as process:
        ended_before(world, "preprocess-data")
        process.send_signal(number)
        stdout, stderr = process.communicate(timeout=30)
    assert process.returncode == code, stderr
    assert f'"code": "{word}"' in stdout
    assert "Traceback" not in stderr
    assert [seen.body for seen in world.cluster.api.asked("PATCH", "/workflows/")] == [
        {"spec": {"shutdown": "Terminate"}}
    ]
    assert world.cluster.left() == []
    run = world.recorded()
    assert (run["state"], run["reason"]) == ("Error", "interrupted")
    assert [step["name"] for step in run["steps"]] == ["preprocess-data"]


@pytest.mark.parametrize("step", ["prepare-data", "preprocess-data", "test-data"])
def test_ctrl_c_at_any_stage_leaves_nothing_and_the_next_run_is_well(world: World, step: str) -> None:
    with at_work(world, step) as process:
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=30)
    assert process.returncode == 130, stderr
    assert world.cluster.left() == []
    assert world.run("--vineyard").returncode == 0


def test_ctrl_c_while_it_clears_up_does_not_keep_it_from_doing_so(world: World) -> None:
    with at_work(world, "clean-up") as process:
        world.act("clean-up", hangs=False)
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=30)
    assert process.returncode == 130, stderr
    assert world.cluster.left() == []


def test_what_a_second_ctrl_c_leaves_is_cleared_up_by_the_next_run(world: World) -> None:
    with at_work(world, "clean-up") as process:
        process.send_signal(signal.SIGINT)
        again = len(world.cluster.api.asked("POST", "/jobs"))
        while len(world.cluster.api.asked("POST", "/jobs")) == again:
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=30)
    assert process.returncode == 130, stderr
    assert [left.split()[0] for left in world.cluster.left()] == ["Workflow"]
    ended = world.run()
    assert ended.returncode == 0, ended.stderr
    assert "removing what run" in ended.stderr
    assert world.cluster.left() == []


def test_ctrl_c_before_the_answer_to_the_submit_has_come_leaves_no_workflow(world: World) -> None:
    world.cluster.api.slow(5.0, method="POST", path="/workflows", after=True)
    process = world.program.start(*RUN)
    while not world.cluster.argo.workflows:
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=30)
    assert process.returncode == 130, stderr
    assert world.cluster.left() == []


def test_ctrl_c_in_a_comparison_keeps_the_runs_that_had_ended(world: World) -> None:
    count = iter(range(99))

    def third() -> None:
        if next(count) == 2:
            process.send_signal(signal.SIGINT)

    world.during("train-data", third, takes_s=0.3)
    process = world.program.start("compare", "-m", "1", "--rounds", "2", "--yes", "--json")
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130, stderr
    runs = world("history", "--json").json["runs"]
    assert [run["state"] for run in runs] == ["Error", "Succeeded", "Succeeded"]
    assert world.cluster.left() == []


def test_after_a_kill_the_next_command_clears_up(world: World) -> None:
    with at_work(world, "train-data") as process:
        process.kill()
        process.communicate()
    assert world.cluster.left() != []
    listed = world("history", "--json")
    assert "had been interrupted; what it left was removed" in listed.stderr
    assert [(run["state"], run["reason"]) for run in listed.json["runs"]] == [("Error", "interrupted")]
    assert world.cluster.left() == []
    assert any("clean-up" in seen.path for seen in world.cluster.api.asked("DELETE", "/jobs/"))


def test_after_a_kill_the_clean_up_is_told_of_the_bucket_and_of_its_secret(world: World) -> None:
    bucket = ("--store", "s3", "--s3-url", "s3://bucket/prefix", "--s3-secret", "keys")
    with at_work(world, "train-data", "run", "-m", "1", *bucket) as process:
        process.kill()
        process.communicate()
    assert world("history").returncode == 0
    [job] = [seen.body for seen in world.cluster.api.asked("POST", "/jobs") if "clean-up" in json.dumps(seen.body)]
    [main] = job["spec"]["template"]["spec"]["containers"]
    assert {"name": "FLUIDBENCH_S3_URL", "value": "s3://bucket/prefix"} in main["env"]
    assert main["envFrom"] == [{"secretRef": {"name": "keys"}}]
    assert world.cluster.left() == []


def test_after_a_kill_while_the_dataset_was_made_the_next_run_replaces_the_job(world: World) -> None:
    with at_work(world, "prepare-data") as process:
        process.kill()
    ended = world.run()
    assert ended.returncode == 0, ended.stderr
    assert world.cluster.left() == []


def test_a_job_that_a_killed_command_left_is_removed_before_anything_is_measured(world: World) -> None:
    with at_work(world, "prepare-data", "prepare", "-m", "2") as process:
        process.kill()
    ended = world.run()
    assert ended.returncode == 0, ended.stderr
    assert "removing the Job prepare-data-2, which an interrupted command left" in ended.stderr
    assert world.cluster.left() == []


def test_what_a_killed_run_left_on_a_cluster_that_is_gone_is_told(world: World) -> None:
    with at_work(world, "train-data") as process:
        process.kill()
        process.communicate()
    workflow = world.cluster.argo.workflows[-1]
    assert world.cluster.api.get(WORKFLOW, workflow, "default")
    world.cluster.api.vanish()
    listed = world("history", "--json")
    assert listed.returncode == 0
    assert "what it left on the cluster stays: the API server at" in listed.stderr


def test_two_runs_at_once_are_refused(world: World) -> None:
    with at_work(world, "train-data") as process:
        refused = world.run()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
    assert (refused.returncode, refused.json["error"]["code"]) == (10, "busy")
    assert f"process {process.pid}" in refused.json["error"]["message"]
    assert world.cluster.left() == []
