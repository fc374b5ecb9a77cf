"""`fluidbench up` of a kind cluster, from nothing and again."""

import json
import os
from pathlib import Path

import pytest

from fluidbench.kube import CONFIG_MAP, DEPLOYMENT, POD, SERVICE, VINEYARD_RUNTIME
from tests.up.conftest import World

STAGES = [
    "check", "cluster", "step image", "images", "access and volume", "Fluid", "Argo", "step image in the nodes",
    "Vineyard", "round trip",
]  # fmt: skip


def test_up_makes_a_cluster_and_makes_it_current(world: World) -> None:
    outcome = world.up("--workers", "2")
    assert outcome.code == 0, outcome.err
    assert sorted(outcome.stages) == sorted(STAGES)
    now = world.current()
    assert (now.context, now.ready, now.made_cluster, now.workers) == ("kind-bench", True, True, 2)
    assert now.installed == ("argo", "fluid")
    assert (now.replicas, now.quota_bytes, now.requeue_s) == (2, 512 << 20, 1.0)


def test_a_second_up_finds_everything_and_changes_nothing(world: World) -> None:
    assert world.up().code == 0
    world.programs.forget()
    outcome = world.up()
    assert outcome.code == 0, outcome.err
    done_again = {name for name, found in outcome.stages.items() if not found}
    assert done_again == {"check", "images", "access and volume", "step image in the nodes"}
    assert [line.split()[:3] for line in world.programs.changed()] == [["kind", "load", "docker-image"]]


@pytest.mark.parametrize(
    "command", ["kind create", "docker build", "kind load", "helm install"], ids=lambda word: word.replace(" ", "-")
)
def test_a_stage_that_failed_is_taken_up_again(world: World, command: str) -> None:
    world.programs.change(fail={command: "no space left on device"})
    failed = world.up()
    assert failed.code in (4, 8)
    assert "no space left" in failed.err
    assert not world.current().ready
    world.programs.change(fail={})
    assert world.up().code == 0
    assert world.current().ready


