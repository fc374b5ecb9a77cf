"""Pods that do not start, steps that fail, Workflows that go wrong: told in one sentence, recorded, and cleared up."""

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from fluidbench.kube import DEPLOYMENT, WORKFLOW, Kube
from fluidbench.targets.cluster.controller import Attention
from fluidbench.targets.cluster.ready import ReadyCluster
from tests.cluster.acts import report
from tests.cluster.conftest import World
from tests.up.stack import controller


def ago(seconds: float) -> str:
    return (datetime.now(UTC) - timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def unschedulable(message: str) -> dict[str, Any]:
    """The status of a pod that found no node, half a minute ago."""
    told = {"reason": "Unschedulable", "message": message, "lastTransitionTime": ago(30)}
    return {"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False", **told}]}


def waiting(reason: str, message: str = "") -> dict[str, Any]:
    """The status of a pod whose main container waits."""
    scheduled = {"type": "PodScheduled", "status": "True", "lastTransitionTime": ago(30)}
    main = {"name": "main", "image": "x/steps:1", "restartCount": 0, "ready": False, "started": False}
    main |= {"state": {"waiting": {"reason": reason, "message": message}}}
    return {"phase": "Pending", "conditions": [scheduled], "containerStatuses": [main]}


NO_ROOM = "0/3 nodes are available: 1 node(s) had untolerated taint, 2 Insufficient memory."
NO_NODE = "0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector."
NO_MOUNT = {
    "reason": "FailedMount", "type": "Warning", "count": 5, "firstTimestamp": ago(40), "lastTimestamp": ago(1),
    "message": 'MountVolume.SetUp failed for volume "v" : hostPath type check failed: /mnt/csi-benchmark is not a '
    "directory",
}  # fmt: skip
STUCK: dict[str, tuple[dict[str, Any], int, str]] = {
    "an image that is not there": (
        {"stays": waiting("ImagePullBackOff", 'Back-off pulling image "x/steps:1": not found')}, 4, "cannot be pulled"
    ),
    "too little memory on the nodes": ({"stays": unschedulable(NO_ROOM)}, 8, "finds no node"),
    "a node that is gone": ({"stays": unschedulable(NO_NODE)}, 4, "finds no node"),
    "a directory that was never mounted": (
        {"stays": waiting("ContainerCreating"), "events": (NO_MOUNT,)}, 4, "a volume cannot be mounted"
    ),
    "a container that cannot be made": (
        {"stays": waiting("CreateContainerConfigError", "runAsNonRoot and image will run as root")}, 4, "cannot be made"
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "step"), [*((name, "train-data") for name in STUCK), ("an image that is not there", "prepare-data")]
)
def test_a_pod_that_will_not_start_is_told_within_seconds_and_removed(world: World, name: str, step: str) -> None:
    changes, code, told = STUCK[name]
    world.act(step, **changes)
    began = time.monotonic()
    ended = world.run()
    assert time.monotonic() - began < 10
    assert ended.returncode == code, ended.stderr
    assert told in ended.json["error"]["message"]
    assert ended.json["error"]["hint"]
    assert world.cluster.left() == []


# the Workflows of a real cluster, played again: the exit code, and words of the message
REPLAYED = {
    "running-imagepullbackoff": (4, "cannot be pulled"),
    "running-unschedulable": (4, "finds no node"),
    "running-pvc-missing": (4, "finds no node"),
    "running-failedmount": (4, "a volume cannot be mounted"),
    "failed-exit1": (6, "step-b failed: Error (exit code 1)"),
    "failed-oomkilled": (6, "step-b was killed for lack of memory"),
    "failed-vineyard-get": (6, "train-data failed"),
    "failed-deadline-exceeded": (5, "step-b did not end within the time that it was given"),
    "failed-invalid-spec": (2, "Argo does not accept the Workflow"),
    "failed-missing-parameter": (2, "needs a value for its parameter data_multiplier"),
    "error-missing-taskresults-rbac": (
        4,
        "may not create workflowtaskresults (so test-data and train-data did not run)",
    ),
    "error-webhook-timeout": (4, "the webhook fuse.serverful.fluid.io stands before every such pod"),
}


@pytest.mark.parametrize("name", REPLAYED)
def test_what_went_wrong_on_a_real_cluster_is_told_in_plain_words(world: World, name: str) -> None:
    code, told = REPLAYED[name]
    world.cluster.argo.replay(name)
    ended = world.run()
    assert ended.returncode == code, ended.stderr
    assert told in ended.json["error"]["message"]
    assert ended.json["error"]["message"] == world.recorded()["reason"]
    assert world.cluster.left() == []


