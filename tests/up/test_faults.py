"""What stands in the way of `up`: found at once, told in plain words with the fix."""

from pathlib import Path

import pytest

from fluidbench.kube import DEPLOYMENT, POD, PVC
from tests.kube.plugin import fixture
from tests.up.conftest import World
from tests.up.stack import worker


@pytest.mark.parametrize("program", ["docker", "kind", "helm"])
def test_a_program_that_is_missing_is_named(world: World, program: str) -> None:
    world.programs.without(program)
    outcome = world.up()
    assert outcome.code == 3
    assert f"{program} was not found" in outcome.err


@pytest.mark.parametrize(("what", "version"), [("kind_version", "v0.20.0"), ("helm_version", "v3.5.4")])
def test_a_program_that_is_too_old_is_told_with_what_is_needed(world: World, what: str, version: str) -> None:
    world.programs.change(**{what: version})
    outcome = world.up()
    assert outcome.code == 3
    assert version.lstrip("v") in outcome.err


@pytest.mark.parametrize(
    ("command", "told", "code", "fix"),
    [
        ("docker info", "Cannot connect to the Docker daemon at unix:///var/run/docker.sock.", 4, "docker info"),
        ("docker info", "permission denied while trying to connect to the Docker daemon socket", 4, "group docker"),
        ("docker build", "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.", 4, "INDEX_URL"),
        ("docker build", "pull access denied for python", 4, "BASE_IMAGE"),
        ("kind create", 'could not find a log line that matches "Reached target"', 4, "fs.inotify"),
        ("kind create", "Bind for 0.0.0.0:80 failed: port is already allocated", 4, "--kind-config-patch"),
        ("kind create", "failed to detect containerd snapshotter", 3, "Update kind"),
        ("kind load", "ctr: content digest sha256:12: not found", 4, "docker save --platform"),
        ("helm install", "Error: INSTALLATION FAILED: Get https://x: dial tcp: no such host", 4, "--fluid-chart"),
        ("helm install", "Error: INSTALLATION FAILED: invalid ownership metadata; label validation error", 4, "Remove"),
    ],
)  # fmt: skip
def test_known_failures_are_told_with_the_fix(world: World, command: str, told: str, code: int, fix: str) -> None:
    world.programs.change(fail={command: told})
    outcome = world.up()
    assert outcome.code == code
    error = outcome.json["error"]
    assert fix in error["hint"]
    assert told.split(":")[0] in error["message"]


def test_more_memory_than_the_host_has_is_refused_before_anything_is_made(world: World) -> None:
    outcome = world.up("--quota", "9000Gi")
    assert outcome.code == 8
    assert "--quota" in outcome.err
    assert world.programs.changed() == []


def test_more_replicas_than_workers_are_refused(world: World) -> None:
    outcome = world.up("--workers", "1", "--replicas", "2")
    assert outcome.code == 2
    assert "--replicas 1" in outcome.err


def test_a_node_image_that_cannot_run_on_cgroup_v1_is_refused(world: World) -> None:
    outcome = world.up("--node-image", "kindest/node:v1.35.0")
    assert outcome.code == 2
    assert "cgroup v1" in outcome.err
    assert world.programs.changed() == []


def test_a_proxy_that_the_nodes_cannot_reach_is_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:3128")
    outcome = world.up()
    assert outcome.code == 0, outcome.err
    assert "HTTPS_PROXY names 127.0.0.1" in outcome.err


def test_a_failed_release_of_an_earlier_attempt_is_mended(world: World) -> None:
    world.programs.change(release_status="failed")
    assert world.up().code == 4
    world.programs.change(release_status="deployed")
    outcome = world.up()
    assert outcome.code == 0, outcome.err
    assert "release of an earlier attempt is failed" in outcome.err
    assert world.programs.ran("helm uninstall fluid")


def test_the_webhook_is_proved_by_several_accepted_pods_in_a_row(world: World) -> None:
    refusal = 'failed calling webhook "mutate.fluid.io": context deadline exceeded'
    world.api.fail(500, method="POST", path="/namespaces/default/pods", times=1, message=refusal)
    outcome = world.up()
    assert outcome.code == 0, outcome.err
    probes = [seen for seen in world.api.asked("POST", "/pods") if seen.query.get("dryRun") == "All"]
    assert len(probes) >= 5
    assert all(seen.body["metadata"]["labels"]["fuse.serverful.fluid.io/inject"] == "true" for seen in probes)