def test_the_kubeconfig_of_the_user_is_not_touched(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = world.home / "theirs"
    theirs.write_text("untouched")
    monkeypatch.setenv("KUBECONFIG", str(theirs))
    assert world.up().code == 0
    assert theirs.read_text() == "untouched"
    assert world.home in Path(str(world.current().kubeconfig)).parents


def test_an_interrupted_creation_of_nodes_is_made_anew(world: World) -> None:
    world.programs.change(interrupt=os.getpid())
    assert world.up().code == 130
    assert world.current().made_cluster
    assert not world.current().joined
    told = world.programs.read()
    del told["interrupt"]
    world.programs.world.write_text(json.dumps(told))
    outcome = world.up()
    assert outcome.code == 0, outcome.err
    assert "left half made" in outcome.err
    assert world.programs.ran("kind delete cluster")


def test_a_kind_cluster_of_somebody_else_is_left_alone(world: World) -> None:
    assert world.up().code == 0
    (world.home / "state" / "fluidbench" / "cluster.json").unlink()
    world.api.remove(CONFIG_MAP, "fluidbench", "kube-system")
    world.programs.forget()
    outcome = world.up()
    assert outcome.code == 2
    assert "--context kind-bench" in outcome.err
    assert not [line for line in world.programs.changed() if "export kubeconfig" not in line and "load" not in line]


def test_a_lost_state_directory_is_found_out_from_the_cluster(world: World) -> None:
    assert world.up().code == 0
    (world.home / "state" / "fluidbench" / "cluster.json").unlink()
    assert world.up().code == 0
    assert world.current().made_cluster


def test_nodes_that_were_stopped_are_started(world: World) -> None:
    assert world.up().code == 0
    told = world.programs.read()
    told["clusters"]["bench"][1]["running"] = False
    world.programs.change(clusters=told["clusters"])
    outcome = world.up()
    assert outcome.code == 0, outcome.err
    assert world.programs.ran("docker start bench-worker")


def test_other_workers_than_there_are_need_a_new_cluster(world: World) -> None:
    assert world.up("--workers", "2").code == 0
    outcome = world.up("--workers", "3")
    assert outcome.code == 2
    assert "fluidbench down" in outcome.err


def test_another_data_directory_needs_a_new_cluster(world: World) -> None:
    assert world.up().code == 0
    outcome = world.up("--data-dir", str(world.home / "elsewhere"))
    assert outcome.code == 2
    assert "--data-dir" in outcome.err


def test_the_data_directory_is_opened_to_the_steps_and_told(world: World) -> None:
    outcome = world.up()
    assert (world.home / "data").stat().st_mode & 0o7777 == 0o1777
    assert "10001" in outcome.err


def test_a_runtime_of_another_size_is_made_anew(world: World) -> None:
    assert world.up().code == 0
    outcome = world.up("--replicas", "1")
    assert outcome.code == 0, outcome.err
    assert world.api.get(VINEYARD_RUNTIME, "vineyard", "default")["spec"]["replicas"] == 1
    assert world.current().replicas == 1


def test_without_a_size_the_runtime_that_is_there_is_kept(world: World) -> None:
    assert world.up("--replicas", "1").code == 0
    assert world("up", *world.files, "--name", "bench").code == 0
    assert world.api.get(VINEYARD_RUNTIME, "vineyard", "default")["spec"]["replicas"] == 1


def test_argo_comes_without_its_server_and_without_its_ten_second_grid(world: World) -> None:
    assert world.up().code == 0
    names = {item["metadata"]["name"] for item in world.api.objects(DEPLOYMENT)}
    assert "argo-server" not in names
    assert not [item for item in world.api.objects(SERVICE) if item["metadata"]["name"] == "argo-server"]
    container = world.api.get(DEPLOYMENT, "workflow-controller", "argo")["spec"]["template"]["spec"]["containers"][0]
    assert {"name": "DEFAULT_REQUEUE_TIME", "value": "1s"} in container["env"]
    assert {"name": "LEADER_ELECTION_IDENTITY", "value": "me"} in container["env"]


def test_an_image_prefix_reaches_every_component(world: World) -> None:
    images = world.programs.read()["images"]
    prefixed = {f"mirror.example/all/{name.rpartition('/')[2]}": {} for name in images}
    world.programs.change(images={**prefixed, **{name: {} for name in images if "kindest" in name}})
    outcome = world.up("--image-prefix", "mirror.example/all/", "--offline", "--build-option=--network=none")
    # offline, and the step image is not built yet: everything else was found under its prefixed name
    assert outcome.code == 4
    assert "fluidbench-steps" in outcome.err
    assert "fluidcloudnative" not in outcome.err
    outcome = world.up("--image-prefix", "mirror.example/all/")
    assert outcome.code == 0, outcome.err
    container = world.api.get(DEPLOYMENT, "workflow-controller", "argo")["spec"]["template"]["spec"]["containers"][0]
    assert container["image"] == "mirror.example/all/workflow-controller:v3.7.18"
    assert container["args"] == ["--executor-image", "mirror.example/all/argoexec:v3.7.18"]


def test_the_round_trip_is_made_on_the_node_of_each_worker_and_leaves_no_pod(world: World) -> None:
    assert world.up().code == 0
    made = [seen.body for seen in world.api.asked("POST", "/pods") if seen.query.get("dryRun") is None]
    assert sorted(pod["spec"]["nodeSelector"]["kubernetes.io/hostname"] for pod in made) == [
        "bench-worker", "bench-worker2",
    ]  # fmt: skip
    assert not [pod for pod in world.api.objects(POD) if "round-trip" in pod["metadata"]["name"]]


def test_the_image_is_built_from_nothing_but_what_it_needs(world: World) -> None:
    assert world.up().code == 0
    context = world.programs.read()["context"]
    assert {"Dockerfile", "requirements.txt", "steps/contract.py", "steps/packages.txt"} <= set(context)
    assert all(name in ("Dockerfile", "requirements.txt") or name.startswith("steps/") for name in context)


def test_an_image_store_of_several_platforms_is_saved_and_loaded_as_an_archive(world: World) -> None:
    told = world.programs.read()["docker"]
    world.programs.change(docker={**told, "DriverStatus": [["driver-type", "io.containerd.snapshotter.v1"]]})
    assert world.up().code == 0
    assert world.programs.ran("docker save --platform linux/amd64")
    assert world.programs.ran("kind load image-archive")
    assert not world.programs.ran("kind load docker-image")