def test_a_step_that_is_killed_for_lack_of_memory_is_told_with_its_limit(world: World) -> None:
    world.act("train-data", exit_code=137, reason="OOMKilled", report="{}")
    ended = world.run()
    assert (ended.returncode, ended.json["error"]["code"]) == (6, "step_failed")
    message = ended.json["error"]["message"]
    assert "train-data was killed for lack of memory (OOMKilled); its limit was" in message
    assert "so test-data did not run" in message
    run = world.recorded()
    assert [step["state"] for step in run["steps"]] == ["Succeeded", "Failed", "Omitted"]
    assert "OOMKilled" in run["steps"][1]["reason"]
    assert world.cluster.left() == []


def test_a_step_that_fails_is_told_with_what_it_reported_and_the_end_of_its_log(world: World) -> None:
    report = (
        '{"phases": {"startup": 0.1}, "error": {"type": "NotEnoughMemoryException", "message": "Failed to allocate"}}'
    )
    world.act("preprocess-data", exit_code=1, report=report, log="line 1\nFailed to allocate memory of size 9\n")
    ended = world.run("--vineyard")
    assert ended.returncode == 6
    message = ended.json["error"]["message"]
    assert "preprocess-data failed: NotEnoughMemoryException: Failed to allocate" in message
    assert "memory of size 9" in message
    assert "fluidbench status" in ended.json["error"]["hint"]
    assert world.recorded()["steps"][0]["phases"]["startup"] == 0.1


def test_the_log_of_a_failed_step_is_kept(world: World) -> None:
    world.act("train-data", exit_code=1, log="what was said\n")
    world.run()
    kept = world.program.state / "runs" / world.recorded()["run_id"] / "train-data.log"
    assert kept.read_text() == "what was said\n"


def test_a_step_that_never_ends_is_ended_by_its_deadline(world: World) -> None:
    world.act("train-data", hangs=True)
    ended = world.run("--step-timeout", "1")
    assert (ended.returncode, ended.json["error"]["code"]) == (5, "timeout")
    assert "train-data did not end within the time that it was given" in ended.json["error"]["message"]
    assert "--step-timeout" in ended.json["error"]["hint"]
    assert world.cluster.left() == []


def test_a_prepare_that_never_ends_is_ended_and_its_job_removed(world: World) -> None:
    world.act("prepare-data", hangs=True)
    ended = world.run("--step-timeout", "1")
    assert (ended.returncode, ended.json["error"]["code"]) == (5, "timeout")
    assert world.cluster.argo.workflows == []
    assert world.cluster.left() == []


def test_a_workflow_that_somebody_deleted_is_told(world: World) -> None:
    api = world.cluster.api

    def deleted() -> None:
        api.remove(WORKFLOW, world.cluster.argo.workflows[-1], "default")

    world.during("train-data", lambda: api.later(0.1, deleted), takes_s=2)
    ended = world.run()
    assert ended.returncode == 6
    assert "was deleted while it ran" in ended.json["error"]["message"]
    assert "fluidbench run" in ended.json["error"]["hint"]
    assert world.recorded()["state"] == "Failed"
    assert world.cluster.left() == []


def test_a_dataset_that_was_altered_is_told_and_not_used(world: World) -> None:
    log = "Traceback\nprepare_data.AlteredDatasetError: the content of /data/df_1.pkl is not what was prepared\n"
    world.act("prepare-data", exit_code=1, log=log)
    ended = world.run()
    assert (ended.returncode, ended.json["error"]["code"]) == (7, "result")
    assert ended.json["error"]["message"] == "the content of /data/df_1.pkl is not what was prepared"
    assert world.cluster.argo.workflows == []
    assert world.cluster.left() == []


def test_a_prepare_that_fails_is_told_with_its_log(world: World) -> None:
    world.act("prepare-data", exit_code=1, log="PermissionError: [Errno 13] Permission denied: '/data'\n")
    ended = world.run()
    assert ended.returncode == 6
    assert "prepare-data failed" in ended.json["error"]["message"]
    assert "Permission denied" in ended.json["error"]["hint"]


def test_a_clean_up_that_fails_is_told_and_the_run_does_not_pass_for_a_good_one(world: World) -> None:
    world.act("clean-up", exit_code=1, log="ConnectionError: no Vineyard\n")
    ended = world.run("--vineyard")
    assert ended.returncode == 6
    assert "clean-up failed" in ended.json["error"]["message"]
    assert world.recorded()["state"] == "Failed"
    (workflow,) = world.cluster.left()
    assert workflow.startswith("Workflow machine-learning-pipeline-with-vineyard-")