def test_an_image_that_cannot_be_pulled_is_told_at_once(world: World) -> None:
    world.stack.off.add("workflow-controller")
    waiting = next(pod for pod in fixture("pods-running-imagepullbackoff") if pod["status"]["phase"] == "Pending")

    def pod_of(deployment: dict) -> None:
        if deployment["metadata"]["name"] == "workflow-controller":
            labels = {"app": "workflow-controller"}
            metadata = {"name": "workflow-controller-1", "namespace": "argo", "labels": labels}
            world.api.put({**waiting, "apiVersion": "v1", "kind": "Pod", "metadata": metadata})

    world.api.when("ADDED", DEPLOYMENT, pod_of)
    outcome = world.up()
    assert outcome.code == 4
    assert "cannot be pulled" in outcome.err


def test_a_worker_that_crashes_again_and_again_is_told_at_once(world: World) -> None:
    world.stack.off.add("Fluid")
    crashed = worker("default", "vineyard", 0)
    crashed["status"] = {
        "phase": "Running",
        "containerStatuses": [{
            "name": "vineyard-worker", "restartCount": 3, "state": {"waiting": {"reason": "CrashLoopBackOff"}},
            "lastState": {"terminated": {"exitCode": 1}},
        }],
    }  # fmt: skip
    world.api.add(crashed)
    outcome = world.up()
    assert outcome.code == 4
    assert "crashed 3 times" in outcome.err


def test_a_claim_that_stays_unbound_is_told_with_the_fix(world: World) -> None:
    world.stack.off.add("volumes")
    old = {"creationTimestamp": "2020-01-01T00:00:00Z", "name": "benchmark-data", "namespace": "default"}
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": old,
        "spec": {"storageClassName": "manual"},
    }
    world.api.put(claim)
    outcome = world.up()
    assert outcome.code == 4
    assert "is not bound" in outcome.err
    assert world.api.get(PVC, "benchmark-data", "default")


def test_a_round_trip_that_fails_is_told_with_its_log(world: World) -> None:
    world.stack.off.add("round trip")

    def failed(pod: dict) -> None:
        name = pod["metadata"]["name"]
        if "round-trip" in name:
            world.api.logs["default", name, "main"] = "there is no socket of a Vineyard worker on this node\n"
            world.api.status(POD, name, "default", {"phase": "Failed"})

    world.api.when("ADDED", POD, failed)
    outcome = world.up()
    assert outcome.code == 4
    assert "there is no socket" in outcome.err
    assert not [pod for pod in world.api.objects(POD) if "round-trip" in pod["metadata"]["name"]]


@pytest.mark.parametrize(("status", "reason"), [(401, "Unauthorized"), (403, "Forbidden")])
def test_missing_rights_are_told_with_the_line_that_checks_them(world: World, status: int, reason: str) -> None:
    message = 'serviceaccounts "pipeline-runner" is forbidden: User "me" cannot patch resource "serviceaccounts"'
    world.api.fail(status, method="PATCH", path="/serviceaccounts", reason=reason, message=message, times=99)
    outcome = world.up()
    assert outcome.code == 4
    assert "kubectl" in outcome.json["error"]["hint"]


@pytest.mark.parametrize("status", [409, 429, 500])
def test_passing_faults_of_the_api_server_are_outlived(world: World, status: int) -> None:
    world.api.fail(status, method="PATCH", path="/serviceaccounts", reason="Conflict", message="again", times=1)
    assert world.up().code == 0


def test_a_broken_state_file_is_told_with_the_fix(world: World) -> None:
    directory = world.home / "state" / "fluidbench"
    directory.mkdir(parents=True)
    (directory / "cluster.json").write_text("{}")
    outcome = world.up()
    assert outcome.code == 7
    assert f"rm {directory / 'cluster.json'}" in outcome.err


def test_a_state_file_of_a_newer_version_is_refused(world: World) -> None:
    directory = world.home / "state" / "fluidbench"
    directory.mkdir(parents=True)
    (directory / "cluster.json").write_text('{"format_version": 99}')
    outcome = world("status")
    assert outcome.code == 7
    assert "format 99" in outcome.err


def test_an_argo_manifest_without_a_controller_is_refused(world: World) -> None:
    Path(world.home / "argo.yaml").write_text("kind: Namespace\nmetadata: {name: argo}\n")
    outcome = world.up()
    assert outcome.code == 2
    assert "--argo-manifest" in outcome.err