def test_what_could_not_be_cleared_up_is_by_the_next_run(world: World) -> None:
    said = world.cluster.argo.kubelet.acts["clean-up"].log
    world.act("clean-up", exit_code=1, log="ConnectionError: no Vineyard\n")
    failed = world.program("run", "-m", "1", "--vineyard", "--json")
    assert failed.returncode == 6, failed.stderr
    assert world.cluster.left() != []
    world.act("clean-up", exit_code=0, log=said)
    ended = world.run()
    assert ended.returncode == 0, ended.stderr
    assert f"removing what run {failed.json['runs'][0]['run_id']} left on the cluster" in ended.stderr
    assert world.cluster.left() == []


def test_a_dataset_that_was_found_whole_is_not_prepared_again(world: World) -> None:
    for _ in range(2):
        assert world.run().returncode == 0
    made = [seen.body["metadata"]["name"] for seen in world.cluster.api.asked("POST", "/jobs")]
    assert [name for name in made if "prepare-data" in name] == ["prepare-data-1"]
    first, second = (seen.body["spec"] for seen in world.cluster.api.asked("POST", "/workflows"))
    for spec in (first, second):
        (environment,) = (one["container"]["env"] for one in spec["templates"] if one["name"] == "preprocess-data")
        assert {"name": "FLUIDBENCH_DATASET_DIGEST", "value": "d"} in environment
    assert world("prepare", "-m", "1").returncode == 0
    assert len(world.cluster.api.asked("POST", "/jobs")) == 4  # a clean-up each, and the dataset looked at again


def test_a_dataset_that_is_altered_under_a_run_is_a_problem_of_results(world: World) -> None:
    error = {"type": "AlteredDatasetError", "message": "/data/df_1.pkl has 1 bytes, prepared were 3681000"}
    world.act("preprocess-data", exit_code=1, report=json.dumps({"error": error, "step": "preprocess-data"}))
    ended = world.run()
    assert (ended.returncode, ended.json["error"]["code"]) == (7, "result"), ended.stderr
    assert "/data/df_1.pkl has 1 bytes" in ended.json["error"]["message"]
    assert "The next run looks at it anew" in ended.json["error"]["hint"]
    assert world.cluster.left() == []
    world.act("preprocess-data", exit_code=0, report=report("preprocess-data"))
    assert world.run().returncode == 0
    made = [seen.body["metadata"]["name"] for seen in world.cluster.api.asked("POST", "/jobs")]
    assert made.count("prepare-data-1") == 2


def test_a_controller_that_does_not_run_is_told_before_anything_is_made(world: World) -> None:
    away = controller(requeue="1s")
    away["status"] = {}
    world.cluster.api.put(away)
    ended = world.run()
    assert (ended.returncode, ended.json["error"]["code"]) == (4, "external_failure")
    assert "Argo's controller does not run" in ended.json["error"]["message"]
    assert "describe deployment workflow-controller" in ended.json["error"]["hint"]
    away["spec"]["replicas"] = 0
    world.cluster.api.put(away)
    assert "it is scaled to 0" in world.run().json["error"]["message"]
    world.cluster.api.remove(DEPLOYMENT, "workflow-controller", "argo")
    assert "no Argo controller" in world.run().json["error"]["message"]
    assert (world.cluster.argo.workflows, world.cluster.api.asked("POST", "/jobs")) == ([], [])


def test_a_controller_that_goes_away_or_looks_elsewhere_is_told_while_a_workflow_waits(world: World) -> None:
    now = [0.0]
    cluster = ReadyCluster(world.cluster.current(), Kube.open(world.cluster.kubeconfig, "test"))
    attention = Attention(cluster, lambda: now[0])
    waiting, at_work = {"metadata": {}}, {"status": {"phase": "Running"}}
    assert attention.problem(waiting) is None
    now[0] = 61.0
    told = attention.problem(waiting)
    assert told is not None
    assert "has not taken up a Workflow of namespace default within 60 s" in told.message
    now[0] = 72.0
    assert attention.problem(at_work) is None
    away = controller(requeue="1s")
    away["status"] = {}
    world.cluster.api.put(away)
    assert attention.problem(at_work) is None
    now[0] = 82.0
    assert attention.problem(at_work) is None
    now[0] = 113.0
    told = attention.problem(at_work)
    assert told is not None
    assert "Argo's controller does not run" in told.message
    world.cluster.api.put(controller(requeue="1s"))
    now[0] = 124.0
    assert attention.problem(at_work) is None


def test_a_report_that_is_no_json_is_told(world: World) -> None:
    world.act("train-data", report="oops")
    ended = world.run()
    assert ended.returncode == 4
    assert "the report of train-data is not JSON" in ended.json["error"]["message"]
    assert world.cluster.left() == []
